/** Trials run from the command line: their folder, their processes, Ctrl-C and what they came to. */
import { existsSync, rmdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem, showProblem } from '../../dsl/index.js';
import { type Evaluation, evaluationCodec } from '../../evaluation/index.js';
import { isPath } from '../../evaluation/features/open.js';
import {
  digestsOf,
  encodeTrial,
  experimentOf,
  inputOf,
  memoryOf,
  type Outcome,
  fingerprintOf,
  readOutcome,
  runTrials,
  type Trial,
  trialFolder,
} from '../../runs/index.js';
import { contentKey } from '../../runs/sweeps/trial.js';
import { readTicket } from '../../runs/executors/ticket.js';
import { type Arguments, naturalOption, type Option } from '../options/arguments.js';
import { clusterOptions, type Where, whereOf } from '../options/cluster-options.js';
import { checkpointsGiven, checkpointsOption } from '../options/policy-options.js';
import { interruption } from '../terminal/interrupt.js';
import { say, screen } from '../terminal/output.js';
import { writableFolder } from '../../backends/places.js';
import { openCluster, openLocal } from './executors.js';
import { checkedSets, referenceOf } from './trial-checks.js';
import { createTrialProgress } from '../terminal/trial-progress.js';

/** Options of every command that runs many trials. */
export const trialsOptions: readonly Option[] = [
  { name: 'jobs', value: 'N', summary: 'trials at once (one a core, as far as memory allows)' },
  {
    name: 'out',
    value: 'DIR',
    summary: 'where the trials are kept; the same folder goes on (one under outputs/)',
  },
  { name: 'retry', summary: 'tries again the trials that failed before' },
  checkpointsOption,
  ...clusterOptions,
];

type Checked<A> = Either<readonly Problem[], A>;

/** A trial under its name among the others, such as `eta=0.1 seed=2`. */
export type Labelled = { readonly label: string; readonly trial: Trial<Evaluation> };

export type Performed = Labelled & {
  readonly key: string;
  readonly folder: string;
  /** Absent where an interruption prevented it. */
  readonly outcome: Outcome | undefined;
};

export type Request = {
  readonly trials: readonly Labelled[];
  /** Of all trials. */
  readonly folder: string;
  readonly jobs: number | undefined;
  readonly retry: boolean;
  /** Of each trial's command. */
  readonly options: readonly string[];
  /** The cluster that they run on; undefined for this machine. */
  readonly where: Where | undefined;
};

/** What a trial reads from disk. */
const inputsOf = (trial: Trial<Evaluation>): readonly string[] => [
  ...referenceOf(trial).flatMap(inputOf),
  ...trial.evaluation.features.filter(isPath),
  ...trial.evaluation.outside.flatMap(inputOf),
];

/** Trials that know what they read and by what they are run, so that their results are kept as long as both are the same. */
const pinned = async (trials: readonly Labelled[]): Promise<readonly Labelled[]> => {
  const digests = await digestsOf(trials.flatMap(({ trial }) => inputsOf(trial)));
  return trials.map(({ label, trial }) => ({
    label,
    trial: { ...trial, fingerprint: fingerprintOf(inputsOf(trial), digests) },
  }));
};

/** `--out`, or one under `outputs/` that the same trials get again; in the storage of the cluster where it has one. */
const folderOf = (given: Arguments, where: Where | undefined, name: string): string =>
  where?.storage === undefined
    ? (given.last('out') ?? join('outputs', name))
    : resolve(where.storage, given.last('out') ?? name);

/** `--jobs`, `--retry` and where the trials run. */
export const requestOf = async (
  given: Arguments,
  name: string,
  labelled: readonly Labelled[],
): Promise<Checked<Request>> => {
  const where = await whereOf(given);
  if (isLeft(where)) return where;
  const checkpoints = checkpointsGiven(given);
  if (isLeft(checkpoints)) return checkpoints;
  const text = given.last(checkpointsOption.name);
  const trials = await pinned(labelled);
  const jobs = naturalOption(given, 'jobs', 0);
  if (isLeft(jobs)) return jobs;
  if (given.has('jobs') && jobs.right === 0) {
    return left([problem('--jobs', '"0"', 'a positive integer')]);
  }
  const keys = trials.map(({ trial }) => keyed(trial));
  const problems = keys.flatMap((one) => (isLeft(one) ? one.left : []));
  if (problems.length > 0) return left(problems);
  return right({
    trials,
    folder: folderOf(given, where.right, `${name}-${contentKey(keys.map(keyOf)).slice(0, 8)}`),
    jobs: jobs.right === 0 ? undefined : jobs.right,
    retry: given.has('retry'),
    options: text === undefined ? [] : [`--${checkpointsOption.name}`, text],
    where: where.right,
  });
};

