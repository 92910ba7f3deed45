/**
 * What opens a file, with small files that are right. To try another format, add a row: whoever opens it answers with what came out on
 * the right, checked to be right, or with problems on the left; anything thrown is a fault.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { zipSync } from 'fflate';
import { loadData, partsOf } from '../../data/index.js';
import { encodeExperiment } from '../../dsl/index.js';
import { sizeOf } from '../../dsl/shape.js';
import { evaluationCodec } from '../../evaluation/index.js';
import mlp from '../../examples/mlp.js';
import { decodeSweep, decodeTrial, trialCountProblems, trialsOf } from '../../runs/index.js';
import { loadSpec, readJson } from '../../runs/load-spec.js';
import { readCheckpoint } from '../../runs/run/checkpoint.js';
import { npy, parquet, png } from '../data/files.js';
import type { Checked, Corpus, Opener } from './opener.js';
import { openRunFolder, runFiles, weights } from './run-folder.js';

const file = (name: string, bytes: Uint8Array | string): Corpus[number] => ({
  name,
  bytes: Buffer.from(bytes),
});

/** Bytes that data may take: as much as a small machine has left. */
const MEMORY = 2 ** 28;

/** What was read is what it says it is. */
const isSound = (reference: string) => async (): Promise<Checked> => {
  const opened = await loadData(`${reference}`, '/', { memory: MEMORY })();
  if (isLeft(opened)) return opened;
  for (const { size, shape, examples, fields = {} } of partsOf(opened.right)) {
    if (examples.length !== size * sizeOf(shape)) throw new Error('examples of another size than they say');
    if (examples.some((value) => !Number.isFinite(value))) throw new Error('an example that is not finite');
    for (const [name, field] of Object.entries(fields))
      if (field.values.length !== size * sizeOf(field.shape))
        throw new Error(`a field ${name} of another size`);
  }
  return right(undefined);
};

const data = (corpus: () => Corpus, whole = false, settings = ''): Opener => ({
  corpus,
  open: (folder, name) => isSound((whole ? folder : join(folder, name)) + settings)(),
});

const values = Array.from({ length: 60 }, (_, i) => i / 7);
const table = `a,b,kind\n${Array.from({ length: 40 }, (_, i) => `${i / 3},${i},"k${i % 3}"`).join('\n')}\n`;
const picture = (value: number): Buffer => Buffer.from(png(6, 5, 3, (x, y, c) => (value + x * y * c) % 256));
const header = (sizes: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 + 4 * sizes.length);
  bytes.writeUInt32BE(0x800 + sizes.length, 0);
  sizes.forEach((size, i) => bytes.writeUInt32BE(size, 4 + 4 * i));
  return bytes;
};
const idx = Buffer.concat([header([12, 4, 3]), Buffer.alloc(144, 7)]);
const jpeg = readFileSync(fileURLToPath(new URL('./picture.jpg', import.meta.url)));

const json = (value: Either<unknown, unknown>): string => {
  if (isLeft(value)) throw new Error('an experiment that cannot be encoded');
  return JSON.stringify(value.right);
};
const spec = json(encodeExperiment(mlp));
const trial = `{"schemaVersion":1,"spec":${spec},"settings":{"eta":0.2},"seed":3}`;
const sweep = `{"schemaVersion":1,"spec":${spec},"grid":{"eta":[0.1,0.2]},"seeds":[0,1],"samples":2}`;

const decoded =
  (decode: (value: unknown) => Checked): Opener['open'] =>
  async (folder, name) => {
    const read = await readJson(join(folder, name), 'JSON');
    return isLeft(read) ? read : decode(read.right);
  };

/** Every opener by name. */
export const openers: Readonly<Record<string, Opener>> = {
  npy: data(() => [file('x.npy', npy('f8', [20, 3], values))]),
  'npy of bytes': data(
    () => [
      file(
        'x.npy',
        npy(
          'u1',
          [20, 3, 1],
          values.map((v) => Math.floor(v)),
        ),
      ),
    ],
    false,
    '?standardize',
  ),
  npz: data(() => [
    file(
      'x.npz',
      zipSync({
        'x_train.npy': npy('f4', [20, 3], values),
        'y_train.npy': npy('i8', [20], values.slice(0, 20).map(Math.floor)),
        'x_test.npy': npy('f4', [4, 3], values.slice(0, 12)),
      }),
    ),
  ]),
  csv: data(() => [file('x.csv', table)], false, '?labels=kind'),
  'csv of words': data(() => [file('x.csv', table)], false, '?categories=onehot&missing=mask&standardize'),
  'csv, packed': data(() => [file('x.csv.gz', gzipSync(table))], false, '?missing=drop&labels=kind'),
  'text of another encoding': data(
    () => [file('x.txt', Buffer.from(`\ufeff${table}`, 'utf16le'))],
    false,
    '?labels=3',
  ),
  parquet: data(() => [file('x.parquet', parquet)], false, '?missing=drop&labels=kind'),
  'table of spaces': data(() => [file('x', '# a b\n1.5 2\n3 4.5\n5 6\n7 8\n9 10\n11 12\n13 15\n')]),
  idx: data(() => [file('x-idx3-ubyte', idx)]),
  'idx, packed': data(() => [file('x-idx3-ubyte.gz', gzipSync(idx))]),
  mnist: data(
    () => [
      file('train-images-idx3-ubyte', idx),
      file('train-labels-idx1-ubyte', Buffer.concat([header([12]), Buffer.alloc(12, 1)])),
      file('t10k-images-idx3-ubyte.gz', gzipSync(idx)),
    ],
    true,
  ),
  cifar: data(
    () =>
      [...[1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`), 'test_batch.bin'].map((name) =>
        file(name, Buffer.alloc(2 * 3073, 3)),
      ),
    true,
  ),
  pictures: data(
    () => [
      ...[0, 1, 2, 3].map((i) => file(`train/cat/${i}.png`, picture(i))),
      file('train/dog/0.jpg', jpeg),
      file(
        'test/cat/0.png',
        encode({ width: 6, height: 5, channels: 4, depth: 16, data: new Uint16Array(120).fill(999) }),
      ),
    ],
    true,
    '?size=4',
  ),
  celeba: data(
    () => [
      file('list_eval_partition.txt', '1.png 0\n2.png 0\n3.png 2\n'),
      ...[1, 2, 3].map((i) => file(`img_align_celeba/${i}.png`, picture(i))),
    ],
    true,
    '?crop=4&size=4',
  ),
  spec: { corpus: () => [file('spec.json', spec)], open: (folder, name) => loadSpec(join(folder, name)) },
  trial: { corpus: () => [file('trial.json', trial)], open: decoded(decodeTrial(evaluationCodec)) },
  'run folder': { corpus: runFiles, open: openRunFolder },
  checkpoint: {
    corpus: () => [file('00000002.safetensors', weights())],
    open: (folder, name) => Promise.resolve(readCheckpoint(join(folder, name))),
  },
  sweep: {
    corpus: () => [file('sweep.json', sweep)],
    open: decoded((value) => {
      const found = decodeSweep(evaluationCodec)(value);
      if (isLeft(found)) return found;
      const { samples, grid, seeds } = found.right;
      const points = Object.values(grid).reduce((product, axis) => product * axis.length, 1);
      const tooMany = trialCountProblems('sweep', samples * points * seeds.length, found.right.spec);
      return tooMany.length > 0 ? left(tooMany) : right(trialsOf(found.right).length);
    }),
  },
};
