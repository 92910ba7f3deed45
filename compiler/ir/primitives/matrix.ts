/** Matrices of each row: products, triangular bands, Cholesky factors and triangular systems. */
import { atLeast, elementAt, float64At } from '../../../dsl/lookup.js';
import { choleskyFactors, solveTriangles } from './factorization.js';
import { add, addTangents, atRows, joined } from '../operations.js';
import type { Row, Value } from '../primitive.js';
import type { Params } from '../params.js';
import type { Emit, Var } from '../program.js';
import { elementCount, rowCount, showType, sizeOfShape, type Type } from '../type.js';

const found = (types: readonly Type[]): string => `found ${types.map(showType).join(' and ')}`;

/** A·B at the greater number of rows of the two. */
export const product = (emit: Emit, a: Var, b: Var, transposeA: boolean, transposeB: boolean): Var =>
  emit('matmul', { transposeA, transposeB }, joined(emit, [a, b]));

/** The band's factor at a place of the matrix. */
export const bandFactor = (
  { below, diagonal, above }: Params['band'],
  row: number,
  column: number,
): number => (row > column ? below : row < column ? above : diagonal);

const triangle = (emit: Emit, x: Var, lower: boolean, diagonal: number): Var =>
  emit('band', { below: lower ? 1 : 0, diagonal, above: lower ? 0 : 1 }, [x]);

const turned = (emit: Emit, x: Var): Var => emit('permute', { permutation: [1, 0] }, [x]);

const solve = (emit: Emit, params: Params['triangularSolve'], matrix: Var, b: Var): Var => {
  const rows = Math.max(matrix.type.rows, b.type.rows);
  return emit('triangularSolve', params, [
    matrix.type.rows === 0 ? matrix : atRows(emit, rows, matrix),
    atRows(emit, rows, b),
  ]);
};

const innerSizes = ({ transposeA, transposeB }: Params['matmul'], a: Type, b: Type) => {
  const [a0, a1] = atLeast(2, a.shape);
  const [b0, b1] = atLeast(2, b.shape);
  const [n, k] = transposeA ? [a1, a0] : [a0, a1];
  const [l, m] = transposeB ? [b1, b0] : [b0, b1];
  return { n, k, l, m };
};

const isSquare = ({ shape }: Type): boolean => shape.length === 2 && shape[0] === shape[1];

const zeros = (out: Type, batch: number): Float64Array => new Float64Array(elementCount(out, batch));

const multiply = (
  params: Params['matmul'],
  [a, b]: readonly [Value, Value],
  out: Type,
  batch: number,
): Float64Array => {
  const { n, k, m } = innerSizes(params, a.type, b.type);
  const y = zeros(out, batch);
  const [aRow, aTerm] = params.transposeA ? [1, n] : [k, 1];
  const [bTerm, bColumn] = params.transposeB ? [1, k] : [m, 1];
  for (let r = 0; r < rowCount(out, batch); r++) {
    for (let i = 0; i < n; i++) {
      for (let t = 0; t < k; t++) {
        const x = float64At(a.data, r * n * k + i * aRow + t * aTerm);
        for (let j = 0; j < m; j++)
          y[(r * n + i) * m + j] =
            float64At(y, (r * n + i) * m + j) + x * float64At(b.data, r * k * m + t * bTerm + j * bColumn);
      }
    }
  }
  return y;
};

