/** `immersion trial TRIAL`: runs one trial and writes its result beside it, whole or not at all. */
import { atLeast } from '../dsl/lookup.js';
import { dirname, join } from 'node:path';
import { type Either, isLeft, map, right } from 'fp-ts/lib/Either.js';
import { type Problem } from '../dsl/index.js';
import { type Evaluation, evaluationCodec, measure } from '../evaluation/index.js';
import { writableFolder } from '../backends/places.js';
import { encodeSafetensors } from '../backends/safetensors.js';
import {
  checkTrial,
  decodeTrial,
  encodeOutcome,
  encodeTrial,
  experimentOf,
  type Outcome,
  runTrial,
  type Trial,
  trialFiles,
  type TrialOptions,
  type TrialResult,
} from '../runs/index.js';
import { writeFinding } from '../runs/executors/check.js';
import { WITHDRAWN } from '../runs/executors/entrypoint.js';
import { holdsTicket } from '../runs/executors/ticket.js';
import { takenOver } from '../runs/run/lock.js';
import { contentKey } from '../runs/sweeps/trial.js';
import { writeWhole } from '../runs/records/whole-file.js';
import { createProgress, duration } from '../runs/records/progress.js';
import { type Option, readArguments, wantsJson } from './options/arguments.js';
import { checkpointsGiven, checkpointsOption } from './options/policy-options.js';
import { readJson } from '../runs/load-spec.js';
import { fail, printJson, say, screen } from './terminal/output.js';
import { usage } from './options/usage.js';

const options: readonly Option[] = [
  { name: 'out', value: 'DIR', summary: 'where the result is written (the folder of TRIAL)' },
  checkpointsOption,
  { name: 'check', summary: 'looks only whether it could run here, and leaves check.json' },
  {
    name: 'root',
    value: 'DIR',
    summary: 'what the run records as the folder of relative paths (the current one)',
  },
  {
    name: 'job',
    value: 'NAME',
    summary: 'the job of a cluster that it is; it ends when its folder names another',
  },
];

type Checked<A> = Either<readonly Problem[], A>;

const load = async (path: string): Promise<Checked<Trial<Evaluation>>> => {
  const json = await readJson(path, 'a trial as JSON');
  return isLeft(json) ? json : decodeTrial(evaluationCodec)(json.right);
};

type Place = Omit<TrialOptions, 'onEvent'> & { readonly folder: string };

const perform = async (trial: Trial<Evaluation>, place: Place): Promise<Checked<TrialResult>> => {
  const experiment = experimentOf(trial);
  if (isLeft(experiment)) return experiment;
  const progress = createProgress(screen(), experiment.right);
  const tried = await runTrial(trial, measure, { onEvent: progress.onEvent, ...place });
  progress.end();
  if (isLeft(tried)) return tried;
  const { arrays, result } = tried.right;
  if (arrays.size > 0) {
    const bytes = encodeSafetensors(arrays, { format: 'immersion' });
    const written = writeWhole(join(place.folder, trialFiles.arrays), bytes);
    if (isLeft(written)) return written;
  }
  return right(result);
};

/** How long another machine, of which a cluster says that it is gone, may keep the folder. */
const PATIENCE = 10_000;
const LOOK_AGAIN = 1000;

const ticketOf = (job: string): string => job.slice(job.lastIndexOf('/') + 1);

const withdrawn = (folder: string): number => {
  say(`${join(folder, trialFiles.ticket)} names another job than this one, which ends here`);
  return WITHDRAWN;
};

type Held = { readonly isOurs: () => boolean; readonly release: () => void };

/** Ends this process when the folder names another job, as it does where a cluster has lost sight of this one and started it again. */
const holdTicket = (folder: string, ticket: string): Held => {
  const isOurs = (): boolean => holdsTicket(folder, ticket);
  const timer = setInterval(() => {
    if (!isOurs()) process.exit(withdrawn(folder));
  }, LOOK_AGAIN);
  return { isOurs, release: () => clearInterval(timer) };
};

/** What a cluster is asked before a sweep begins there. */
const check = async (trial: Trial<Evaluation>, folder: string, json: boolean): Promise<number> => {
  const checked = await checkTrial(trial);
  const written = writeFinding(folder, map(({ backend }: { readonly backend: string }) => backend)(checked));
  if (isLeft(written)) return fail(written.left, json);
  if (isLeft(checked)) return fail(checked.left, json);
  say(`it can run here, on ${checked.right.backend}`);
  if (json) printJson({ ok: true, ...checked.right });
  return 0;
};

export const trial = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['TRIAL']);
  if (isLeft(given)) return fail(given.left, json);
  const [path] = atLeast(1, given.right.positionals);
  const folder = given.right.last('out') ?? dirname(path);
  const checkpoints = checkpointsGiven(given.right);
  if (isLeft(checkpoints)) return fail(checkpoints.left, json);
  const loaded = await load(path);
  if (isLeft(loaded)) return fail(loaded.left, json);
  const encoded = encodeTrial(evaluationCodec)(loaded.right);
  if (isLeft(encoded)) return fail(encoded.left, json);

  const place = writableFolder(folder);
  if (isLeft(place)) return fail(place.left, json);

  if (given.right.has('check')) return check(loaded.right, folder, json);
  const job = given.right.last('job');
  const held = job === undefined ? undefined : holdTicket(folder, ticketOf(job));
  if (held?.isOurs() === false) {
    held.release();
    return withdrawn(folder);
  }
  if (held !== undefined) await takenOver(folder, PATIENCE);
  const root = given.right.last('root');
  const outcome: Outcome = await perform(loaded.right, { folder, root, job, checkpoints: checkpoints.right });
  held?.release();
  if (held?.isOurs() === false) return withdrawn(folder);
  const file = encodeOutcome(contentKey(encoded.right), outcome);
  const written = writeWhole(join(folder, trialFiles.result), `${JSON.stringify(file, null, 2)}\n`);
  if (isLeft(written)) return fail(written.left, json);
  if (isLeft(outcome)) return fail(outcome.left, json);
  say(
    `trained ${outcome.right.steps} steps in ${duration(outcome.right.seconds)}; the result is ${written.right}`,
  );
  if (json) printJson(file);
  return 0;
};

export const trialUsage = usage(
  'trial TRIAL',
  'Runs one trial, a JSON file as a sweep writes them, and leaves result.json beside it.',
  options,
);
