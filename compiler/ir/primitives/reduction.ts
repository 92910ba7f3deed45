/** One operator between all elements along axes: sums, extrema and products. */
import { elementAt, float64At, int32At } from '../../../dsl/lookup.js';
import { add, binary, constantLike, div, joined, mul, sub } from '../operations.js';
import type { ReductionName } from '../params.js';
import type { Row } from '../primitive.js';
import { type Emit, type Equation, type EquationOf, is, type Var } from '../program.js';
import { elementCount, rowCount, showType, sizeOfShape } from '../type.js';
import { gatherIndices, repeatedAxes, stridesOf } from './structure.js';

type Operator = {
  /** What it leaves as it is. */
  readonly identity: number;
  readonly between: (a: number, b: number) => number;
};

export const reductions: { readonly [O in ReductionName]: Operator } = {
  add: { identity: 0, between: (a, b) => a + b },
  max: { identity: -Infinity, between: Math.max },
  min: { identity: Infinity, between: Math.min },
  mul: { identity: 1, between: (a, b) => a * b },
};

type Sum = EquationOf<'reduce'> & { readonly params: { readonly op: 'add' } };

export const isSum = (eq: Equation): eq is Sum => is(eq, 'reduce') && eq.params.op === 'add';

const without = (shape: readonly number[], axes: readonly number[]): readonly number[] =>
  shape.filter((_, i) => !axes.includes(i));

type Axes = readonly number[];

/**
 * Of the elements that are the greatest or least, the mean of their tangents. What they are compared with is one of them, to the last
 * bit.
 */
const ofExtrema = (emit: Emit, op: 'max' | 'min', axes: Axes, x: Var, out: Var, t: Var): Var => {
  const { shape } = x.type;
  const repeated = emit('broadcast', { shape, axes: repeatedAxes(shape, axes) }, [out]);
  const beyond = binary(
    emit,
    'greater',
    ...(op === 'max' ? ([repeated, x] as const) : ([x, repeated] as const)),
  );
  const reached = sub(emit, constantLike(emit, 1, x.type), beyond);
  const total = (of: Var): Var => emit('reduce', { op: 'add', axes }, [of]);
  return div(emit, total(mul(emit, t, reached)), total(reached));
};

/**
 * Σ t_i Π_{j≠i} x_j by halves of each axis against each other, so that neither it nor its own derivatives divide by an element: any number of
 * them may be 0.
 */
const ofProduct = (emit: Emit, axes: Axes, x: Var, t: Var): Var => {
  type Pair = { readonly x: Var; readonly t: Var };
  const along = (pair: Pair, axis: number): Pair => {
    const { shape } = pair.x.type;
    const n = elementAt(shape, axis);
    if (n === 1) {
      const left = without(shape, [axis]);
      const flat = (of: Var): Var => emit('reshape', { shape: left }, [of]);
      return { x: flat(pair.x), t: flat(pair.t) };
    }
    const half = Math.floor(n / 2);
    const block = (of: Var, from: number, count: number): Var =>
      emit('slice', { begin: shape.map((_, i) => (i === axis ? from : 0)), size: shape.with(axis, count) }, [
        of,
      ]);
    const [a, b] = [0, half].map((from) => ({ x: block(pair.x, from, half), t: block(pair.t, from, half) }));
    if (a === undefined || b === undefined) return pair;
    const product: Pair = { x: mul(emit, a.x, b.x), t: add(emit, mul(emit, a.t, b.x), mul(emit, a.x, b.t)) };
    if (n % 2 === 0) return along(product, axis);
    const whole = (value: Var, of: Var): Var =>
      emit('concat', { axis }, joined(emit, [value, block(of, n - 1, 1)]));
    return along({ x: whole(product.x, pair.x), t: whole(product.t, pair.t) }, axis);
  };
  return [...axes].sort((a, b) => b - a).reduce(along, { x, t }).t;
};

export const reduction: { readonly reduce: Row<'reduce'> } = {
  reduce: {
    type: ({ axes }, [x]) =>
      axes.every((axis, i) => axis >= 0 && axis < x.shape.length && axes.indexOf(axis) === i)
        ? { rows: x.rows, shape: without(x.shape, axes) }
        : `distinct axes of ${showType(x)}, found [${axes.join(',')}]`,
    evaluate: ({ op, axes }, [x], out, batch) => {
      const { identity, between } = reductions[op];
      const kept = stridesOf(out.shape);
      const keptAxes = repeatedAxes(x.type.shape, axes);
      const places = gatherIndices(
        x.type.shape,
        x.type.shape.map((_, i) => (axes.includes(i) ? 0 : elementAt(kept, keptAxes.indexOf(i)))),
      );
      const size = sizeOfShape(out.shape);
      const result = new Float64Array(elementCount(out, batch)).fill(identity);
      for (let r = 0; r < rowCount(out, batch); r++) {
        for (let i = 0; i < places.length; i++) {
          const to = r * size + int32At(places, i);
          result[to] = between(float64At(result, to), float64At(x.data, r * places.length + i));
        }
      }
      return result;
    },
    jvp: ({ emit, params: { op, axes }, inputs: [x], out, tangents: [t] }) => {
      if (t === null) return null;
      if (op === 'add') return emit('reduce', { op, axes }, [t]);
      return op === 'mul' ? ofProduct(emit, axes, x, t) : ofExtrema(emit, op, axes, x, out, t);
    },
    transpose: ({ emit, params: { axes }, inputs: [x], cotangent }) => [
      emit('broadcast', { shape: x.type.shape, axes: repeatedAxes(x.type.shape, axes) }, [cotangent]),
    ],
    flops: () => 0,
  },
};
