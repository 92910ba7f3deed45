/** The commands by name, and which of them a command line means. */
import { entryOf } from '../dsl/lookup.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { didYouMean, problem } from '../dsl/problem.js';
import { attempt } from '../backends/failure.js';
import { wantsJson } from './options/arguments.js';
import { type Completed, completion, completionUsage } from './completion.js';
import { fail, printText, printJson } from './terminal/output.js';
import { type Usage, usage, usageText } from './options/usage.js';
import { aligned, columnsOf, USUAL_COLUMNS, wrapped } from './terminal/width.js';
import { versions } from '../runs/records/provenance.js';

type Loaded = {
  readonly usage: Usage;
  readonly run: (args: readonly string[]) => Promise<number>;
};

/** What a command is of is loaded when it is asked for. */
type Command = { readonly summary: string; readonly load: () => Promise<Loaded> };

const here =
  (usage: Usage, run: Loaded['run']): Command['load'] =>
  () =>
    Promise.resolve({ usage, run });

const help = async (args: readonly string[]): Promise<number> => {
  const name = args.find((word) => !word.startsWith('-'));
  if (name !== undefined && !Object.hasOwn(commands, name)) return unknown(name, args);
  const words = name === undefined ? undefined : (await entryOf(commands, name).load()).usage;
  const text = (columns: number): string =>
    words === undefined ? overview(columns) : usageText(words, columns);
  if (wantsJson(args)) printJson({ ok: true, help: text(USUAL_COLUMNS) });
  else printText(text(columnsOf(process.stdout)), 'strong');
  return 0;
};

/** All of them, loaded. */
const completed = async (): Promise<Completed> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(commands).map(async ([name, { summary, load }]) => {
        const { usage: words } = await load();
        return [name, { summary, usage: words }] as const;
      }),
    ),
  );

const commands: Readonly<Record<string, Command>> = {
  start: {
    summary: 'trains the bundled example and writes a report page',
    load: () => import('./start.js').then(({ startUsage: usage, start: run }) => ({ usage, run })),
  },
  train: {
    summary: 'trains an experiment and leaves a run folder',
    load: () => import('./train.js').then(({ trainUsage: usage, train: run }) => ({ usage, run })),
  },
  resume: {
    summary: 'goes on with a run',
    load: () => import('./resume.js').then(({ resumeUsage: usage, resume: run }) => ({ usage, run })),
  },
  evaluate: {
    summary: 'looks at data by the model of a run',
    load: () => import('./evaluate.js').then(({ evaluateUsage: usage, evaluate: run }) => ({ usage, run })),
  },
  encode: {
    summary: 'codes of data by the model of a run',
    load: () => import('./encode.js').then(({ encodeUsage: usage, encode: run }) => ({ usage, run })),
  },
  sample: {
    summary: 'new examples by the model of a run',
    load: () => import('./sample.js').then(({ sampleUsage: usage, sample: run }) => ({ usage, run })),
  },
  report: {
    summary: 'writes the report page of a run',
    load: () => import('./report.js').then(({ reportUsage: usage, report: run }) => ({ usage, run })),
  },
  runs: {
    summary: 'lists runs, or compares them',
    load: () => import('./runs.js').then(({ runsUsage: usage, runs: run }) => ({ usage, run })),
  },
  sweep: {
    summary: 'trains every configuration of a grid or a search',
    load: () => import('./sweep.js').then(({ sweepUsage: usage, sweep: run }) => ({ usage, run })),
  },
  table: {
    summary: "compares the paper's eight models on a data set",
    load: () => import('./table.js').then(({ tableUsage: usage, table: run }) => ({ usage, run })),
  },
  trial: {
    summary: 'runs one trial of a sweep',
    load: () => import('./trial.js').then(({ trialUsage: usage, trial: run }) => ({ usage, run })),
  },
  data: {
    summary: 'describes a data set before training',
    load: () => import('./data.js').then(({ dataUsage: usage, data: run }) => ({ usage, run })),
  },
  explain: {
    summary: 'shows what an experiment computes and what it costs',
    load: () => import('./explain.js').then(({ explainUsage: usage, explain: run }) => ({ usage, run })),
  },
  export: {
    summary: 'writes a run for TensorFlow and browsers',
    load: () => import('./export.js').then(({ exportUsage: usage, exportRun: run }) => ({ usage, run })),
  },
  doctor: {
    summary: 'shows what this machine offers; builds the native backend',
    load: () => import('./doctor.js').then(({ doctorUsage: usage, doctor: run }) => ({ usage, run })),
  },
  completion: {
    summary: 'completes commands in bash, zsh and fish',
    load: here(completionUsage, completion(completed)),
  },
  help: {
    summary: 'these words, or those of one command',
    load: here(usage('help [COMMAND]', 'Explains a command.', []), help),
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

const perform = async (args: readonly string[]): Promise<number> => {
  const [first = 'help', ...rest] = args;
  if (first === '--version') {
    printText(`immersion ${versions()['immersion']}`);
    return 0;
  }
  if (first === '--help' || first === '-h' || first === '--json') return help(args);
  if (!Object.hasOwn(commands, first)) return unknown(first, rest);
  if (rest.includes('--help') || rest.includes('-h')) return help([first, ...rest]);
  const { run } = await entryOf(commands, first).load();
  return run(rest);
};
