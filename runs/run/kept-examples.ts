/**
 * What a run keeps of its data: the codes of training examples, so that a prior can be fitted to them later, and some test examples to look
 * at. With them a model is used and reported on where the data is gone.
 */
import { join } from 'node:path';
import { type Either, isLeft, map, right } from 'fp-ts/lib/Either.js';
import { spaced } from '../../data/dataset.js';
import { inMemory, type Source, type Split } from '../../data/index.js';
import { costOf } from '../../compiler/index.js';
import { type Problem, sizeOf } from '../../dsl/index.js';
import { encodeSafetensors, readSafetensors } from '../../backends/safetensors.js';
import type { Fitted } from '../model/model.js';
import type { Tensor } from '../model/state.js';
import { hasEntry, readRegular } from '../records/read-file.js';
import type { Keeper } from './keeper.js';
import { fileNames } from './run-folder.js';

type Checked<A> = Either<readonly Problem[], A>;

export type KeptExamples = {
  /** Of training examples at even distances, [n, d]. */
  readonly codes: Tensor;
  /** In the model's units, [n, …shape]; of training examples where there are no others. */
  readonly examples: Tensor;
};

const MOST_CODES = 10_000;
const MOST_EXAMPLES = 256;
/** A MiB of examples. */
const MOST_VALUES = 2 ** 18;
/** What encoding may cost: about a second. */
const MOST_FLOPS = 2e10;

/** Encodes and writes them; for a model whose encoder does not take examples whole there is nothing to keep. */
export const keepExamples = async (
  model: Fitted,
  { train, test }: Split<Source>,
  keeper: Keeper,
): Promise<Checked<void>> => {
  const { encode } = model.compiled;
  const width = sizeOf(train.shape);
  if (width !== sizeOf(model.experiment.encoder.input)) return right(undefined);
  const affordable = Math.floor((MOST_FLOPS * encode.batch) / Math.max(1, costOf(encode).flops));
  const coded = spaced(train, Math.min(MOST_CODES, affordable));
  const codes = coded.size === 0 ? new Float32Array() : await model.encode(coded);
  const most = Math.min(MOST_EXAMPLES, Math.max(1, Math.floor(MOST_VALUES / width)));
  const shown = await inMemory(spaced(test.size > 0 ? test : train, most))();
  if (isLeft(shown)) return shown;
  const arrays = new Map<string, Tensor>([
    ['codes', { shape: [coded.size, sizeOf(model.experiment.decoder.input)], data: codes }],
    ['examples', { shape: [shown.right.size, ...train.shape], data: shown.right.examples }],
  ]);
  return map(() => undefined)(keeper.write(fileNames.examples, encodeSafetensors(arrays)));
};

/** What a run kept; undefined where it was ended before it kept anything. */
export const readKeptExamples = (folder: string): Checked<KeptExamples | undefined> => {
  const path = join(folder, fileNames.examples);
  if (!hasEntry(path)) return right(undefined);
  const bytes = readRegular(path, 'examples that a run has kept');
  if (isLeft(bytes)) return bytes;
  return map(({ tensors }: { readonly tensors: ReadonlyMap<string, Tensor> }) => {
    const [codes, examples] = [tensors.get('codes'), tensors.get('examples')];
    return codes === undefined || examples === undefined ? undefined : { codes, examples };
  })(readSafetensors(path, bytes.right));
};
