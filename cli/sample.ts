/** `immersion sample RUN -n N`: new examples by the model of a run, in the data's own units. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { invertRows, invertValues, plainPreprocessing } from '../data/index.js';
import { type Problem, problem, sizeOf } from '../dsl/index.js';
import { attempt } from '../backends/failure.js';
import { freeBytes } from '../backends/memory.js';
import { bytesText } from '../dsl/bytes.js';
import {
  type Arguments,
  assignments,
  naturalOption,
  type Option,
  readArguments,
  wantsJson,
} from './options/arguments.js';
import { priorOf, priorOption } from './options/code-priors.js';
import { fail, say } from './terminal/output.js';
import { type Rows, rowsOption, targetOf, writeRows } from './terminal/rows-file.js';
import { openedRun, openOptions, unitsOf, unitsOption } from './options/run-options.js';
import { usage } from './options/usage.js';
import type { FieldsGiven, OpenedRun } from '../runs/index.js';

const options: readonly Option[] = [
  { name: 'number', short: 'n', value: 'N', summary: 'how many (16)' },
  { name: 'seed', value: 'N', summary: 'seed of the codes (0)' },
  priorOption,
  {
    name: 'field',
    value: 'NAME=VALUE',
    summary:
      'what the decoder is told beside codes, such as label=3; several numbers with commas; repeatable',
  },
  unitsOption,
  rowsOption,
  ...openOptions,
];

const USUAL = 16;
/** Codes, examples, both units and the text of a row are held at once. */
const BYTES_A_NUMBER = 64;

/** What the decoder is told, by name; whether it asks for that the model says. */
const fieldsOf = (given: Arguments): Either<readonly Problem[], FieldsGiven> => {
  const pairs = assignments(given.all('field'), '--field');
  if (isLeft(pairs)) return pairs;
  const read = pairs.right.map(([name, text]) => [name, text.split(',').map(Number)] as const);
  const problems = read.flatMap(([name, values]) =>
    values.every(Number.isFinite)
      ? []
      : [problem(`--field ${name}`, JSON.stringify(Object.fromEntries(pairs.right)[name]), 'numbers')],
  );
  return problems.length > 0 ? left(problems) : right(Object.fromEntries(read));
};

/** How many, where this machine has memory for them. */
const countOf = (given: Arguments, { experiment }: OpenedRun): Either<readonly Problem[], number> => {
  const count = naturalOption(given, 'number', USUAL);
  if (isLeft(count)) return count;
  const bytes = count.right * sizeOf(experiment.encoder.input) * BYTES_A_NUMBER;
  return count.right > 0 && bytes <= freeBytes()
    ? count
    : left([
        problem(
          '--number',
          `${count.right}${count.right > 0 ? `, which takes ${bytesText(bytes)}` : ''}`,
          count.right > 0
            ? `at most ${bytesText(freeBytes())}, what is free on this machine`
            : 'a positive integer',
        ),
      ]);
};

/** Examples of the model as rows of a file, with what people and pictures need of them. */
export const exampleRows = (
  examples: Float32Array,
  { experiment, preprocessing }: Pick<OpenedRun, 'experiment' | 'preprocessing'>,
  units: 'data' | 'model',
): Rows => {
  const shape = experiment.encoder.input;
  const known = preprocessing ?? plainPreprocessing(shape);
  // Pixels are from 0 to 1 whatever the range that they were read in.
  const pixels = Float32Array.from(invertValues({ ...known, range: undefined }, examples));
  if (units === 'model') return { values: examples, shape, pixels };
  const values = invertValues(known, examples);
  const { columns } = known;
  return columns === undefined
    ? { values, shape, pixels }
    : {
        values,
        shape: [columns.length],
        names: columns.map(({ name }) => name),
        cells: invertRows(known, examples),
      };
};

export const sample = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['RUN']);
  if (isLeft(given)) return fail(given.left, json);
  const [folder = ''] = given.right.positionals;
  const seed = naturalOption(given.right, 'seed', 0);
  const units = unitsOf(given.right);
  const target = targetOf(given.right);
  const fields = fieldsOf(given.right);
  const early = [seed, units, target, fields].flatMap((one) => (isLeft(one) ? one.left : []));
  if (isLeft(seed) || isLeft(units) || isLeft(target) || isLeft(fields)) return fail(early, json);
  const run = await openedRun(given.right, folder);
  if (isLeft(run)) return fail(run.left, json);
  const model = run.right;
  try {
    const count = countOf(given.right, model);
    const prior = await priorOf(given.right, model);
    if (isLeft(count) || isLeft(prior))
      return fail(
        [count, prior].flatMap((one) => (isLeft(one) ? one.left : [])),
        json,
      );
    const examples = await attempt(() =>
      model.sample(count.right, { seed: seed.right, prior: prior.right.prior.sample, fields: fields.right }),
    );
    prior.right.prior.dispose();
    if (isLeft(examples)) return fail(examples.left, json);
    say(`codes are drawn from the prior ${prior.right.name}`);
    const written = writeRows(exampleRows(examples.right, model, units.right), target.right, json);
    return isLeft(written) ? fail(written.left, json) : 0;
  } finally {
    model.dispose();
  }
};

export const sampleUsage = usage(
  'sample RUN',
  "Draws new examples from the model of a run, in the data's own units and by the names of its columns.",
  options,
);
