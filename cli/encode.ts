/** `immersion encode RUN DATA`: the codes of data by the model of a run, a row for each example in the data's order. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { inMemory } from '../data/index.js';
import { sizeOf } from '../dsl/index.js';
import { attempt } from '../backends/failure.js';
import { type Option, readArguments, wantsJson } from './options/arguments.js';
import { fail } from './terminal/output.js';
import { rowsOption, targetOf, writeRows } from './terminal/rows-file.js';
import { newData, openedRun, openOptions, precisionOf, precisionOption } from './options/run-options.js';
import { usage } from './options/usage.js';

const options: readonly Option[] = [rowsOption, precisionOption, ...openOptions];

/** `z1`, `z2`, … */
export const codeNames = (d: number): readonly string[] => Array.from({ length: d }, (_, i) => `z${i + 1}`);

export const encode = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['RUN', 'DATA']);
  if (isLeft(given)) return fail(given.left, json);
  const [folder = '', reference = ''] = given.right.positionals;
  const target = targetOf(given.right);
  if (isLeft(target)) return fail(target.left, json);
  const precision = precisionOf(given.right);
  if (isLeft(precision)) return fail(precision.left, json);
  const run = await openedRun(given.right, folder);
  if (isLeft(run)) return fail(run.left, json);
  const model = run.right;
  try {
    const data = await newData(reference, model);
    if (isLeft(data)) return fail(data.left, json);
    const examples = await inMemory(data.right.train)();
    if (isLeft(examples)) return fail(examples.left, json);
    const codes = await attempt((): Promise<Float32Array | Float64Array> =>
      precision.right === 'double'
        ? model.encode(examples.right, { precision: precision.right })
        : model.encode(examples.right),
    );
    if (isLeft(codes)) return fail(codes.left, json);
    const { input } = model.experiment.decoder;
    const rows = { values: codes.right, shape: input, names: codeNames(sizeOf(input)) };
    const written = writeRows(rows, target.right, json);
    return isLeft(written) ? fail(written.left, json) : 0;
  } finally {
    model.dispose();
  }
};

export const encodeUsage = usage(
  'encode RUN DATA',
  'Encodes data by the model of a run: DATA is a reference as in train, with columns by the names that the run knows, made into examples as its own data was.',
  options,
);
