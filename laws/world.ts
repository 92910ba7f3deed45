/** A world: the weights, examples, draws and step at which expressions have values, all of it functions of a few small numbers. */
import fc from 'fast-check';
import { fillDraw } from '../backends/draws.js';
import type { DrawSpec } from '../compiler/elaborate/context.js';
import type { Binder, Program } from '../compiler/ir/program.js';
import { elementCount } from '../compiler/ir/type.js';
import { type Interval, smoothValuesIn } from './arbitrary/values.js';

/** Numbers by the names of a program's inputs. */
export type Inputs = Readonly<Record<string, ArrayLike<number>>>;

/** Where an expression is looked at. What `values` does not give is a function of the seed. */
export type World = {
  /** Default 0. */
  readonly seed?: number;
  /** Weights and examples are whole multiples of 2^−digits; without it they are any numbers of single precision. */
  readonly digits?: number;
  /** Examples at once. Default 1. */
  readonly batch?: number;
  /** The training step. Default 0. */
  readonly step?: number;
  /** Weights, examples (`data`, and fields by name), draws and running values, row-major. */
  readonly values?: Inputs;
};

/** Any world of so many examples; smaller ones have rounder numbers. */
export const worlds = ({
  least = 1,
  most = 3,
}: { readonly least?: number; readonly most?: number } = {}): fc.Arbitrary<World> =>
  fc.record({
    seed: fc.nat(1e6),
    digits: fc.constantFrom(0, 1, 2, 4, 12),
    batch: fc.integer({ min: least, max: Math.max(least, most) }),
    step: fc.nat(20),
  });

const intervalOf = ({ kind }: Binder): Interval => {
  switch (kind) {
    case 'parameter':
      return [-1.2, 1.2];
    // Variances and second moments are positive.
    case 'state':
      return [0.25, 1.25];
    default:
      return [-1, 1];
  }
};

/** To the nearest multiple, and away from 0 where a number has to be positive. */
const rounded = (value: number, { kind }: Binder, digits: number): number => {
  const unit = 2 ** -digits;
  const nearest = Math.round(value / unit) * unit + 0;
  return kind === 'state' ? Math.max(nearest, unit) : nearest;
};

/** What a program takes, of one kind or of all. */
export type Asked = {
  readonly program: Program;
  readonly draws: readonly DrawSpec[];
  /** Fields that hold whole numbers. */
  readonly wholes: ReadonlySet<string>;
};

/** Draws of examples from the one with the number `first` on. */
export const drawn = (
  { name, distribution, rows, probes, shape }: DrawSpec,
  batch: number,
  { seed = 0, step = 0 }: World,
  first: number,
): Float64Array => {
  const size = shape.reduce((product, n) => product * n, 1);
  // In doubles: a frame that is orthonormal to seven digits breaks a bound that holds with equality in the seventh.
  const into = new Float64Array(batch * rows * probes * size);
  fillDraw(
    distribution,
    { examples: batch * rows, probes, size },
    { seed, name, step, first: first * rows },
    into,
  );
  return into;
};

const made = (binder: Binder, asked: Asked, world: World): Float64Array => {
  const { seed = 0, digits, step = 0 } = world;
  const { name, kind } = binder;
  const { batch } = asked.program;
  if (kind === 'scalar') return Float64Array.of(step);
  const draw = asked.draws.find((one) => one.name === name);
  if (draw !== undefined) return drawn(draw, batch, world, 0);
  const count = elementCount(binder.var.type, batch);
  const values = smoothValuesIn(intervalOf(binder), count, seed, name);
  if (asked.wholes.has(name)) return values.map((value) => (value > 0 ? 1 : 0));
  return digits === undefined ? values : values.map((value) => rounded(value, binder, digits));
};

/** Every input of a program in a world; a text where what is given does not fit. */
export const inputsIn = (asked: Asked, world: World): ReadonlyMap<string, Float64Array> | string => {
  const given = world.values ?? {};
  const inputs = asked.program.binders.map((binder): readonly [string, Float64Array] => {
    const values = given[binder.name];
    return [binder.name, values === undefined ? made(binder, asked, world) : Float64Array.from(values)];
  });
  const wrong = asked.program.binders.find(
    (binder, i) => inputs[i]?.[1].length !== elementCount(binder.var.type, asked.program.batch),
  );
  const count = wrong && elementCount(wrong.var.type, asked.program.batch);
  return wrong === undefined
    ? new Map(inputs)
    : `${given[wrong.name]?.length ?? 0} numbers for ${wrong.name}, which takes ${count}`;
};
