/** `immersion trial TRIAL`: runs one trial and writes its result beside it, whole or not at all. */
import { atLeast } from '../dsl/lookup.js';
import { dirname, join } from 'node:path';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { type Problem } from '../dsl/index.js';
import { type Evaluation, evaluationCodec, measure } from '../evaluation/index.js';
import { writableFolder } from '../backends/places.js';
import { encodeSafetensors } from '../backends/safetensors.js';
import {
  decodeTrial,
  encodeOutcome,
  encodeTrial,
  experimentOf,
  type Outcome,
  runTrial,
  type Trial,
  trialFiles,
  type TrialResult,
} from '../runs/index.js';
import { contentKey } from '../runs/sweeps/trial.js';
import { writeWhole } from '../runs/records/whole-file.js';
import { createProgress, duration } from '../runs/records/progress.js';
import { type Option, readArguments, wantsJson } from './options/arguments.js';
import { readJson } from '../runs/load-spec.js';
import { fail, printJson, say, screen } from './terminal/output.js';
import { usage } from './options/usage.js';

const options: readonly Option[] = [
  { name: 'out', value: 'DIR', summary: 'where the result is written (the folder of TRIAL)' },
];

type Checked<A> = Either<readonly Problem[], A>;

const load = async (path: string): Promise<Checked<Trial<Evaluation>>> => {
  const json = await readJson(path, 'a trial as JSON');
  return isLeft(json) ? json : decodeTrial(evaluationCodec)(json.right);
};

const perform = async (trial: Trial<Evaluation>, folder: string): Promise<Checked<TrialResult>> => {
  const experiment = experimentOf(trial);
  if (isLeft(experiment)) return experiment;
  const progress = createProgress(screen(), experiment.right);
  const tried = await runTrial(trial, measure, { onEvent: progress.onEvent, folder });
  progress.end();
  if (isLeft(tried)) return tried;
  const { arrays, result } = tried.right;
  if (arrays.size > 0) {
    const bytes = encodeSafetensors(arrays, { format: 'immersion' });
    const written = writeWhole(join(folder, trialFiles.arrays), bytes);
    if (isLeft(written)) return written;
  }
  return right(result);
};

export const trial = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['TRIAL']);
  if (isLeft(given)) return fail(given.left, json);
  const [path] = atLeast(1, given.right.positionals);
  const folder = given.right.last('out') ?? dirname(path);
  const loaded = await load(path);
  if (isLeft(loaded)) return fail(loaded.left, json);
  const encoded = encodeTrial(evaluationCodec)(loaded.right);
  if (isLeft(encoded)) return fail(encoded.left, json);

  const place = writableFolder(folder);
  if (isLeft(place)) return fail(place.left, json);

  const outcome: Outcome = await perform(loaded.right, folder);
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
