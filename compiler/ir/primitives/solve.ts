/** Symmetric positive definite systems whose matrix is known by its products alone: conjugate gradients (Hestenes and Stiefel, 1952). */
import { elementAt, float64At } from '../../../dsl/lookup.js';
import { addTangents, unary } from '../operations.js';
import type { Row, Value } from '../primitive.js';
import type { Emit, Equation, Operator, Var } from '../program.js';
import { elementCount, rowCount, sameType, showType, sizeOfShape, type Type } from '../type.js';

/** What the table says of one equation; the table itself holds this row. */
export type Meaning = {
  readonly evaluate: (eq: Equation, inputs: readonly Value[], batch: number) => Float64Array;
  readonly jvp: (
    eq: Equation,
    context: { readonly emit: Emit; readonly tangents: readonly (Var | null)[]; readonly user: boolean },
  ) => Var | null;
  readonly flops: (eq: Equation, batch: number) => number;
};

/** Emits the operator's equations on an argument and what it captures; gives the equations as they are outside, and the result. */
export const inlined = (
  emit: Emit,
  { argument, captured, equations, out }: Operator,
  at: Var,
  values: readonly Var[],
): { readonly equations: readonly Equation[]; readonly out: Var } => {
  const known = new Map([[argument.id, at], ...captured.map((x, i) => [x.id, values[i]] as const)]);
  const current = (x: Var): Var => {
    const y = known.get(x.id);
    if (y === undefined) throw new Error(`variable ${x.id} of an operator has no value`);
    return y;
  };
  const emitted = equations.map((eq): Equation => {
    const inputs = eq.inputs.map(current);
    const result = emit(eq.primitive, eq.params, inputs);
    known.set(eq.out.id, result);
    return { ...eq, inputs, out: result };
  });
  return { equations: emitted, out: current(out) };
};

const run = (
  { argument, captured, equations, out }: Operator,
  at: Value,
  values: readonly Value[],
  batch: number,
  evaluate: Meaning['evaluate'],
): Float64Array => {
  const known = new Map([[argument.id, at], ...captured.map((x, i) => [x.id, values[i]] as const)]);
  const valueOf = (x: Var): Value => {
    const value = known.get(x.id);
    if (value === undefined) throw new Error(`variable ${x.id} of an operator has no value`);
    return value;
  };
  for (const eq of equations)
    known.set(eq.out.id, { type: eq.out.type, data: evaluate(eq, eq.inputs.map(valueOf), batch) });
  return valueOf(out).data;
};

/** Conjugate gradients for many rows at once, a row left as it is once it has converged; what is left over, and how many rounds each took. */
const conjugateGradients = (
  product: (p: Float64Array) => Float64Array,
  b: Float64Array,
  rows: number,
  iterations: number,
  tolerance: number,
): { readonly [P in 'solution' | 'residual' | 'rounds']: Float64Array } => {
  const n = b.length / rows;
  const [x, r, p] = [new Float64Array(b.length), b.slice(), new Float64Array(b.length)];
  const dot = (u: Float64Array, v: Float64Array, row: number): number => {
    let sum = 0;
    for (let i = row * n; i < (row + 1) * n; i++) sum += float64At(u, i) * float64At(v, i);
    return sum;
  };
  const [before, rounds] = [new Float64Array(rows), new Float64Array(rows)];
  const limits = before.map((_, row) => tolerance ** 2 * dot(b, b, row));
  for (let iteration = 0; iteration < iterations; iteration++) {
    const squares = before.map((_, row) => dot(r, r, row));
    // A residual that is not a number is not below the limit either: it goes on and shows.
    if (squares.every((square, row) => square <= float64At(limits, row))) break;
    for (let row = 0; row < rows; row++) {
      const beta = before[row] === 0 ? 0 : float64At(squares, row) / float64At(before, row);
      for (let i = row * n; i < (row + 1) * n; i++) p[i] = float64At(r, i) + beta * float64At(p, i);
    }
    const Ap = product(p);
    for (let row = 0; row < rows; row++) {
      before[row] = float64At(squares, row);
      if (float64At(squares, row) <= float64At(limits, row)) continue;
      rounds[row] = float64At(rounds, row) + 1;
      const curvature = dot(p, Ap, row);
      const alpha = curvature === 0 ? 0 : float64At(squares, row) / curvature;
      for (let i = row * n; i < (row + 1) * n; i++) {
        x[i] = float64At(x, i) + alpha * float64At(p, i);
        r[i] = float64At(r, i) - alpha * float64At(Ap, i);
      }
    }
  }
  return { solution: x, residual: r, rounds };
};

const refusal = (
  operator: Operator,
  [b, ...captured]: readonly [Type, ...(readonly Type[])],
): string | undefined => {
  if (b.rows < 1) return `a right-hand side of each example, found ${showType(b)}`;
  if (!sameType(operator.argument.type, b) || !sameType(operator.out.type, b))
    return `an operator ${showType(b)} → ${showType(b)}, found ${showType(operator.argument.type)} → ${showType(operator.out.type)}`;
  const expected = operator.captured.map((x) => x.type);
  return captured.length === expected.length &&
    captured.every((type, i) => sameType(type, elementAt(expected, i)))
    ? undefined
    : `captured values ${expected.map(showType).join(', ')}, found ${captured.map(showType).join(', ')}`;
};

export const solving = ({ evaluate, jvp, flops }: Meaning): { readonly solveSPD: Row<'solveSPD'> } => ({
  solveSPD: {
    type: ({ operator, gives }, inputs) =>
      refusal(operator, inputs) ?? (gives === 'rounds' ? { rows: inputs[0].rows, shape: [] } : inputs[0]),
    evaluate: ({ operator, iterations, tolerance, gives }, [b, ...captured], out, batch) => {
      if (sizeOfShape(b.type.shape) === 0) return new Float64Array(elementCount(out, batch));
      const { solution, residual, rounds } = conjugateGradients(
        (data) => run(operator, { type: b.type, data }, captured, batch, evaluate),
        b.data,
        rowCount(out, batch),
        iterations,
        tolerance,
      );
      return gives === 'rounds' ? rounds : gives === 'residual' ? residual : solution;
    },
    // dx = A⁻¹·(db − dA·x).
    jvp: ({ emit, params, inputs: [, ...captured], out, tangents: [tb, ...moved], user }) => {
      if (params.gives !== undefined) return null;
      const push = (): Var | null => {
        if (moved.every((t) => t === null)) return null;
        const product = inlined(emit, params.operator, out, captured);
        const tangents = new Map(
          captured.flatMap((x, i) => {
            const t = moved[i];
            return t === null ? [] : [[x.id, t] as const];
          }),
        );
        for (const eq of product.equations) {
          const inputs = eq.inputs.map((x) => tangents.get(x.id) ?? null);
          if (inputs.every((t) => t === null)) continue;
          const tangent = jvp(eq, { emit, tangents: inputs, user });
          if (tangent !== null) tangents.set(eq.out.id, tangent);
        }
        return tangents.get(product.out.id) ?? null;
      };
      const change = push();
      const right = addTangents(emit, tb, change === null ? null : unary(emit, 'neg', change));
      return right === null ? null : emit('solveSPD', params, [right, ...captured]);
    },
    transpose: ({ emit, params, inputs: [, ...captured], cotangent }) => [
      emit('solveSPD', params, [cotangent, ...captured]),
      ...captured.map(() => null),
    ],
    flops: ({ operator, iterations }, _, __, batch) =>
      iterations * operator.equations.reduce((sum, eq) => sum + flops(eq, batch), 0),
  },
});
