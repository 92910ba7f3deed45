/** Going on with a run: from its last checkpoint, in its folder, with another rate or weight if that is asked for. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { openData, type Source, type Split } from '../../data/index.js';
import {
  encodeExperiment,
  type Experiment,
  namesOf,
  optionProblems,
  type Problem,
  problem,
  type Settings,
  setValues,
} from '../../dsl/index.js';
import type { Backend } from '../../backends/backend.js';
import { unjudged } from './checkpoint.js';
import { fingerprintFor } from './same-data.js';
import { withHeldOut } from './hold-out.js';
import { checkpointAt, hasWeights, readRun, type RunNote } from './run-folder.js';
import { progressOf } from './prepare.js';
import type { From } from './place.js';
import { autoFrom } from './succession.js';
import type { PolicyOptions, RunSettings } from './settings.js';
import { type Trained, trainRun, type TrainOptions } from './train.js';

type Checked<A> = Either<readonly Problem[], A>;

export type ResumeOptions<Found = undefined> = Pick<
  TrainOptions<Found>,
  'onEvent' | 'onStart' | 'signal' | 'measure' | 'metrics' | 'onProgress'
> & {
  /** So many steps more than were taken; without it the run goes on to its own end. */
  readonly steps?: number | undefined;
  /** New values in the specification, as `--set` has them: `{ 'optimizer.rate': 1e-4 }`. */
  readonly change?: Settings | undefined;
  readonly policy?: PolicyOptions | undefined;
  /** Where the data is now, a reference or the data itself; where it was unless given. */
  readonly data?: string | Split<Source> | undefined;
  /** The data may be other data than before: it becomes examples by the preprocessing of the run, and is parted as new data is. */
  readonly otherData?: boolean | undefined;
  readonly backend?: Backend | string | undefined;
  readonly device?: string | undefined;
};

const names = namesOf<ResumeOptions<unknown>>({
  onEvent: true,
  onStart: true,
  signal: true,
  measure: true,
  metrics: true,
  onProgress: true,
  steps: true,
  change: true,
  policy: true,
  data: true,
  otherData: true,
  backend: true,
  device: true,
});

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

/** The data as it was parted before; other data becomes examples by the preprocessing of the run, and is parted as new data is. */
const dataOf = async (
  { settings, preprocessing }: RunNote & { readonly settings: RunSettings },
  options: Pick<ResumeOptions, 'data' | 'otherData' | 'onProgress'>,
): Promise<Checked<Split<Source>>> => {
  const { data: given, otherData = false } = options;
  if (given !== undefined && typeof given !== 'string') return right(given);
  const { reference, root } = settings.data;
  const fitted = {
    ...progressOf(options),
    ...((otherData || settings.data.fitted) && preprocessing !== undefined
      ? { preprocessing, holdOut: true }
      : {}),
  };
  if (given !== undefined) return openData(given, process.cwd(), fitted)();
  if (root === undefined)
    return left([problem('data', 'data that was given in memory', 'the data of the run', 'give it again')]);
  const opened = await openData(reference, root, fitted)();
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

/** The specification with what is changed, the place of its data, and the steps that it goes on to. */
const changed = (
  { experiment }: RunNote,
  { taken, isOver }: { readonly taken: number; readonly isOver: boolean },
  { change = {}, steps, data }: Pick<ResumeOptions, 'change' | 'steps' | 'data'>,
): Checked<Experiment> => {
  const set = setValues(experiment, change);
  if (isLeft(set)) return set;
  const { validation } = set.right;
  // The interval of validations stays what it was, unlike where the steps of a new run are set.
  const longer = steps === undefined ? set.right : { ...set.right, steps: taken + steps, validation };
  const whole = typeof data === 'string' ? { ...longer, data } : longer;
  return whole.steps > taken || isOver
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

/** Where the data is now, for a run that goes on from here another time; undefined where it is what it was, where it was. */
const movedTo = (
  { data: before }: RunSettings,
  split: Split<Source>,
  { data: given, otherData = false }: Pick<ResumeOptions, 'data' | 'otherData'>,
): From['data'] => {
  const fitted = before.fitted || otherData;
  if (given === undefined) return fitted === before.fitted ? undefined : { ...before, fitted };
  if (typeof given === 'string') return { reference: given, root: process.cwd(), fitted };
  return otherData ? { reference: split.train.name, root: undefined, fitted } : undefined;
};

/** Whether two specifications, of networks of the same shapes, measure the same. */
const sameObjective = (before: Experiment, after: Experiment): boolean => {
  const { optimizer, batch, steps, data, validation } = before;
  const both = [before, { ...after, optimizer, batch, steps, data, validation }].map(encodeExperiment);
  const [one, other] = both.map((json) => (isLeft(json) ? json.left : json.right));
  return JSON.stringify(one) === JSON.stringify(other);
};

/** Goes on with the run of a folder; its record is cut back to the checkpoint first. */
export const resume = async <Found = undefined>(
  folder: string,
  options: ResumeOptions<Found> = {},
): Promise<Checked<Trained<Found>>> => {
  const unknown = optionProblems('resume', options, names);
  if (unknown.length > 0) return left(unknown);
  const note = readRun(folder);
  if (isLeft(note)) return note;
  const settings = settingsOf(note.right);
  if (isLeft(settings)) return settings;
  const found = hasWeights(note.right) ? checkpointAt(note.right, 'last') : right(undefined);
  if (isLeft(found)) return found;
  const checkpoint = found.right;
  const taken = checkpoint?.state.step ?? 0;
  const isOver =
    checkpoint !== undefined &&
    settings.right.finished === undefined &&
    (checkpoint.loop.ended || taken >= note.right.experiment.steps) &&
    options.steps === undefined &&
    Object.keys(options.change ?? {}).length === 0;
  const experiment = changed(note.right, { taken, isOver }, options);
  if (isLeft(experiment)) return experiment;
  const data = await dataOf({ ...note.right, settings: settings.right }, options);
  if (isLeft(data)) return data;
  const wrong =
    options.otherData === true ? [] : await sameData(data.right, note.right.experiment, settings.right);
  if (wrong.length > 0) return left(wrong);
  const { onEvent, onStart, signal, measure, device = settings.right.device } = options;
  const isComparable = options.otherData !== true && sameObjective(note.right.experiment, experiment.right);
  const from = checkpoint && (isComparable ? checkpoint : { ...checkpoint, loop: unjudged(checkpoint.loop) });
  return trainRun(experiment.right, {
    data: data.right,
    backend:
      options.backend ??
      (settings.right.asked === 'auto' ? autoFrom(settings.right.backend, device) : settings.right.backend),
    device,
    heldOut: settings.right.heldOut,
    metrics: options.metrics ?? note.right.metrics,
    policy: { ...settings.right.policy, ...options.policy },
    seed: settings.right.seed,
    from: {
      checkpoint: from,
      data: movedTo(settings.right, data.right, options),
      isOver,
      folder,
      settings: settings.right,
    },
    onEvent,
    onStart,
    onProgress: options.onProgress,
    signal,
    measure,
  });
};
