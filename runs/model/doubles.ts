/**
 * A model in double precision, by the interpreter of programs on the host: single precision knows a volume whose Jacobian has condition κ to about κ·1e-7.
 * Weights are the singles that training left; numbers that are given as doubles are taken as they are, and all else as training saw it.
 */
import { isLeft } from 'fp-ts/lib/Either.js';
import {
  atBatch,
  type Compiled,
  compileExpressions,
  costOf,
  type DrawSpec,
  type Program,
} from '../../compiler/index.js';
import { inDoubles, interpret } from '../../compiler/ir/interpret.js';
import type { OutputKind } from '../../compiler/ir/program.js';
import type { Source } from '../../data/dataset.js';
import { basis, data, jvp, type Network, type Problem, problem, sizeOf } from '../../dsl/index.js';
import { BackendFailure } from '../../backends/failure.js';
import type { Evaluated, Terms } from '../records/events.js';
import { firstExamples } from './batched-evaluation.js';
import { feedOf } from './feed.js';
import { fieldsAt, type FieldValues } from './fields.js';
import { logVolumeOf } from './log-volume.js';
import type { TrainState } from './state.js';

/** What the interpreter does in some minutes. */
const MOST_FLOPS = 1e11;

/** Examples at once. */
const ROWS = 32;

/** Examples in the model's units, and what else is known of them. */
export type DoubleRows = { readonly values: Float64Array; readonly width: number; readonly fields?: Source };

/** Widened, in memory; of a set with its fields. */
export const doubleRows = async (
  input: Float32Array | Float64Array | Source,
  width: number,
): Promise<DoubleRows> => {
  if (input instanceof Float32Array || input instanceof Float64Array)
    return { values: Float64Array.from(input), width };
  const { examples } = await firstExamples(input, input.size);
  return { values: Float64Array.from(examples), width, fields: input };
};

/** More than the interpreter does in some minutes. */
const tooLarge = (program: Program, rows: number): Problem | undefined => {
  const { flops } = costOf(atBatch(program, 1));
  if (flops * rows <= MOST_FLOPS) return undefined;
  const affordable = Math.floor(MOST_FLOPS / flops);
  return problem(
    'precision',
    `"double" for ${rows} examples of ${flops.toPrecision(2)} FLOPs each (${program.name})`,
    `at most ${MOST_FLOPS.toPrecision(1)} FLOPs, since it is computed without a backend`,
    affordable === 0 ? 'use "single"' : `take ${affordable} examples, or use "single"`,
  );
};

export type Doubles = {
  readonly encode: (rows: DoubleRows) => Promise<Float64Array>;
  readonly decode: (codes: Float64Array) => Promise<Float64Array>;
  /** ln p and the distance, where the experiment has a density. */
  readonly density: ((rows: DoubleRows) => Promise<readonly [Float64Array, Float64Array]>) | undefined;
  /** ½ ln det (SJ)ᵀ(SJ) of the decoder at each code, S given by its diagonal; undefined for S = I. */
  readonly logVolumes: (codes: Float64Array, by: Float64Array | undefined) => Promise<Float64Array>;
  readonly evaluate: (rows: DoubleRows) => Promise<Evaluated>;
};

export const doublesOf = (compiled: Compiled, stateOf: () => Promise<TrainState>): Doubles => {
  const decoder: Network = compiled.experiment.decoder;
  const d = sizeOf(decoder.input);

  const run = async (
    program: Program,
    kind: OutputKind,
    { values, width, fields }: DoubleRows,
    specs: readonly DrawSpec[] = compiled.draws,
  ): Promise<ReadonlyMap<string, Float64Array>> => {
    const count = values.length / width;
    if (!Number.isInteger(count))
      throw new BackendFailure(
        problem(program.name, `${values.length} numbers`, `a multiple of ${width}, the size of one example`),
      );
    const large = tooLarge(program, count);
    if (large !== undefined) throw new BackendFailure(large);
    const state = await stateOf();
    const weights = [...state.arrays].map(([name, array]) => [name, Float64Array.from(array.data)] as const);
    const draws = new Map(specs.map((spec) => [spec.name, spec]));
    const joined = new Map<string, Float64Array>();
    for (let first = 0; first < count; first += ROWS) {
      const rows = Math.min(ROWS, count - first);
      const own = inDoubles(atBatch(program, rows));
      const indices = Int32Array.from({ length: rows }, (_, i) => first + i);
      const known: FieldValues = fields === undefined ? new Map() : fieldsAt(fields, indices);
      const key = { seed: state.seed, step: 0, purpose: 'validation', first };
      const fed = feedOf(own, draws, { fields: known, step: state.step, draws: key });
      const inputs = new Map([
        ...weights,
        ...[...fed].map(([name, array]) => [name, Float64Array.from(array)] as const),
        ['data', values.subarray(first * width, (first + rows) * width)] as const,
      ]);
      const missing = own.binders.find(({ name }) => !inputs.has(name));
      if (missing !== undefined)
        throw new BackendFailure(
          problem(program.name, 'examples alone', `the field ${missing.name} of each of them too`),
        );
      for (const [name, found] of interpret(own, inputs)[kind]) {
        const size = found.length / rows;
        const all = joined.get(name) ?? new Float64Array(count * size);
        joined.set(name, all);
        all.set(found, first * size);
      }
      // Whatever else waits has its turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return joined;
  };

  const output = async (program: Program, name: string, rows: DoubleRows): Promise<Float64Array> =>
    (await run(program, 'value', rows)).get(name) ?? new Float64Array();

  const codes = (values: Float64Array): DoubleRows => ({ values, width: d });
  const { encode, decode, density, evaluate } = compiled;

  return {
    encode: (rows) => output(encode, 'code', rows),
    decode: (values) => output(decode, 'data', codes(values)),
    density:
      density === undefined
        ? undefined
        : async (rows) => {
            const found = await run(density, 'value', rows);
            return [
              found.get('logDensity') ?? new Float64Array(),
              found.get('distance') ?? new Float64Array(),
            ];
          },
    logVolumes: async (values, by) => {
      const columns = jvp(decoder, data(...decoder.input), basis(...decoder.input));
      const made = compileExpressions(compiled.experiment, { columns }, decoder.input);
      if (isLeft(made)) throw new BackendFailure(made.left[0] ?? problem('decoder', 'nothing', 'a Jacobian'));
      const found = await run(made.right.program, 'value', codes(values), made.right.draws);
      const all = found.get('columns') ?? new Float64Array();
      const count = values.length / d;
      const numbers = all.length / Math.max(1, count);
      return Float64Array.from({ length: count }, (_, row) =>
        logVolumeOf(all.subarray(row * numbers, (row + 1) * numbers), d, by),
      );
    },
    evaluate: async (rows) => {
      const count = rows.values.length / rows.width;
      const terms: Terms = Object.fromEntries(
        [...(await run(evaluate, 'term', rows))].map(([name, values]) => [
          name,
          values.reduce((total, x) => total + x, 0) / count,
        ]),
      );
      const { step } = await stateOf();
      return { step, loss: Object.values(terms).reduce((total, x) => total + x, 0), terms };
    },
  };
};
