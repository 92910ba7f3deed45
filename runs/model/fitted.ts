/** The functions of a model over the session that holds its weights. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Compiled, Program } from '../../compiler/index.js';
import type { Preprocessing, Row, Source } from '../../data/index.js';
import { type Node, optionProblems, type Problem, problem, sizeOf } from '../../dsl/index.js';
import { fillDraw } from '../../backends/draws.js';
import { BackendFailure } from '../../backends/failure.js';
import { firstExamples } from './batched-evaluation.js';
import { type DoubleRows, doubleRows, doublesOf } from './doubles.js';
import { evaluateExpressions } from './expressions.js';
import { fieldsOfProgram, type FieldsGiven, type FieldValues, givenFields } from './fields.js';
import { logVolumes } from './log-volume.js';
import type {
  FieldsOption,
  Fitted,
  LogProb,
  LogProbOptions,
  Model,
  ModelInput,
  Precision,
  PriorOverCodes,
  SampleOptions,
  Units,
  UnitsOption,
} from './model.js';
import { noDensity, type Session } from './session.js';
import { examplesOf, inDataUnits, unitLengths, unitsOf } from './units.js';

const standardNormal =
  (d: number) =>
  (count: number, seed: number): Float32Array => {
    const codes = new Float32Array(count * d);
    fillDraw('normal', { examples: count, probes: 1, size: d }, { seed, name: 'sample', step: 0 }, codes);
    return codes;
  };

/** ln p of N(0, I), −½ Σ z² − ½ d ln 2π. */
const standardLogDensity =
  (d: number) =>
  (codes: Float32Array | Float64Array): Float64Array =>
    Float64Array.from({ length: codes.length / d }, (_, row) => {
      let sum = -(d / 2) * Math.log(2 * Math.PI);
      for (let i = 0; i < d; i++) sum -= (codes[row * d + i] ?? 0) ** 2 / 2;
      return sum;
    });

/** A fitted flow over codes as a prior of another model. */
export const flowPrior = (flow: Pick<Fitted, 'sample' | 'logProb'>): PriorOverCodes => ({
  sample: (count, seed) => flow.sample(count, { seed }),
  logDensity: async (codes) => (await flow.logProb(codes)).logDensity,
});

const failure = (problems: readonly Problem[]): BackendFailure =>
  new BackendFailure(problems[0] ?? problem('model', 'nothing', 'a value'));

/** Types are not there for every caller. */
const checkOptions = (call: string, options: object, known: readonly string[]): void => {
  const wrong = optionProblems(call, options, known);
  if (wrong.length > 0) throw failure(wrong);
};

/** What a program is told of each row; nothing where it reads no field. */
const fieldsFor = (program: Program, count: number, given: FieldsGiven | undefined): FieldValues => {
  if (given === undefined && fieldsOfProgram(program).size === 0) return new Map();
  const found = givenFields(program, count, given ?? {});
  if (isLeft(found)) throw failure(found.left);
  return found.right;
};

/** What a data set knows of its examples of what a program reads. */
const ownFields = (input: ModelInput, program: Program): FieldsGiven => {
  if (Array.isArray(input) || !('fields' in input)) return {};
  const { fields = {} } = input;
  return Object.fromEntries(
    [...fieldsOfProgram(program).keys()].flatMap((name) => {
      const field = fields[name];
      return field === undefined ? [] : [[name, field.values] as const];
    }),
  );
};

/** ‖S(x − y)‖ row by row. */
const distances = (
  x: Float32Array | Float64Array,
  y: Float32Array | Float64Array,
  size: number,
  by: Float64Array | undefined,
): Float64Array =>
  Float64Array.from({ length: x.length / size }, (_, row) => {
    let square = 0;
    for (let i = 0; i < size; i++)
      square += (((x[row * size + i] ?? 0) - (y[row * size + i] ?? 0)) * (by?.[i] ?? 1)) ** 2;
    return Math.sqrt(square);
  });

