/** Elaborates Gram matrices and the determinants of matrices that are symmetric positive definite. */
import { showShape, sizeOf } from '../../dsl/shape.js';
import { binary, constantLike, mul, select, sub, sumAll, times, unary } from '../ir/operations.js';
import type { Emit, Var } from '../ir/program.js';
import { type Context, fail } from './context.js';
import { factorOf, jitter, jitters, smallestPivot } from './gram-system.js';

/** ⟨x_i, x_j⟩ for the entries of the leading axis. */
export const gramOf = (context: Context, x: Var, path: string): Var | null => {
  const { emit } = context.builder;
  const [k, ...inner] = x.type.shape;
  if (k === undefined) return fail(context, path, 'a scalar', 'an array with a leading axis');
  const flat = emit('reshape', { shape: [k, sizeOf(inner)] }, [x]);
  return emit('matmul', { transposeA: false, transposeB: true }, [flat, flat]);
};

const diagonalOf = (emit: Emit, matrix: Var): Var =>
  emit('reduce', { op: 'add', axes: [1] }, [emit('band', { below: 0, diagonal: 1, above: 0 }, [matrix])]);

/**
 * ln det of the products of k arrays with each other, from the factor of the arrays: to multiply them would square their condition. Where
 * they are not independent, as far as single precision knows, a training step goes on with jitter, and evaluated there is no determinant.
 */
export const logDetOfGram = (context: Context, products: Var, x: Var | null, path: string): Var | null => {
  if (x === null) return null;
  const { emit } = context.builder;
  const [k = 0, ...inner] = x.type.shape;
  if (k > sizeOf(inner)) return logDetOf(context, products, path);
  const rows = emit('reshape', { shape: [k, sizeOf(inner)] }, [x]);
  const factor = factorOf(context, rows, context.mode === 'train' ? jitter : 0);
  return times(emit, sumAll(emit, unary(emit, 'log', diagonalOf(emit, factor))), 2);
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
  if (isTraining) {
    const known = unary(emit, 'finite', sumAll(emit, emit('cholesky', { jitters: 0 }, [x])));
    context.guards.push({ name: 'jitter', acts: sub(emit, constantLike(emit, 1, known.type), known) });
  }
  const roots = diagonalOf(emit, emit('cholesky', { jitters: isTraining ? jitters : 0 }, [x]));
  const fewest = (): Var => times(emit, diagonalOf(emit, x), smallestPivot);
  const known = isTraining
    ? roots
    : select(
        emit,
        binary(emit, 'greater', mul(emit, roots, roots), fewest()),
        roots,
        constantLike(emit, -1, roots.type),
      );
  return times(emit, sumAll(emit, unary(emit, 'log', known)), 2);
};
