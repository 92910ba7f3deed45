/** `immersion evaluate RUN`: the terms of its objective over data, the reconstruction, and ln p where the decoder has a density. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Dataset, inMemory, invertRows, type Source } from '../data/index.js';
import { type Problem, problem, sameShape, scheduledWeights, showProblem, showShape } from '../dsl/index.js';
import { attempt } from '../backends/failure.js';
import { type Evaluated, type LogProb, type OpenedRun, type Precision } from '../runs/index.js';
import { densityProblem } from '../runs/model/log-volume.js';
import { short } from '../runs/records/progress.js';
import { type Arguments, type Option, readArguments, wantsJson } from './options/arguments.js';
import { priorOf, priorOption } from './options/code-priors.js';
import { fail, printJson, printText, say } from './terminal/output.js';
import { type Target, targetOf, writeRows } from './terminal/rows-file.js';
import {
  newData,
  openedRun,
  openOptions,
  ownData,
  precisionOf,
  precisionOption,
  unitsOf,
  unitsOption,
} from './options/run-options.js';
import { aligned } from './terminal/width.js';
import { usage } from './options/usage.js';

const options: readonly Option[] = [
  {
    name: 'data',
    value: 'REF',
    summary: "what to look at (the run's own test examples, or those it has kept)",
  },
  { name: 'out', value: 'FILE', summary: 'ln p and distance of each example as .npy or .csv' },
  unitsOption,
  precisionOption,
  priorOption,
  ...openOptions,
];

type Checked<A> = Either<readonly Problem[], A>;

type Chosen = { readonly what: string; readonly set: Dataset };

const keptSet = ({ kept }: OpenedRun): Dataset | undefined =>
  kept === undefined
    ? undefined
    : {
        name: 'kept',
        shape: kept.examples.shape.slice(1),
        size: kept.examples.shape[0] ?? 0,
        examples: kept.examples.data,
      };

const brought = async (what: string, source: Source): Promise<Checked<Chosen>> => {
  const set = await inMemory(source)();
  return isLeft(set) ? set : right({ what, set: set.right });
};

/** The data that is asked for; or the run's own test examples, or where those are gone the ones that it has kept. */
const chosenSet = async (given: Arguments, run: OpenedRun): Promise<Checked<Chosen>> => {
  const reference = given.last('data');
  if (reference !== undefined) {
    const data = await newData(reference, run);
    return isLeft(data) ? data : brought(reference, data.right.train);
  }
  const own = await ownData(run.note);
  if (!isLeft(own)) {
    const { test, train } = own.right;
    return test.size > 0 ? brought('test examples', test) : brought('training examples', train);
  }
  const kept = keptSet(run);
  if (kept === undefined) return own;
  say(`${own.left.map(showProblem).join('; ')}: the examples that the run has kept are used`);
  return right({ what: 'examples that the run has kept', set: kept });
};

type Figures = {
  readonly evaluated: Evaluated;
  readonly density: LogProb<Float32Array | Float64Array> | undefined;
};

const figuresOf = async (
  given: Arguments,
  run: OpenedRun,
  set: Dataset,
  units: 'data' | 'model',
  precision: Precision,
): Promise<Checked<Figures>> => {
  const evaluated = await attempt(() => run.evaluate(set, { precision }));
  if (isLeft(evaluated)) return evaluated;
  const without = (problems: readonly Problem[]): Checked<Figures> => {
    // Who asks for ln p is not told of anything else instead.
    if (given.has('out') || given.has('prior')) return left(problems);
    say(`no density: ${problems.map(showProblem).join('; ')}`);
    return right({ evaluated: evaluated.right, density: undefined });
  };
  const { encoder, decoder } = run.experiment;
  const none = sameShape(set.shape, encoder.input)
    ? densityProblem(decoder, encoder.input)
    : problem(
        'data',
        `examples of shape ${showShape(set.shape)}`,
        `${showShape(encoder.input)}, the input of the encoder, for a density`,
      );
  if (none !== undefined) return without([none]);
  const prior = await priorOf(given, run);
  if (isLeft(prior)) return prior;
  const isOwn = run.experiment.logDensity !== undefined && !given.has('prior');
  const by = isOwn ? {} : { prior: { logDensity: prior.right.prior.logDensity } };
  const { preprocessing } = run;
  // Rows keep all digits of a column in double precision.
  const input =
    units === 'model' || preprocessing === undefined ? set.examples : invertRows(preprocessing, set.examples);
  const density = await attempt((): Promise<LogProb<Float32Array | Float64Array>> =>
    precision === 'double' ? run.logProb(input, { ...by, precision }) : run.logProb(input, by),
  );
  prior.right.prior.dispose();
  if (isLeft(density)) return without(density.left);
  return right({ evaluated: evaluated.right, density: density.right });
};