export const matrix: { readonly [P in MatrixName]: Row<P> } = {
  band: {
    type: (_, [x]) => (x.shape.length === 2 ? x : `a matrix [n,m], ${found([x])}`),
    evaluate: (params, [x]) => {
      const [n, m] = atLeast(2, x.type.shape);
      return x.data.map((value, i) => value * bandFactor(params, Math.floor(i / m) % n, i % m));
    },
    jvp: ({ emit, params, tangents: [t] }) => (t === null ? null : emit('band', params, [t])),
    transpose: ({ emit, params, cotangent }) => [emit('band', params, [cotangent])],
    flops: () => 0,
  },
  matmul: {
    type: (params, [a, b]) => {
      if (a.shape.length !== 2 || b.shape.length !== 2 || a.rows !== b.rows)
        return `two matrices of as many rows, ${found([a, b])}`;
      const { n, k, l, m } = innerSizes(params, a, b);
      return k === l ? { rows: a.rows, shape: [n, m] } : `matrices that can be multiplied, ${found([a, b])}`;
    },
    evaluate: multiply,
    jvp: ({ emit, params: { transposeA, transposeB }, inputs: [a, b], tangents: [ta, tb] }) =>
      addTangents(
        emit,
        ta === null ? null : product(emit, ta, b, transposeA, transposeB),
        tb === null ? null : product(emit, a, tb, transposeA, transposeB),
      ),
    transpose: ({ emit, params: { transposeA, transposeB }, inputs: [a, b], linear: [first], cotangent }) =>
      first
        ? [
            transposeA
              ? product(emit, b, cotangent, transposeB, true)
              : product(emit, cotangent, b, false, !transposeB),
            null,
          ]
        : [
            null,
            transposeB
              ? product(emit, cotangent, a, true, transposeA)
              : product(emit, a, cotangent, !transposeA, false),
          ],
    flops: (params, [a, b], out, batch) =>
      2 * rowCount(out, batch) * sizeOfShape(out.shape) * innerSizes(params, a, b).k,
  },
  cholesky: {
    type: (_, [a]) => (isSquare(a) ? a : `a square matrix, ${found([a])}`),
    evaluate: (params, [a], out, batch) => {
      const factors = zeros(out, batch);
      choleskyFactors(a.data, elementAt(out.shape, 0), params, factors);
      return factors;
    },
    // dL = L·Φ(L⁻¹·dA·L⁻ᵀ), Φ the lower triangle with half the diagonal (Murray, Differentiation of the Cholesky decomposition, 2016).
    jvp: ({ emit, out, tangents: [t] }) => {
      if (t === null) return null;
      const symmetric = add(emit, triangle(emit, t, true, 1), turned(emit, triangle(emit, t, true, 0)));
      const across = { lower: true, transposed: false };
      const half = turned(emit, solve(emit, across, out, symmetric));
      return product(emit, out, triangle(emit, solve(emit, across, out, half), true, 0.5), false, false);
    },
    transpose: null,
    flops: (_, [a], out, batch) => (rowCount(out, batch) * elementAt(a.shape, 0) ** 3) / 3,
  },
  triangularSolve: {
    type: (_, [a, b]) =>
      isSquare(a) && b.shape.length === 2 && a.shape[0] === b.shape[0] && (a.rows === 0 || a.rows === b.rows)
        ? b
        : `a square matrix [n,n], shared or one for each row, and right-hand sides [n,m], ${found([a, b])}`,
    evaluate: (params, [a, b], out, batch) => {
      const x = zeros(out, batch);
      solveTriangles(a.data, b.data, elementAt(out.shape, 0), elementAt(out.shape, 1), params, x);
      return x;
    },
    jvp: ({ emit, params, inputs: [a], out, tangents: [ta, tb] }) => {
      const moved =
        ta === null
          ? null
          : product(
              emit,
              triangle(emit, ta, params.lower, 1),
              emit('neg', {}, [out]),
              params.transposed,
              false,
            );
      const right = addTangents(emit, tb, moved);
      return right === null ? null : solve(emit, params, a, right);
    },
    transpose: ({ emit, params, inputs: [a], cotangent }) => [
      null,
      solve(emit, { ...params, transposed: !params.transposed }, a, cotangent),
    ],
    flops: (_, [a], out, batch) => rowCount(out, batch) * sizeOfShape(out.shape) * elementAt(a.shape, 0),
  },
};

export type MatrixName = 'band' | 'matmul' | 'cholesky' | 'triangularSolve';