export const fittedOf = (
  compiled: Compiled,
  session: Session,
  preprocessing: Preprocessing | undefined,
): Fitted => {
  const { experiment } = compiled;
  const { encoder, decoder } = experiment;
  const shape = encoder.input;
  const d = sizeOf(decoder.input);
  const model: Model = {
    experiment,
    // Another one after the first has failed.
    get backend() {
      return session.backend();
    },
    state: session.state,
  };

  const examples = (input: ModelInput, units: Units | undefined, of = shape): Float32Array | Source =>
    examplesOf(input, { units: unitsOf(input, units), preprocessing, shape: of });

  const arrays = async (input: ModelInput, units: Units | undefined, of = shape): Promise<Float32Array> => {
    const found = examples(input, units, of);
    return found instanceof Float32Array ? found : (await firstExamples(found, found.size)).examples;
  };

  const doubles = doublesOf(compiled, session.state);

  /** Doubles as they are, all else as training saw it. */
  const wide = (input: ModelInput, units: Units | undefined): Promise<DoubleRows> =>
    doubleRows(
      input instanceof Float64Array && unitsOf(input, units) === 'model' ? input : examples(input, units),
      sizeOf(shape),
    );

  async function encode(
    input: ModelInput,
    options?: UnitsOption & FieldsOption & { readonly precision?: 'single' },
  ): Promise<Float32Array>;
  async function encode(
    input: ModelInput,
    options: UnitsOption & { readonly precision: 'double' },
  ): Promise<Float64Array>;
  async function encode(
    input: ModelInput,
    options: UnitsOption & FieldsOption & { readonly precision?: Precision } = {},
  ): Promise<Float32Array | Float64Array> {
    checkOptions('encode', options, ['units', 'precision', 'fields']);
    const { units, precision = 'single', fields } = options;
    if (precision === 'double') return doubles.encode(await wide(input, units));
    const found = examples(input, units);
    return found instanceof Float32Array
      ? session.encode(found, fieldsFor(compiled.encode, found.length / sizeOf(shape), fields))
      : session.encode(found);
  }

  async function decode(
    codes: Float32Array,
    options?: FieldsOption & { readonly units?: 'model' },
  ): Promise<Float32Array>;
  async function decode(
    codes: Float32Array,
    options: FieldsOption & { readonly units: 'data' },
  ): Promise<Float64Array>;
  async function decode(
    codes: Float32Array,
    options: FieldsOption & { readonly units?: Units } = {},
  ): Promise<Float32Array | Float64Array> {
    checkOptions('decode', options, ['units', 'fields']);
    const { units = 'model', fields } = options;
    const decoded = await session.decode(codes, fieldsFor(compiled.decode, codes.length / d, fields));
    return units === 'model' ? decoded : inDataUnits(decoded, preprocessing, shape);
  }

  async function reconstruct(
    input: Float32Array | Float64Array | Source,
    options?: { readonly units?: 'model' },
  ): Promise<Float32Array>;
  async function reconstruct(input: readonly Row[]): Promise<Float64Array>;
  async function reconstruct(input: ModelInput, options: { readonly units: 'data' }): Promise<Float64Array>;
  async function reconstruct(
    input: ModelInput,
    options: { readonly units?: Units } = {},
  ): Promise<Float32Array | Float64Array> {
    checkOptions('reconstruct', options, ['units']);
    const { units } = options;
    const codes = await encode(input, units === undefined ? {} : { units });
    const fields = ownFields(input, compiled.decode);
    if (Object.keys(fields).length > 0)
      return unitsOf(input, units) === 'data'
        ? decode(codes, { units: 'data', fields })
        : decode(codes, { fields });
    return unitsOf(input, units) === 'data' ? decode(codes, { units: 'data' }) : decode(codes);
  }

  async function sample(
    count: number,
    options?: SampleOptions & { readonly units?: 'model' },
  ): Promise<Float32Array>;
  async function sample(
    count: number,
    options: SampleOptions & { readonly units: 'data' },
  ): Promise<Float64Array>;
  async function sample(
    count: number,
    options: SampleOptions & { readonly units?: Units } = {},
  ): Promise<Float32Array | Float64Array> {
    checkOptions('sample', options, ['seed', 'prior', 'units', 'fields']);
    const { seed = 0, prior = standardNormal(d), units = 'model', fields = {} } = options;
    const codes = await prior(count, seed);
    return units === 'data' ? decode(codes, { units, fields }) : decode(codes, { fields });
  }

  const logProbInSingle = async (
    input: ModelInput,
    { units: asked, prior }: LogProbOptions,
  ): Promise<LogProb> => {
    const units = unitsOf(input, asked);
    const x = await arrays(input, asked);
    const own = prior === undefined ? session.logProb : undefined;
    if (own !== undefined && units === 'model') return own(x);
    const codes = await session.encode(x);
    const by = units === 'data' ? unitLengths(preprocessing, shape) : undefined;
    const [plain, scaled] = await logVolumes(model, codes, [undefined, by]);
    const along = own === undefined ? await (prior?.logDensity ?? standardLogDensity(d))(codes) : undefined;
    const density = await own?.(x);
    const logDensity = Float32Array.from({ length: codes.length / d }, (_, row) => {
      const [volume = NaN, wider = NaN] = [plain?.[row], scaled?.[row]];
      const base = density?.logDensity[row] ?? (along?.[row] ?? NaN) - volume;
      // A decoder without full rank has no volume: ln p is not +∞ there, but no number.
      return Number.isFinite(volume) ? base - (wider - volume) : NaN;
    });
    const without = logDensity.filter(Number.isNaN).length;
    if (without > 0) throw new BackendFailure(noDensity(logDensity, without));
    return {
      logDensity,
      distance: Float32Array.from(distances(x, await session.decode(codes), sizeOf(shape), by)),
    };
  };

  const logProbInDouble = async (
    input: ModelInput,
    { units: asked, prior }: LogProbOptions,
  ): Promise<LogProb<Float64Array>> => {
    const units = unitsOf(input, asked);
    const x = await wide(input, asked);
    const own = prior === undefined ? await doubles.density?.(x) : undefined;
    const by = units === 'data' ? unitLengths(preprocessing, shape) : undefined;
    const codes = await doubles.encode(x);
    const volumes =
      by === undefined && own !== undefined ? undefined : await doubles.logVolumes(codes, undefined);
    const wider = by === undefined ? volumes : await doubles.logVolumes(codes, by);
    const along = own === undefined ? await (prior?.logDensity ?? standardLogDensity(d))(codes) : undefined;
    const logDensity = Float64Array.from({ length: codes.length / d }, (_, row) => {
      const [volume, scaled] = [volumes?.[row] ?? 0, wider?.[row] ?? 0];
      const base = own?.[0][row] ?? (along?.[row] ?? NaN) - volume;
      return Number.isFinite(volume) ? base - (scaled - volume) : NaN;
    });
    const without = logDensity.filter(Number.isNaN).length;
    if (without > 0) throw new BackendFailure(noDensity(logDensity, without));
    const distance =
      own !== undefined && by === undefined
        ? own[1]
        : distances(x.values, await doubles.decode(codes), sizeOf(shape), by);
    return { logDensity, distance };
  };

  async function logProb(
    input: ModelInput,
    options?: LogProbOptions & { readonly precision?: 'single' },
  ): Promise<LogProb>;
  async function logProb(
    input: ModelInput,
    options: LogProbOptions & { readonly precision: 'double' },
  ): Promise<LogProb<Float64Array>>;
  async function logProb(
    input: ModelInput,
    given: LogProbOptions & { readonly precision?: Precision } = {},
  ): Promise<LogProb<Float32Array | Float64Array>> {
    checkOptions('logProb', given, ['units', 'prior', 'precision']);
    const { precision = 'single', ...options } = given;
    return precision === 'double' ? logProbInDouble(input, options) : logProbInSingle(input, options);
  }

  const values = async <Name extends string>(
    expressions: Readonly<Record<Name, Node>>,
    input: ModelInput,
    { units }: { readonly units?: Units } = {},
  ) => {
    const found = await evaluateExpressions(model, expressions, {
      shape,
      examples: await arrays(input, units),
    });
    if (isLeft(found)) throw failure(found.left);
    return found.right;
  };

  return {
    experiment,
    get backend() {
      return session.backend();
    },
    state: session.state,
    compiled,
    preprocessing,
    encode,
    decode,
    reconstruct,
    sample,
    logProb,
    evaluate: async (source, { precision = 'single' } = {}) =>
      precision === 'double'
        ? doubles.evaluate(await doubleRows(source, sizeOf(source.shape)))
        : session.evaluate(source),
    values,
    dispose: session.dispose,
  };
};
