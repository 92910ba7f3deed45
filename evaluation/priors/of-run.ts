/**
 * The priors of a run: fitted to the codes that it has kept. One that is trained is kept in the run's folder, under the digest of those codes, and read again from
 * there: the run of other weights has others.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Either, isLeft, left } from 'fp-ts/lib/Either.js';
import { type Problem, problem, sizeOf } from '../../dsl/index.js';
import { folderWithin, tidied } from '../../backends/places.js';
import { type OpenedRun, readRun } from '../../runs/index.js';
import { fitPrior, priorKinds } from './kinds.js';
import { type PriorName, priorNames } from './prior-name.js';
import type { FittedPrior } from './prior.js';

type Checked<A> = Either<readonly Problem[], A>;

type CodedRun = Pick<OpenedRun, 'backend' | 'experiment' | 'kept'> & {
  readonly note: Pick<OpenedRun['note'], 'folder'>;
};

const FOLDER = 'priors';

/** `priors/flow-0123456789ab`, the digits those of the codes. */
const placeOf = (name: PriorName, codes: Float32Array): string => {
  const bytes = new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
  return `${name}-${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`;
};

/** Whether the training of a prior in a folder came to its end. */
const isFinished = (folder: string): boolean => {
  const note = readRun(folder);
  return !isLeft(note) && note.right.settings?.finished !== undefined;
};

/** A trained prior from the run's folder, or trained there now; where nothing can be written it is not kept. */
const trainedPrior = async (
  run: CodedRun,
  name: PriorName,
  codes: Float32Array,
  d: number,
  onStart: () => void,
): Promise<Checked<FittedPrior>> => {
  const { backend } = run;
  const place = placeOf(name, codes);
  const folder = join(run.note.folder, FOLDER, place);
  if (isFinished(folder)) return priorKinds[name].open(folder, { backend });
  onStart();
  const above = folderWithin(run.note.folder, FOLDER);
  if (isLeft(above)) return fitPrior(name, codes, d, { backend });
  // One whose training was ended is begun again.
  tidied(folder);
  return fitPrior(name, codes, d, { backend, folder });
};

/** `onStart` is called where training begins. */
export const priorOfRun = async (
  run: CodedRun,
  name: PriorName,
  onStart: () => void = () => undefined,
): Promise<Checked<FittedPrior>> => {
  const d = sizeOf(run.experiment.decoder.input);
  const codes = run.kept.codes.data;
  const { backend } = run;
  if (name === 'standard') return fitPrior(name, codes, d, { backend });
  if (codes.length === 0)
    return left([
      problem(
        '--prior',
        `${name}, and no codes in ${run.note.folder}`,
        'a run that ended, or --prior standard',
      ),
    ]);
  return priorKinds[name].isTrained
    ? trainedPrior(run, name, codes, d, onStart)
    : fitPrior(name, codes, d, { backend });
};

/** The folder of the trained prior of a run, whose encoder, decoder and density are those between noise and codes; undefined for a formula. */
export const trainedFolderOf = (run: CodedRun, name: PriorName): string | undefined =>
  priorKinds[name].isTrained ? join(run.note.folder, FOLDER, placeOf(name, run.kept.codes.data)) : undefined;

/** The trained priors that a run has now. */
export const trainedPriorsOf = (run: CodedRun): readonly PriorName[] =>
  priorNames.filter((name) => {
    const folder = trainedFolderOf(run, name);
    return folder !== undefined && isFinished(folder);
  });
