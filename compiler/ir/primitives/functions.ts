/**
 * The element-wise functions of one number, one row each: value, derivative, cost. The row is all that names a function here; its
 * type as a primitive, its place in loops and what fusing thinks of it follow. A target says what it calls it, or takes it from
 * compiler/loops/float32.ts.
 */
import { type EmitMoves, joined } from '../align-rows.js';
import { sameType, showType, type Type } from '../type.js';
import type { Var } from '../var.js';
import { erf } from './erf.js';

type None = Readonly<Record<never, never>>;
type Operator = 'neg' | 'add' | 'sub' | 'mul' | 'div' | 'divNoNan' | 'min';

/** As much of a program's `emit` as derivatives take. */
type Emit = EmitMoves & {
  (operator: Operator | FunctionName, params: None, inputs: readonly Var[]): Var;
  (
    constant: 'constant',
    params: { readonly value: number } & Pick<Type, 'rows' | 'shape'>,
    inputs: readonly [],
  ): Var;
};

/** What derivatives are written with. */
type Calculus = {
  readonly number: (value: number) => Var;
  readonly of: (name: Operator | FunctionName, ...inputs: readonly Var[]) => Var;
};

type Context = {
  readonly emit: Emit;
  readonly inputs: readonly [Var];
  readonly out: Var;
  readonly tangents: readonly [Var | null];
};

/** A row of the table of primitives, and what a loop pays for it: rough cycles on four lanes. */
export type FunctionRow = {
  readonly type: (params: None, inputs: readonly [Type]) => Type | string;
  readonly value: (x: number) => number;
  readonly evaluate: (params: None, inputs: readonly [{ readonly data: Float64Array }]) => Float64Array;
  readonly jvp: (context: Context) => Var | null;
  readonly transpose: null;
  readonly flops: () => number;
  readonly cycles: number;
};

export const oneType = (_: unknown, inputs: readonly [Type, ...(readonly Type[])]): Type | string =>
  inputs.every((t) => sameType(t, inputs[0]))
    ? inputs[0]
    : `operands of one type, found ${inputs.map(showType).join(' and ')}`;

/** By its value and how a tangent t passes at x, where the value is y. */
const row = (
  cycles: number,
  value: (x: number) => number,
  tangent: (m: Calculus, t: Var, x: Var, y: Var) => Var | null,
): FunctionRow => ({
  type: oneType,
  value,
  evaluate: (_, [a]) => a.data.map((x) => value(x)),
  jvp: ({ emit, inputs: [x], out, tangents: [t] }) => {
    if (t === null) return null;
    const { rows, shape } = out.type;
    const m: Calculus = {
      number: (number) => emit('constant', { value: number, rows, shape }, []),
      of: (name, ...inputs) => emit(name, {}, joined(emit, inputs)),
    };
    return tangent(m, t, x, out);
  },
  transpose: null,
  flops: () => 0,
  cycles,
});

/** By its value and its derivative. */
const smooth = (
  cycles: number,
  value: (x: number) => number,
  slope: (m: Calculus, x: Var, y: Var) => Var,
): FunctionRow => row(cycles, value, (m, t, x, y) => m.of('mul', t, slope(m, x, y)));

const root = 5;
const transcendental = 20;

export const functions = {
  exp: smooth(transcendental, Math.exp, (_m, _x, y): Var => y),
  log: row(transcendental, Math.log, (m, t, x): Var => m.of('div', t, x)),
  sqrt: smooth(root, Math.sqrt, (m, _, y): Var => m.of('divNoNan', m.number(0.5), y)),
  tanh: smooth(transcendental, Math.tanh, (m, _, y): Var => m.of('sub', m.number(1), m.of('mul', y, y))),
  sigmoid: smooth(
    transcendental,
    (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
    (m, _, y): Var => m.of('mul', y, m.of('sub', m.number(1), y)),
  ),
  softplus: smooth(
    transcendental,
    (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    (m, x): Var => m.of('sigmoid', x),
  ),
  elu: smooth(
    transcendental,
    (x) => (x > 0 ? x : Math.expm1(x)),
    (m, _, y): Var => m.of('add', m.of('min', y, m.number(0)), m.number(1)),
  ),
  erf: smooth(transcendental, erf, (m, x): Var =>
    m.of('mul', m.of('exp', m.of('neg', m.of('mul', x, x))), m.number(2 / Math.sqrt(Math.PI))),
  ),
  sin: smooth(transcendental, Math.sin, (m, x): Var => m.of('cos', x)),
  cos: smooth(transcendental, Math.cos, (m, x): Var => m.of('neg', m.of('sin', x))),
  atan: smooth(transcendental, Math.atan, (m, x): Var =>
    m.of('div', m.number(1), m.of('add', m.number(1), m.of('mul', x, x))),
  ),
  /** 1 where finite, else 0. */
  finite: row(
    1,
    (x) => (Number.isFinite(x) ? 1 : 0),
    () => null,
  ),
};

export type FunctionName = keyof typeof functions;

export const isFunction = (name: string): name is FunctionName => Object.hasOwn(functions, name);