type Numbers = Float32Array | Float64Array;

const sumOf = (values: Numbers, of: (value: number) => number): number => {
  let sum = 0;
  for (const value of values) sum += of(value);
  return sum;
};

const mean = (values: Numbers): number => sumOf(values, (value) => value) / values.length;

const rootMeanSquare = (values: Numbers): number =>
  Math.sqrt(sumOf(values, (value) => value * value) / values.length);

const writeDensities = (density: LogProb<Numbers>, target: Target, json: boolean): Checked<void> => {
  const { logDensity, distance } = density;
  const at = (_: unknown, i: number): number => (i % 2 === 0 ? logDensity : distance)[i >> 1] ?? NaN;
  const length = 2 * logDensity.length;
  const values =
    logDensity instanceof Float64Array
      ? Float64Array.from({ length }, at)
      : Float32Array.from({ length }, at);
  return writeRows({ values, shape: [2], names: ['logDensity', 'distance'] }, target, json);
};

export const evaluate = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['RUN']);
  if (isLeft(given)) return fail(given.left, json);
  const [folder = ''] = given.right.positionals;
  const units = unitsOf(given.right);
  const target = targetOf(given.right);
  const precision = precisionOf(given.right);
  const early = [units, target, precision].flatMap((one) => (isLeft(one) ? one.left : []));
  if (isLeft(units) || isLeft(target) || isLeft(precision)) return fail(early, json);
  const run = await openedRun(given.right, folder);
  if (isLeft(run)) return fail(run.left, json);
  try {
    const chosen = await chosenSet(given.right, run.right);
    if (isLeft(chosen)) return fail(chosen.left, json);
    const { what, set } = chosen.right;
    const figures = await figuresOf(given.right, run.right, set, units.right, precision.right);
    if (isLeft(figures)) return fail(figures.left, json);
    const { evaluated, density } = figures.right;
    if (target.right !== undefined && density !== undefined) {
      const written = writeDensities(density, target.right, false);
      if (isLeft(written)) return fail(written.left, json);
    }
    const { step, loss, terms, metrics = {} } = evaluated;
    const likelihood =
      density === undefined
        ? undefined
        : { logDensity: mean(density.logDensity), distance: rootMeanSquare(density.distance) };
    if (json) {
      const own = { data: what, count: set.size, step, loss, terms, metrics };
      printJson({
        ok: true,
        ...own,
        units: units.right,
        precision: precision.right,
        density: likelihood ?? null,
      });
      return 0;
    }
    const weights = scheduledWeights(run.right.experiment.objective);
    const rows = [
      ...Object.entries(terms).map(([name, value]) => {
        const weight = weights.get(name)?.(step) ?? 1;
        return weight === 1 || weight === 0
          ? ([name, value] as const)
          : ([`${name} (× ${short(weight)})`, value / weight] as const);
      }),
      ...Object.entries({ loss, ...metrics }),
      ...(likelihood === undefined
        ? []
        : ([
            ['mean ln p', likelihood.logDensity],
            ['RMS distance from the manifold', likelihood.distance],
          ] as const)),
    ];
    printText(`${set.size} examples of ${what}, after ${step} steps`, 'strong');
    printText(
      aligned(
        rows.map(([name, value]) => [name, short(value)]),
        { isRight: (i) => i > 0 },
      ).join('\n'),
    );
    if (likelihood !== undefined)
      say(`ln p and distance are in the ${units.right === 'data' ? "data's own" : "model's"} units`);
    return 0;
  } finally {
    run.right.dispose();
  }
};

export const evaluateUsage = usage(
  'evaluate RUN',
  'Means of the objective over data by the model of a run, and ln p where the decoder has a density.',
  options,
);
