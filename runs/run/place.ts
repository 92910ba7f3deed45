/** The place of a run: a folder of its own, new or taken up again, or none. */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { Problem } from '../../dsl/index.js';
import { nameIn, type Ran, ranOn } from '../records/backends.js';
import { versions } from '../records/provenance.js';
import type { Found } from './checkpoint.js';
import { fingerprintFor } from './same-data.js';
import { createRunFolder, type Keeper, reopenRunFolder } from './keeper.js';
import type { Prepared } from './prepare.js';
import type { DataNote, RunSettings } from './settings.js';

type Checked<A> = Either<readonly Problem[], A>;

/** Where a run is kept. */
export type Keep = {
  /** Names the folder, and heads reports. */
  readonly name: string;
  /** The folder, new or empty; absent for a new one under `outputs/`. */
  readonly out?: string | undefined;
  /** What may be in the folder already. */
  readonly mayHold?: (entry: string) => boolean;
  /** The folder that the data's reference is relative to; absent for data that was given in memory. */
  readonly root?: string | undefined;
  readonly device?: string | undefined;
  /** What was held out of the data before it was given. */
  readonly heldOut?: number | undefined;
};

/** What a run goes on from. */
export type From = {
  readonly checkpoint: Found | undefined;
  readonly folder: string;
  readonly settings: RunSettings;
  /** It has taken all its steps, and was ended before what is done then. */
  readonly isOver?: boolean | undefined;
  /** Other data than before, or another place of it. */
  readonly data?: Pick<DataNote, 'reference' | 'root' | 'fitted'> | undefined;
};

/** Which steps were taken on which backend before a run goes on. */
export const ranBefore = ({ settings: { ran, backend } }: From): readonly Ran[] =>
  ran.length > 0 ? ran : [{ step: 0, backend }];

/** The data that is trained on. */
const noteOf = async (
  { data }: Prepared,
  { reference, root, fitted }: Pick<DataNote, 'reference' | 'root' | 'fitted'>,
): Promise<Checked<DataNote>> => {
  const found = await fingerprintFor(data);
  if (isLeft(found)) return found;
  const { train, validation, test } = data;
  const sizes = { train: train.size, validation: validation?.size ?? 0, test: test.size };
  return right({ reference, root, fitted, fingerprint: found.right, sizes });
};

const settingsOf = async (prepared: Prepared, keep: Keep): Promise<Checked<RunSettings>> => {
  const { experiment, backend, asked, policy, heldOut, seed } = prepared;
  const note = await noteOf(prepared, { reference: experiment.data, root: keep.root, fitted: false });
  if (isLeft(note)) return note;
  return right({
    name: keep.name,
    seed,
    heldOut: keep.heldOut ?? heldOut,
    backend: backend.name,
    asked,
    ran: ranOn([], 0, nameIn(backend)),
    device: keep.device ?? 'auto',
    data: note.right,
    policy,
    finished: undefined,
    started: new Date().toISOString(),
    versions: versions(),
  });
};

export type Place = { readonly folder: string; readonly keeper: Keeper };

export type PlaceOptions = {
  /** Leaves a run folder; without it nothing is written. */
  readonly keep?: Keep | undefined;
  /** Goes on in a folder, from a checkpoint or, where a run has none yet, from the beginning. */
  readonly from?: From | undefined;
};

/** The folder of a run, locked; undefined for one that is not kept. */
export const placeOf = async (
  prepared: Prepared,
  { keep, from }: PlaceOptions,
): Promise<Checked<Place | undefined>> => {
  const { experiment, data, policy, metrics } = prepared;
  const { preprocessing } = data;
  if (from !== undefined) {
    const note = from.data === undefined ? right(from.settings.data) : await noteOf(prepared, from.data);
    if (isLeft(note)) return note;
    const { backend, asked } = prepared;
    const taken = from.checkpoint?.state.step ?? 0;
    const settings = {
      ...from.settings,
      ...{ policy, asked, data: note.right, finished: undefined },
      backend: backend.name,
      ran: ranOn(ranBefore(from), taken, nameIn(backend)),
    };
    const beginning = { experiment, settings, preprocessing, metrics };
    const keeper = reopenRunFolder(from.folder, beginning, from.checkpoint);
    return isLeft(keeper) ? keeper : right({ folder: from.folder, keeper: keeper.right });
  }
  if (keep === undefined) return right(undefined);
  const settings = await settingsOf(prepared, keep);
  if (isLeft(settings)) return settings;
  const beginning = { experiment, settings: settings.right, preprocessing, metrics };
  const keeper = createRunFolder(beginning, keep.out, keep.mayHold);
  return isLeft(keeper) ? keeper : right({ folder: keeper.right.folder, keeper: keeper.right });
};
