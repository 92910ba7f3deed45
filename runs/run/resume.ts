/** Going on with a run: from its last checkpoint, in its folder, with another rate or weight if that is asked for. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { openData, type Source, type Split } from '../../data/index.js';
import { type Experiment, type Problem, problem, type Settings, setValues } from '../../dsl/index.js';
import type { Backend } from '../../backends/backend.js';
import { startBackend } from '../../backends/choose.js';
import { threadsFor } from '../../backends/tensorflow/threads.js';
import { fingerprintFor } from './fingerprint.js';
import { withHeldOut } from './hold-out.js';
import { checkpointAt, readRun, type RunNote } from './run-folder.js';
import type { PolicyOptions, RunSettings } from './settings.js';
import { type Trained, trainRun, type TrainOptions } from './train.js';

type Checked<A> = Either<readonly Problem[], A>;

export type ResumeOptions<Found = undefined> = Pick<
  TrainOptions<Found>,
  'onEvent' | 'onStart' | 'signal' | 'measure' | 'metrics'
> & {
  /** So many steps more than were taken; without it the run goes on to its own end. */
  readonly steps?: number | undefined;
  /** New values in the specification, as `--set` has them: `{ 'optimizer.rate': 1e-4 }`. */
  readonly change?: Settings | undefined;
  readonly policy?: PolicyOptions | undefined;
  /** Where the data is now, a reference or the data itself; where it was unless given. */
  readonly data?: string | Split<Source> | undefined;
  /** The data may be other data than before; the preprocessing stays that of the run. */
  readonly otherData?: boolean | undefined;
  readonly backend?: Backend | string | undefined;
  readonly device?: string | undefined;
};

const settingsOf = ({ folder, settings }: RunNote): Checked<RunSettings> =>
  settings === undefined
    ? left([
        problem(
          folder,
          'no run.json in it',
          'a run that says what it was trained on',
          'openRun opens it, and train trains it again from its spec.json',
        ),
      ])
    : right(settings);

const dataOf = async (
  settings: RunSettings,
  given: string | Split<Source> | undefined,
): Promise<Checked<Split<Source>>> => {
  if (given !== undefined && typeof given !== 'string') return right(given);
  const { reference, root } = settings.data;
  if (given !== undefined) return openData(given)();
  if (root === undefined)
    return left([problem('data', 'data that was given in memory', 'the data of the run', 'give it again')]);
  const opened = await openData(reference, root)();
  return isLeft(opened)
    ? left(
        opened.left.map((one) => ({
          ...one,
          hint: one.hint ?? 'where the data has moved, give its new place: --data PLACE',
        })),
      )
    : opened;
};

/** The same data as at the beginning, by its fingerprint. */
const sameData = async (
  split: Split<Source>,
  experiment: Experiment,
  { data: { fingerprint, reference }, heldOut }: RunSettings,
): Promise<readonly Problem[]> => {
  const { batch, validation } = experiment;
  const held = withHeldOut(split, heldOut, { validates: validation.every > 0, batch });
  if (isLeft(held)) return held.left;
  const found = await fingerprintFor(held.right.split);
  if (isLeft(found)) return found.left;
  return found.right === fingerprint
    ? []
    : [
        problem(
          'data',
          `other examples than those that the run was trained on (${found.right.slice(0, 12)}…)`,
          `${reference} as it was (${fingerprint.slice(0, 12)}…)`,
          'to go on with other data, ask for it: --other-data',
        ),
      ];
};

/** The specification with what is changed, and with the steps that it goes on to. */
const changed = (
  { experiment }: RunNote,
  taken: number,
  { change = {}, steps }: Pick<ResumeOptions, 'change' | 'steps'>,
): Checked<Experiment> => {
  const set = setValues(experiment, change);
  if (isLeft(set)) return set;
  const { validation } = set.right;
  // The interval of validations stays what it was, unlike where the steps of a new run are set.
  const whole = steps === undefined ? set.right : { ...set.right, steps: taken + steps, validation };
  return whole.steps > taken
    ? right(whole)
    : left([
        problem(
          'steps',
          `${taken} of ${whole.steps} steps taken`,
          'steps that are left to take',
          'say how many more: --steps N',
        ),
      ]);
};

/** Goes on with the run of a folder; its record is cut back to the checkpoint first. */
export const resume = async <Found = undefined>(
  folder: string,
  options: ResumeOptions<Found> = {},
): Promise<Checked<Trained<Found>>> => {
  const note = readRun(folder);
  if (isLeft(note)) return note;
  const settings = settingsOf(note.right);
  if (isLeft(settings)) return settings;
  const checkpoint = checkpointAt(note.right, 'last');
  if (isLeft(checkpoint)) return checkpoint;
  const experiment = changed(note.right, checkpoint.right.state.step, options);
  if (isLeft(experiment)) return experiment;
  const data = await dataOf(settings.right, options.data);
  if (isLeft(data)) return data;
  const wrong =
    options.otherData === true ? [] : await sameData(data.right, note.right.experiment, settings.right);
  if (wrong.length > 0) return left(wrong);
  const { backend: asked = settings.right.backend, device = settings.right.device } = options;
  const { onEvent, onStart, signal, measure } = options;
  return trainRun(experiment.right, {
    data: { ...data.right, ...preprocessedAs(note.right) },
    backend:
      typeof asked === 'string'
        ? ({ step }) => startBackend(asked, { device, threads: threadsFor(step) })
        : asked,
    heldOut: settings.right.heldOut,
    metrics: options.metrics ?? note.right.metrics,
    policy: { ...settings.right.policy, ...options.policy },
    from: { checkpoint: checkpoint.right, folder, settings: settings.right },
    onEvent,
    onStart,
    signal,
    measure,
  });
};

const preprocessedAs = ({ preprocessing }: RunNote): Partial<Split<Source>> =>
  preprocessing === undefined ? {} : { preprocessing };
