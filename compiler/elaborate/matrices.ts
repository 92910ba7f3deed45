/** Elaborates Gram matrices and the determinants of matrices that are symmetric positive definite. */
import { showShape, sizeOf } from '../../dsl/shape.js';
import { binary, constantLike, mul, select, sumAll, times, unary } from '../ir/operations.js';
import type { Var } from '../ir/program.js';
import { type Context, fail } from './context.js';
import { jitters, smallestPivot } from './gram-system.js';

/** ⟨x_i, x_j⟩ for the entries of the leading axis. */
export const gramOf = (context: Context, x: Var, path: string): Var | null => {
  const { emit } = context.builder;
  const [k, ...inner] = x.type.shape;
  if (k === undefined) return fail(context, path, 'a scalar', 'an array with a leading axis');
  const flat = emit('reshape', { shape: [k, sizeOf(inner)] }, [x]);
  return emit('matmul', { transposeA: false, transposeB: true }, [flat, flat]);
};

/**
 * 2·Σ ln of the diagonal of the Cholesky factor. A training step goes on with a bounded jitter; evaluated, a matrix without full
 * rank has no determinant: a row that adds next to nothing to those before it is one whose pivot rounding alone has made.
 */
export const logDetOf = (context: Context, x: Var, path: string): Var | null => {
  const { emit } = context.builder;
  const [n, m] = x.type.shape;
  if (x.type.shape.length !== 2 || n !== m)
    return fail(context, path, showShape(x.type.shape), 'a square matrix [n, n]');
  const isTraining = context.mode === 'train';
  const diagonalOf = (matrix: Var): Var =>
    emit('reduceSum', { axes: [1] }, [emit('band', { below: 0, diagonal: 1, above: 0 }, [matrix])]);
  const roots = diagonalOf(emit('cholesky', { jitters: isTraining ? jitters : 0 }, [x]));
  const least = (): Var => times(emit, diagonalOf(x), smallestPivot);
  const known = isTraining
    ? roots
    : select(
        emit,
        binary(emit, 'greater', mul(emit, roots, roots), least()),
        roots,
        constantLike(emit, -1, roots.type),
      );
  return times(emit, sumAll(emit, unary(emit, 'log', known)), 2);
};
