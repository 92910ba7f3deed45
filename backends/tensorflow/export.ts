/** Exports of a trained program for other runtimes: a TensorFlow SavedModel and a tfjs GraphModel, from one lowering. */
import { mkdtemp, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { errorText, type Problem, problem } from '../../dsl/problem.js';
import { makeFolder, tidied } from '../places.js';
import { lowerFrozen } from './lower/lower-graph.js';
import type { Program } from '../../compiler/ir/program.js';
import { encodeGraphModel } from './export-graph-model.js';
import { encodeSavedModel } from './saved-model-file.js';

type Files = ReadonlyMap<string, Uint8Array | string>;

type Weights = ReadonlyMap<string, Float32Array>;

/** The one signature that TF Serving and `tf.saved_model.load` look for. */
const servingSignature = 'serving_default';

/** For each format the files of a program. */
const formats = {
  'saved-model': (program: Program, weights: Weights): Files =>
    new Map([['saved_model.pb', encodeSavedModel(lowerFrozen(program, weights, servingSignature))]]),
  'graph-model': (program: Program, weights: Weights): Files => {
    const { json, weights: bytes } = encodeGraphModel(
      lowerFrozen(program, weights, servingSignature),
      'weights.bin',
    );
    return new Map<string, Uint8Array | string>([
      ['model.json', json],
      ['weights.bin', bytes],
    ]);
  },
};

export type ExportFormat = keyof typeof formats;

export const exportFormats: readonly ExportFormat[] = ['saved-model', 'graph-model'];

/** Writes into a folder beside `folder`, then puts it in its place: whole or not at all. An existing folder is a problem. */
export const exportProgram = async (
  program: Program,
  weights: Weights,
  format: ExportFormat,
  folder: string,
): Promise<Either<readonly Problem[], string>> => {
  const parent = makeFolder(dirname(folder));
  if (isLeft(parent)) return parent;
  let partial: string | undefined;
  try {
    partial = await mkdtemp(`${folder}.partial-`);
    for (const [name, content] of formats[format](program, weights))
      await writeFile(join(partial, name), content);
    await rename(partial, folder);
    return right(folder);
  } catch (error) {
    if (partial !== undefined) tidied(partial);
    return left([problem(folder, errorText(error), 'a new folder that can be written')]);
  }
};