type Keyed = { readonly json: unknown; readonly key: string };

const keyed = (trial: Trial<Evaluation>): Checked<Keyed> => {
  const json = encodeTrial(evaluationCodec)(trial);
  return isLeft(json) ? json : right({ json: json.right, key: contentKey(json.right) });
};

const keyOf = (one: Checked<Keyed>): string => (isLeft(one) ? '' : one.right.key);

/** The command that runs a trial, seen from the sources and from their compiled form. */
const bin = ['../../bin/immersion.mjs', '../../../bin/immersion.mjs']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path));

/** A folder that was made for nothing goes again. */
const leftEmpty = (folder: string): void => {
  try {
    rmdirSync(folder);
  } catch {
    // It holds something.
  }
};

/** Whether an earlier command left jobs of these trials on a cluster. */
const hasTickets = (folders: readonly string[]): boolean =>
  folders.some((folder) => {
    const ticket = readTicket(folder);
    return !isLeft(ticket) && ticket.right?.id !== undefined;
  });
/** Runs the trials that are not done yet, and answers with all in their order. */
export const performTrials = async (
  request: Request,
): Promise<Checked<{ readonly interrupted: boolean; readonly trials: readonly Performed[] }>> => {
  const sets = await checkedSets(request.trials.map(({ trial }) => trial));
  if (isLeft(sets)) return sets;
  const { folder } = request;
  const made = writableFolder(folder);
  if (isLeft(made)) return made;

  const all = request.trials.flatMap((one) => {
    const entry = keyed(one.trial);
    return isLeft(entry) ? [] : [{ ...one, ...entry.right }];
  });
  const byKey = new Map(all.map((one) => [one.key, one]));
  const demands = new Map<string, number>();
  const demand = (key: string): number => {
    const known = demands.get(key);
    if (known !== undefined) return known;
    const one = byKey.get(key);
    const experiment = one === undefined ? undefined : experimentOf(one.trial);
    const needed =
      experiment === undefined || isLeft(experiment)
        ? 0
        : memoryOf(experiment.right) + (sets.right.get(experiment.right.data)?.bytes ?? 0);
    demands.set(key, needed);
    return needed;
  };

  const isDone = (key: string): boolean => {
    const outcome = readOutcome(folder, key);
    return outcome !== undefined && !(request.retry && isLeft(outcome));
  };
  const undone = all.filter(({ key }) => !isDone(key));
  const [first] = undone;
  const interrupt = interruption(request.where === undefined ? undefined : 'leaves');
  const progress = createTrialProgress(screen(), byKey.size);
  interrupt.listen();
  try {
    const opened =
      request.where === undefined || first === undefined
        ? right(openLocal(bin ?? 'immersion', byKey.size, request))
        : await openCluster({
            where: request.where,
            bin: bin ?? 'immersion',
            folder: resolve(folder),
            jobs: request.jobs,
            options: request.options,
            inputs: request.trials.flatMap(({ trial }) => inputsOf(trial)),
            demand: (path) => demand(basename(path)),
            trial: { json: first.json, bytes: demand(first.key) },
            joins: hasTickets(undone.map(({ key }) => trialFolder(folder, key))),
            signal: interrupt.signal,
          });
    if (isLeft(opened)) {
      leftEmpty(folder);
      return opened;
    }
    const { executor, capacity } = opened.right;
    say(
      Number.isFinite(capacity.trials)
        ? `${byKey.size} trials in ${folder}, ${capacity.trials} at a time`
        : `${byKey.size} trials in ${folder}`,
    );
    const outcomes = await runTrials(
      all.map(({ json }) => json),
      {
        folder,
        executor,
        capacity,
        demand,
        retry: request.retry,
        signal: interrupt.signal,
        onEvent: (event) => progress.onEvent(event, byKey.get(event.key)?.label ?? event.key),
      },
    );
    return right({
      interrupted: interrupt.signal.aborted,
      trials: all.map(({ label, trial, key }) => ({
        label,
        trial,
        key,
        folder: trialFolder(folder, key),
        outcome: outcomes.get(key),
      })),
    });
  } finally {
    interrupt.stop();
    progress.end();
  }
};

const sayLines = (what: string, problems: readonly Problem[]): void =>
  problems.forEach((one) => say(`${what}: ${showProblem(one)}`.replaceAll(/\s*\n\s*/g, ' ')));

/** A line for whatever is wrong with a trial that failed, and for each figure that another has not. */
export const sayFailures = (trials: readonly Performed[]): void =>
  trials.forEach(({ label, folder, outcome }) => {
    if (outcome === undefined) return;
    if (isLeft(outcome)) {
      sayLines(`${label} failed`, outcome.left);
      say(`  see ${folder}`);
    } else sayLines(`${label} lacks a figure`, outcome.right.missing);
  });
