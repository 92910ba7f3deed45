/** The commands by name, and which of them a command line means. */
import { entryOf } from '../dsl/lookup.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { didYouMean, problem } from '../dsl/index.js';
import { attempt } from '../backends/failure.js';
import { wantsJson } from './arguments.js';
import { doctor, doctorUsage } from './doctor.js';
import { explain, explainUsage } from './explain.js';
import { exportRun, exportUsage } from './export.js';
import { fail, printText, printJson } from './output.js';
import { start, startUsage } from './start.js';
import { sweep, sweepUsage } from './sweep.js';
import { table, tableUsage } from './table.js';
import { train, trainUsage } from './train.js';
import { trial, trialUsage } from './trial.js';
import { usage } from './usage.js';
import { versions } from '../runs/index.js';

type Command = {
  readonly summary: string;
  readonly usage: string;
  readonly run: (args: readonly string[]) => Promise<number>;
};

const help = (args: readonly string[]): Promise<number> => {
  const name = args.find((word) => !word.startsWith('-'));
  if (name !== undefined && !Object.hasOwn(commands, name)) return Promise.resolve(unknown(name, args));
  const text = name === undefined ? overview() : entryOf(commands, name).usage;
  if (wantsJson(args)) printJson({ ok: true, help: text });
  else printText(text, 'strong');
  return Promise.resolve(0);
};

const commands: Readonly<Record<string, Command>> = {
  start: { summary: 'trains the bundled example and writes a report page', usage: startUsage, run: start },
  train: { summary: 'trains an experiment and leaves a run folder', usage: trainUsage, run: train },
  sweep: { summary: 'trains every configuration of a grid or a search', usage: sweepUsage, run: sweep },
  table: { summary: "compares the paper's eight models on a data set", usage: tableUsage, run: table },
  trial: { summary: 'runs one trial of a sweep', usage: trialUsage, run: trial },
  explain: {
    summary: 'shows what an experiment computes and what it costs',
    usage: explainUsage,
    run: explain,
  },
  export: { summary: 'writes a run for TensorFlow and browsers', usage: exportUsage, run: exportRun },
  doctor: {
    summary: 'shows what this machine offers; builds the native backend',
    usage: doctorUsage,
    run: doctor,
  },
  help: {
    summary: 'these words, or those of one command',
    usage: usage('help [COMMAND]', 'Explains a command.', []),
    run: help,
  },
};

const overview = (): string =>
  [
    'immersion: autoencoders and injective flows as typed, compiled specifications',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  immersion ${name.padEnd(8)} ${summary}`),
    '',
    'Every command takes --json and --help. IMMERSION_DEBUG=1 shows the stack of an unexpected error.',
  ].join('\n');

const unknown = (name: string, args: readonly string[]): number => {
  const known = Object.keys(commands);
  return fail(
    [problem(name, 'an unknown command', `one of ${known.join(', ')}`, didYouMean(name, known))],
    wantsJson(args),
  );
};

/** Runs a command line and answers with its exit code; what a backend cannot do is one more problem. */
export const dispatch = async (args: readonly string[]): Promise<number> => {
  const code = await attempt(() => perform(args));
  return isLeft(code) ? fail(code.left, wantsJson(args)) : code.right;
};

const perform = (args: readonly string[]): Promise<number> => {
  const [first = 'help', ...rest] = args;
  if (first === '--version') {
    printText(`immersion ${versions()['immersion']}`);
    return Promise.resolve(0);
  }
  if (first === '--help' || first === '-h' || first === '--json') return help(args);
  if (!Object.hasOwn(commands, first)) return Promise.resolve(unknown(first, rest));
  return rest.includes('--help') || rest.includes('-h')
    ? help([first, ...rest])
    : entryOf(commands, first).run(rest);
};
