/** The element-wise primitives: all operands of one type, no implicit broadcasting. */
import { float64At } from '../../../dsl/lookup.js';
import { functions, oneType } from './functions.js';
import { addTangents, binary, constantLike, mul, plus, select, sub, times, unary } from '../operations.js';
import type { Row, Value } from '../primitive.js';
import type { BinaryName, UnaryName } from '../params.js';
import type { Emit, Var } from '../program.js';
import type { Type } from '../type.js';

const noFlops = (): number => 0;

const map1 =
  (f: (a: number) => number) =>
  (_: unknown, [a]: readonly [Value]): Float64Array =>
    a.data.map((x) => f(x));

const map2 =
  (f: (a: number, b: number) => number) =>
  (_: unknown, [a, b]: readonly [Value, Value]): Float64Array =>
    a.data.map((x, i) => f(x, float64At(b.data, i)));

/** A function whose derivative is zero wherever it has one. */
const flat = <P extends 'greater' | 'stop'>(evaluate: Row<P>['evaluate']): Row<P> => ({
  type: oneType,
  evaluate,
  jvp: () => null,
  transpose: null,
  flops: noFlops,
});

/** The tangent of a choice: `first` says by a mask where the first operand is taken; a missing tangent is zero. */
const chosen = (emit: Emit, mask: Var, a: Var | null, b: Var | null, type: Type): Var | null => {
  if (a === null && b === null) return null;
  const known = a ?? b;
  const zero = constantLike(emit, 0, {
    rows: known === null ? type.rows : known.type.rows,
    shape: type.shape,
  });
  return select(emit, mask, a ?? zero, b ?? zero);
};

const extremum = (
  f: (a: number, b: number) => number,
  second: (emit: Emit, a: Var, b: Var) => Var,
): Row<'max' | 'min'> => ({
  type: oneType,
  evaluate: map2(f),
  jvp: ({ emit, inputs: [a, b], tangents: [ta, tb], out }) =>
    ta === null && tb === null ? null : chosen(emit, second(emit, a, b), tb, ta, out.type),
  transpose: null,
  flops: noFlops,
});

const quotient = (name: 'div' | 'divNoNan', f: (a: number, b: number) => number): Row<'div' | 'divNoNan'> => {
  const over = (emit: Emit, a: Var, b: Var): Var => binary(emit, name, a, b);
  return {
    type: oneType,
    evaluate: map2(f),
    jvp: ({ emit, inputs: [, b], tangents: [ta, tb], out }) => {
      const numerator = addTangents(emit, ta, tb === null ? null : unary(emit, 'neg', mul(emit, out, tb)));
      return numerator === null ? null : over(emit, numerator, b);
    },
    transpose: ({ emit, inputs: [, b], cotangent }) => [over(emit, cotangent, b), null],
    flops: noFlops,
  };
};

/** b·a^(b−1), and 0 where b is 0, also at a = 0. */
const slopeOfPower = (emit: Emit, a: Var, b: Var): Var => {
  const slope = mul(emit, b, emit('pow', {}, [a, plus(emit, b, -1)]));
  return select(emit, b, slope, constantLike(emit, 0, b.type));
};

/** log a, and 0 at a = 0, where a^b is 0 too. */
const safeLog = (emit: Emit, a: Var): Var => {
  const positive = emit('greater', {}, [a, constantLike(emit, 0, a.type)]);
  return unary(emit, 'log', select(emit, positive, a, constantLike(emit, 1, a.type)));
};

export const elementwise: { readonly [P in ElementwiseName]: Row<P> } = {
  neg: {
    type: oneType,
    evaluate: map1((x) => -x),
    jvp: ({ emit, tangents: [t] }) => (t === null ? null : unary(emit, 'neg', t)),
    transpose: ({ emit, cotangent }) => [unary(emit, 'neg', cotangent)],
    flops: noFlops,
  },
  ...functions,
  greater: flat(map2((a, b) => (a > b ? 1 : 0))),
  add: {
    type: oneType,
    evaluate: map2((a, b) => a + b),
    jvp: ({ emit, tangents: [ta, tb] }) => addTangents(emit, ta, tb),
    transpose: ({ linear, cotangent }) => linear.map((isLinear) => (isLinear ? cotangent : null)),
    flops: noFlops,
  },
  sub: {
    type: oneType,
    evaluate: map2((a, b) => a - b),
    jvp: ({ emit, tangents: [ta, tb] }) =>
      tb === null ? ta : ta === null ? unary(emit, 'neg', tb) : sub(emit, ta, tb),
    transpose: ({ emit, linear: [first, second], cotangent }) => [
      first ? cotangent : null,
      second ? unary(emit, 'neg', cotangent) : null,
    ],
    flops: noFlops,
  },
  mul: {
    type: oneType,
    evaluate: map2((a, b) => a * b),
    jvp: ({ emit, inputs: [a, b], tangents: [ta, tb] }) =>
      a.id === b.id && ta !== null
        ? times(emit, mul(emit, ta, a), 2)
        : addTangents(emit, ta === null ? null : mul(emit, ta, b), tb === null ? null : mul(emit, a, tb)),
    transpose: ({ emit, inputs: [a, b], linear: [first], cotangent }) =>
      first ? [mul(emit, cotangent, b), null] : [null, mul(emit, a, cotangent)],
    flops: noFlops,
  },
  div: quotient('div', (a, b) => a / b),
  divNoNan: quotient('divNoNan', (a, b) => (b === 0 ? 0 : a / b)),
  max: extremum(Math.max, (emit, a, b) => emit('greater', {}, [b, a])),
  min: extremum(Math.min, (emit, a, b) => emit('greater', {}, [a, b])),
  pow: {
    type: oneType,
    evaluate: map2((a, b) => a ** b),
    jvp: ({ emit, inputs: [a, b], tangents: [ta, tb], out }) =>
      addTangents(
        emit,
        ta === null ? null : mul(emit, ta, slopeOfPower(emit, a, b)),
        tb === null ? null : mul(emit, tb, mul(emit, out, safeLog(emit, a))),
      ),
    transpose: null,
    flops: noFlops,
  },
  select: {
    type: oneType,
    evaluate: (_, [mask, a, b]) =>
      mask.data.map((m, i) => (m !== 0 ? float64At(a.data, i) : float64At(b.data, i))),
    jvp: ({ emit, inputs: [mask], tangents: [, ta, tb], out }) => chosen(emit, mask, ta, tb, out.type),
    transpose: ({ emit, inputs: [mask], linear: [, first, second], cotangent }) => {
      const zero = constantLike(emit, 0, cotangent.type);
      return [
        null,
        first ? select(emit, mask, cotangent, zero) : null,
        second ? select(emit, mask, zero, cotangent) : null,
      ];
    },
    flops: noFlops,
  },
  stop: flat(map1((x) => x)),
  statistics: {
    type: oneType,
    evaluate: map1((x) => x),
    jvp: ({ params, tangents: [t], user }) => (user && params.constant ? null : t),
    transpose: null,
    flops: noFlops,
  },
};

export type ElementwiseName = UnaryName | BinaryName | 'select' | 'stop' | 'statistics';
