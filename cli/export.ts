/** `immersion export RUN`: the encoder and the decoder of a run, and its density, for TensorFlow, TF Serving and browsers. */
import { atLeast } from '../dsl/lookup.js';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { readBytes } from '../data/readers/file.js';
import { folderWithin, writableFolder } from '../backends/places.js';
import { type Compiled, compile, type Program } from '../compiler/index.js';
import { didYouMean, type Problem, problem, sameShape, showShape, sizeOf } from '../dsl/index.js';
import { exportFormats, exportProgram, type ExportFormat } from '../backends/tensorflow/export.js';
import { decodeSafetensors, type Tensor } from '../backends/safetensors.js';
import { fitPrior, type PriorName, trainedFolderOf } from '../evaluation/index.js';
import { namedPrior, priorNameOf } from './options/code-priors.js';
import { backendOptions, openedRun } from './options/run-options.js';
import { type Arguments, type Option, readArguments, wantsJson } from './options/arguments.js';
import { loadSpec } from '../runs/load-spec.js';
import { fail, printJson, say } from './terminal/output.js';
import { fileNames } from '../runs/run/run-folder.js';
import { usage } from './options/usage.js';

type Checked<A> = Either<readonly Problem[], A>;

const options: readonly Option[] = [
  { name: 'format', value: 'NAME', summary: `${exportFormats.join(' or ')} (both)` },
  { name: 'out', value: 'DIR', summary: 'where to (export/ in the run folder)' },
  {
    name: 'prior',
    value: 'NAME',
    summary:
      'a prior over codes too: of flow and matching the maps between noise and codes and the density, else prior.json',
  },
  ...backendOptions,
];

const isFormat = (name: string): name is ExportFormat => exportFormats.some((format) => format === name);

const formatsOf = (name: string | undefined): Checked<readonly ExportFormat[]> => {
  if (name === undefined) return right(exportFormats);
  if (isFormat(name)) return right([name]);
  const expected = `one of ${exportFormats.join(', ')}`;
  return left([problem('--format', JSON.stringify(name), expected, didYouMean(name, exportFormats))]);
};

const readWeights = async (path: string): Promise<Checked<ReadonlyMap<string, Tensor>>> => {
  const bytes = await readBytes(path, 'the weights of a run')();
  return isLeft(bytes) ? bytes : decodeSafetensors(path, bytes.right);
};

/** What an array holds that a trained model cannot. */
const notFinite = ({ data }: Tensor): string | undefined => {
  const at = data.findIndex((value) => !Number.isFinite(value));
  return at < 0 ? undefined : `${data[at]} as number ${at}`;
};

/** The weights a program needs, each of the shape it expects and finite. */
const weightsFor = (
  compiled: Compiled,
  programs: readonly Program[],
  tensors: ReadonlyMap<string, Tensor>,
  path: string,
): Checked<ReadonlyMap<string, Float32Array>> => {
  const state = new Set([...compiled.parameters, ...compiled.states].map(({ name }) => name));
  const needed = programs.flatMap((p) => p.binders).filter(({ name }) => state.has(name));
  const problems = needed.flatMap(({ name, var: { type } }) => {
    const tensor = tensors.get(name);
    const wrong =
      tensor === undefined
        ? 'nothing'
        : sameShape(tensor.shape, type.shape)
          ? notFinite(tensor)
          : showShape(tensor.shape);
    return wrong === undefined
      ? []
      : [problem(`${path}: ${name}`, wrong, `${showShape(type.shape)}, all finite`)];
  });
  return problems.length > 0
    ? left(problems)
    : right(
        new Map(
          needed.flatMap(({ name }) => [[name, tensors.get(name)?.data ?? new Float32Array()] as const]),
        ),
      );
};

/** What is written: programs, their weights, and what their folders' names begin with. */
type Exported = {
  readonly programs: readonly Program[];
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly prefix: string;
};

/** The encoder, the decoder and the density of the folder of a run. */
const exportedOf = async (run: string, prefix: string): Promise<Checked<Exported>> => {
  const spec = await loadSpec(join(run, fileNames.spec));
  if (isLeft(spec)) return spec;
  const compiled = compile(spec.right.experiment);
  if (isLeft(compiled)) return compiled;
  const path = join(run, fileNames.weights);
  const tensors = await readWeights(path);
  if (isLeft(tensors)) return tensors;
  const { encode, decode, density } = compiled.right;
  const programs = [encode, decode, ...(density === undefined ? [] : [density])];
  const weights = weightsFor(compiled.right, programs, tensors.right, path);
  return isLeft(weights) ? weights : right({ programs, weights: weights.right, prefix });
};

/** The prior of a run: a trained one as programs, which is trained now where it was not yet; of a formula its numbers, in a folder. */
const exportedPrior = async (
  given: Arguments,
  run: string,
  name: PriorName,
  out: string,
): Promise<Checked<Exported | string>> => {
  const opened = await openedRun(given, run);
  if (isLeft(opened)) return opened;
  try {
    const prior = await namedPrior(opened.right, name);
    if (isLeft(prior)) return prior;
    prior.right.prior.dispose();
    const trained = trainedFolderOf(opened.right, name);
    if (trained !== undefined) return exportedOf(trained, 'prior-');
    const folder = folderWithin(out, 'prior');
    const { kept, experiment, backend } = opened.right;
    const d = sizeOf(experiment.decoder.input);
    if (isLeft(folder)) return folder;
    const written = await fitPrior(name, kept.codes.data, d, { backend, folder: folder.right });
    return isLeft(written) ? written : right(folder.right);
  } finally {
    opened.right.dispose();
  }
};

export const exportRun = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['RUN']);
  if (isLeft(given)) return fail(given.left, json);
  const formats = formatsOf(given.right.last('format'));
  const name = priorNameOf(given.right);
  if (isLeft(formats)) return fail(formats.left, json);
  if (isLeft(name)) return fail(name.left, json);
  const [run] = atLeast(1, given.right.positionals);
  const model = await exportedOf(run, '');
  if (isLeft(model)) return fail(model.left, json);
  const asked = given.right.last('out');
  const out = asked === undefined ? folderWithin(run, 'export') : writableFolder(asked);
  if (isLeft(out)) return fail(out.left, json);
  const prior =
    name.right === undefined ? undefined : await exportedPrior(given.right, run, name.right, out.right);
  if (prior !== undefined && isLeft(prior)) return fail(prior.left, json);
  const written: string[] = typeof prior?.right === 'string' ? [prior.right] : [];
  const all = [model.right, ...(typeof prior?.right === 'object' ? [prior.right] : [])];
  for (const format of formats.right) {
    const place = folderWithin(out.right, format);
    if (isLeft(place)) return fail(place.left, json);
    for (const { programs, weights, prefix } of all)
      for (const program of programs) {
        const folder = join(place.right, `${prefix}${program.name}`);
        const result = await exportProgram(program, weights, format, folder);
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
