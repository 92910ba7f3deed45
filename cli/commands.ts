/** The commands by name, and which of them a command line means. */
import { entryOf } from '../dsl/lookup.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { didYouMean, problem } from '../dsl/index.js';
import { attempt } from '../backends/failure.js';
import { wantsJson } from './options/arguments.js';
import { type Completed, completion, completionUsage } from './completion.js';
import { data, dataUsage } from './data.js';
import { doctor, doctorUsage } from './doctor.js';
import { encode, encodeUsage } from './encode.js';
import { evaluate, evaluateUsage } from './evaluate.js';
import { explain, explainUsage } from './explain.js';
import { exportRun, exportUsage } from './export.js';
import { fail, printText, printJson } from './terminal/output.js';
import { report, reportUsage } from './report.js';
import { resume, resumeUsage } from './resume.js';
import { runs, runsUsage } from './runs.js';
import { sample, sampleUsage } from './sample.js';
import { start, startUsage } from './start.js';
import { sweep, sweepUsage } from './sweep.js';
import { table, tableUsage } from './table.js';
import { train, trainUsage } from './train.js';
import { trial, trialUsage } from './trial.js';
import { type Usage, usage, usageText } from './options/usage.js';
import { aligned, columnsOf, USUAL_COLUMNS, wrapped } from './terminal/width.js';
import { versions } from '../runs/index.js';

type Command = {
  readonly summary: string;
  readonly usage: Usage;
  readonly run: (args: readonly string[]) => Promise<number>;
};

const help = (args: readonly string[]): Promise<number> => {
  const name = args.find((word) => !word.startsWith('-'));
  if (name !== undefined && !Object.hasOwn(commands, name)) return Promise.resolve(unknown(name, args));
  const words = (columns: number): string =>
    name === undefined ? overview(columns) : usageText(entryOf(commands, name).usage, columns);
  if (wantsJson(args)) printJson({ ok: true, help: words(USUAL_COLUMNS) });
  else printText(words(columnsOf(process.stdout)), 'strong');
  return Promise.resolve(0);
};

const commands: Readonly<Record<string, Command>> = {
  start: { summary: 'trains the bundled example and writes a report page', usage: startUsage, run: start },
  train: { summary: 'trains an experiment and leaves a run folder', usage: trainUsage, run: train },
  resume: { summary: 'goes on with a run', usage: resumeUsage, run: resume },
  evaluate: { summary: 'looks at data by the model of a run', usage: evaluateUsage, run: evaluate },
  encode: { summary: 'codes of data by the model of a run', usage: encodeUsage, run: encode },
  sample: { summary: 'new examples by the model of a run', usage: sampleUsage, run: sample },
  report: { summary: 'writes the report page of a run', usage: reportUsage, run: report },
  runs: { summary: 'lists runs, or compares them', usage: runsUsage, run: runs },
  sweep: { summary: 'trains every configuration of a grid or a search', usage: sweepUsage, run: sweep },
  table: { summary: "compares the paper's eight models on a data set", usage: tableUsage, run: table },
  trial: { summary: 'runs one trial of a sweep', usage: trialUsage, run: trial },
  data: { summary: 'describes a data set before training', usage: dataUsage, run: data },
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
  completion: {
    summary: 'completes commands in bash, zsh and fish',
    usage: completionUsage,
    run: completion((): Completed => commands),
  },
  help: {
    summary: 'these words, or those of one command',
    usage: usage('help [COMMAND]', 'Explains a command.', []),
    run: help,
  },
};

const overview = (columns: number): string =>
  [
    ...wrapped('immersion: autoencoders and injective flows as typed, compiled specifications', columns),
    '',
    ...aligned(
      Object.entries(commands).map(([name, { summary }]) => [`  immersion ${name}`, summary]),
      { isRight: () => false, flexible: 1, columns },
    ),
    '',
    ...wrapped(
      'Every command takes --json and --help. IMMERSION_DEBUG=1 shows the stack of an unexpected error.',
      columns,
    ),
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
