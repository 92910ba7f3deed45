/** Well-typed equations of the primitives on matrices of each row, and operators for `solveSPD`. */
import { atLeast, elementAt, float64At } from '../../dsl/lookup.js';
import fc from 'fast-check';
import { createBuilder } from '../../compiler/ir/builder.js';
import { add, mul } from '../../compiler/ir/operations.js';
import type { MatrixName } from '../../compiler/ir/primitives/matrix.js';
import type { Emit, Operator, Var } from '../../compiler/ir/program.js';
import { sizeOfShape, type Type } from '../../compiler/ir/type.js';
import { anyRows, anyValue, each, rows, shared, size, subject, type Subject } from './subject.js';

const matrix = (k: number, ...of: readonly number[]): Type => ({ rows: k, shape: of });

/** The matrices of an operand, each replaced. */
const eachMatrix = (
  data: Float64Array,
  { shape }: Type,
  f: (m: Float64Array, n: number) => Float64Array,
): Float64Array => {
  const count = sizeOfShape(shape);
  const result = data.slice();
  for (let at = 0; at < data.length; at += count)
    result.set(f(data.slice(at, at + count), elementAt(shape, 0)), at);
  return result;
};

/** I + M·Mᵀ. */
const positive = (m: Float64Array, n: number): Float64Array =>
  m.map((_, i) => {
    const [row, column] = [Math.floor(i / n), i % n];
    let sum = row === column ? 1 : 0;
    for (let k = 0; k < n; k++) sum += float64At(m, row * n + k) * float64At(m, column * n + k);
    return sum;
  });

/** Far from singular: the diagonal is at least 2. */
const steep = (m: Float64Array, n: number): Float64Array =>
  m.map((x, i) => (i % (n + 1) === 0 ? x + (x < 0 ? -2 : 2) : x));

/** An operator by what it does to its argument, given what it captures. */
const operatorOf = (
  argument: Type,
  captured: readonly Type[],
  apply: (emit: Emit, v: Var, values: readonly Var[]) => Var,
): Operator => {
  const builder = createBuilder();
  const [v, ...values] = atLeast(
    1,
    [argument, ...captured].map((type, i) => builder.bind('data', String(i), type)),
  );
  const out = apply(builder.emit, v, values);
  return { argument: v, captured: values, equations: builder.equations(), out };
};

/** v ↦ v + Wᵀ·W·v with a shared W, the same with a matrix for each row, and v ↦ v + c²·v element by element. */
export const operators: fc.Arbitrary<Operator> = fc
  .record({ kind: fc.nat(2), n: size, m: size, rows })
  .map(({ kind, n, m, rows: k }) => {
    const vector = { rows: k, shape: [n] };
    if (kind === 0)
      return operatorOf(vector, [shared(n, m)], (emit, v, captured) => {
        const [w] = atLeast(1, captured);
        return add(emit, v, emit('linearInput', {}, [emit('linear', {}, [v, w]), w]));
      });
    if (kind === 1)
      return operatorOf(vector, [matrix(k, m, n)], (emit, v, captured) => {
        const [w] = atLeast(1, captured);
        const column = emit('reshape', { shape: [n, 1] }, [v]);
        const image = emit('matmul', { transposeA: false, transposeB: false }, [w, column]);
        const back = emit('matmul', { transposeA: true, transposeB: false }, [w, image]);
        return add(emit, v, emit('reshape', { shape: [n] }, [back]));
      });
    return operatorOf(matrix(k, n, m), [matrix(k, n, m)], (emit, v, captured) => {
      const [c] = atLeast(1, captured);
      return add(emit, v, mul(emit, mul(emit, c, c), v));
    });
  });

const scaling = operatorOf(each(2), [each(2)], (emit, v, captured) => {
  const [c] = atLeast(1, captured);
  return mul(emit, mul(emit, c, c), v);
});
const solve = { operator: scaling, iterations: 2, tolerance: 0 };

export const matrices: { readonly [P in MatrixName | 'solveSPD']: Subject<P> } = {
  band: subject(
    fc
      .record({
        below: fc.integer({ min: -1, max: 2 }),
        diagonal: fc.constantFrom(0, 0.5, 1),
        rows: anyRows,
        n: size,
        m: size,
      })
      .map(({ below, diagonal, rows: k, n, m }) => ({
        params: { below, diagonal, above: 1 - below },
        inputs: [matrix(k, n, m)],
      })),
    { ill: [{ params: { below: 1, diagonal: 1, above: 0 }, inputs: [each(2)] }], linear: [[0]] },
  ),
  matmul: subject(
    fc
      .record({
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        rows: anyRows,
        n: size,
        k: size,
        m: size,
      })
      .map(({ transposeA, transposeB, rows: r, n, k, m }) => ({
        params: { transposeA, transposeB },
        inputs: [
          transposeA ? matrix(r, k, n) : matrix(r, n, k),
          transposeB ? matrix(r, m, k) : matrix(r, k, m),
        ],
      })),
    {
      ill: [
        { params: { transposeA: false, transposeB: false }, inputs: [each(2, 3), each(2, 3)] },
        { params: { transposeA: true, transposeB: false }, inputs: [each(2, 3), each(3, 3)] },
        { params: { transposeA: false, transposeB: false }, inputs: [each(2, 2), shared(2, 2)] },
        { params: { transposeA: false, transposeB: false }, inputs: [each(2), each(2, 2)] },
      ],
      linear: [[0], [1]],
    },
  ),
  cholesky: subject(
    fc.record({ jitters: fc.nat(3), rows: anyRows, n: size }).map(({ jitters, rows: k, n }) => ({
      params: { jitters },
      inputs: [matrix(k, n, n)],
    })),
    {
      ill: [
        { params: { jitters: 0 }, inputs: [each(2, 3)] },
        { params: { jitters: 0 }, inputs: [each(2)] },
      ],
      domains: [[-1, 1]],
      made: (data, _, type) => eachMatrix(data, type, positive),
    },
  ),
  triangularSolve: subject(
    fc
      .record({
        lower: fc.boolean(),
        transposed: fc.boolean(),
        shared: fc.boolean(),
        rows: anyRows,
        n: size,
        m: size,
      })
      .map(({ lower, transposed, shared: one, rows: k, n, m }) => ({
        params: { lower, transposed },
        inputs: [matrix(one ? 0 : k, n, n), matrix(k, n, m)],
      })),
    {
      ill: [
        { params: { lower: true, transposed: false }, inputs: [each(2, 3), each(2, 1)] },
        { params: { lower: true, transposed: false }, inputs: [each(2, 2), each(3, 1)] },
        { params: { lower: true, transposed: false }, inputs: [each(2, 2), each(2)] },
        { params: { lower: true, transposed: false }, inputs: [each(2, 2), shared(2, 1)] },
      ],
      domains: [[-1, 1], anyValue],
      made: (data, i, type) => (i === 0 ? eachMatrix(data, type, steep) : data),
      linear: [[1]],
    },
  ),
  solveSPD: subject(
    operators.map((operator) => ({
      params: { operator, iterations: sizeOfShape(operator.argument.type.shape), tolerance: 0 },
      inputs: [operator.argument, ...operator.captured].map((x) => x.type),
    })),
    {
      ill: [
        { params: solve, inputs: [shared(2), each(2)] },
        { params: solve, inputs: [each(3), each(2)] },
        { params: solve, inputs: [each(2), each(3)] },
        { params: solve, inputs: [each(2)] },
      ],
      domains: [anyValue, [-0.5, 0.5]],
      linear: [[0]],
    },
  ),
};
