/** `immersion export RUN`: the encoder and the decoder of a run, and its density, for TensorFlow, TF Serving and browsers. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { tryCatch } from 'fp-ts/lib/TaskEither.js';
import { type Compiled, compile, type Program } from '../compiler/index.js';
import { didYouMean, type Problem, problem, sameShape, showShape } from '../dsl/index.js';
import { exportFormats, exportProgram, type ExportFormat } from '../backends/tensorflow/export.js';
import { decodeSafetensors, type Tensor } from '../backends/safetensors.js';
import { type Option, readArguments, wantsJson } from './arguments.js';
import { loadSpec } from '../runs/load-spec.js';
import { fail, printJson, say } from './output.js';
import { thrownAt } from '../dsl/problem.js';
import { fileNames } from '../runs/run-folder.js';
import { usage } from './usage.js';

type Checked<A> = Either<readonly Problem[], A>;

const options: readonly Option[] = [
  { name: 'format', value: 'NAME', summary: `${exportFormats.join(' or ')} (both)` },
  { name: 'out', value: 'DIR', summary: 'where to (export/ in the run folder)' },
];

const isFormat = (name: string): name is ExportFormat => exportFormats.some((format) => format === name);

const formatsOf = (name: string | undefined): Checked<readonly ExportFormat[]> => {
  if (name === undefined) return right(exportFormats);
  if (isFormat(name)) return right([name]);
  const expected = `one of ${exportFormats.join(', ')}`;
  return left([problem('--format', JSON.stringify(name), expected, didYouMean(name, exportFormats))]);
};

const readWeights = async (path: string): Promise<Checked<ReadonlyMap<string, Tensor>>> => {
  const bytes = await tryCatch(() => readFile(path), thrownAt(path, 'the weights of a run'))();
  return isLeft(bytes) ? bytes : decodeSafetensors(path, bytes.right);
};

/** The weights a program needs, each of the shape it expects. */
const weightsFor = (
  compiled: Compiled,
  programs: readonly Program[],
  tensors: ReadonlyMap<string, Tensor>,
  path: string,
): Checked<ReadonlyMap<string, Float32Array>> => {
  const state = new Set([...compiled.parameters, ...compiled.states].map(({ name }) => name));
  const needed = programs.flatMap((p) => p.binders).filter(({ name }) => state.has(name));
  const problems = needed.flatMap(({ name, var: { type } }) => {
    const found = tensors.get(name)?.shape;
    if (found !== undefined && sameShape(found, type.shape)) return [];
    return [
      problem(`${path}: ${name}`, found === undefined ? 'nothing' : showShape(found), showShape(type.shape)),
    ];
  });
  return problems.length > 0
    ? left(problems)
    : right(
        new Map(
          needed.flatMap(({ name }) => [[name, tensors.get(name)?.data ?? new Float32Array()] as const]),
        ),
      );
};

export const exportRun = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['RUN']);
  if (isLeft(given)) return fail(given.left, json);
  const formats = formatsOf(given.right.last('format'));
  if (isLeft(formats)) return fail(formats.left, json);
  const [run] = given.right.positionals;
  const spec = await loadSpec(join(run, fileNames.spec));
  if (isLeft(spec)) return fail(spec.left, json);
  const compiled = compile(spec.right.experiment);
  if (isLeft(compiled)) return fail(compiled.left, json);
  const path = join(run, fileNames.weights);
  const tensors = await readWeights(path);
  if (isLeft(tensors)) return fail(tensors.left, json);
  const { encode, decode, density } = compiled.right;
  const programs = [encode, decode, ...(density === undefined ? [] : [density])];
  const weights = weightsFor(compiled.right, programs, tensors.right, path);
  if (isLeft(weights)) return fail(weights.left, json);

  const out = given.right.last('out') ?? join(run, 'export');
  const written: string[] = [];
  for (const format of formats.right) {
    for (const program of programs) {
      const folder = join(out, format, program.name);
      const result = await exportProgram(program, weights.right, format, folder);
      if (isLeft(result)) return fail(result.left, json);
      written.push(result.right);
    }
  }
  if (json) printJson({ ok: true, exported: written });
  else written.forEach((folder) => say(`wrote ${folder}`));
  return 0;
};

export const exportUsage = usage(
  'export RUN',
  'Writes the encoder and the decoder of a run folder, and its density where it has one, as SavedModel (TensorFlow, TF Serving) and GraphModel (browsers).',
  options,
);
