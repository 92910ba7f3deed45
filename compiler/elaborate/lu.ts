/** Elaborates a matrix over channels by its LU factors: W = L·U, so ln |det W| = Σ s and the inverse is two triangular systems. */
import { atLeast, last } from '../../dsl/lookup.js';
import { sizeOf } from '../../dsl/shape.js';
import { add, constantLike, unary } from '../ir/operations.js';
import type { Emit, Var } from '../ir/program.js';
import { emitOf, parameter, type Site } from './site.js';
import { bounded } from './transform.js';

/** L unit lower and U upper, [n,n] each, and the logarithms s [n] of the diagonal of U. */
export type LuFactors = { readonly lower: Var; readonly upper: Var; readonly logScales: Var };

const largestLogScale = 3;

const diagonal = { below: 0, diagonal: 1, above: 0 } as const;

/** The factors from trainable arrays at the site; zeros give the identity. */
export const luFactors = (site: Site): LuFactors => {
  const emit = emitOf(site);
  const n = last(site.x.type.shape);
  const square = (role: string): Var => parameter(site, role, [n, n], { tag: 'zeros' });
  const raw = parameter(site, 'scale', [n], { tag: 'zeros' });
  const logScales = bounded(emit, raw, largestLogScale);
  const scales = emit('broadcast', { shape: [n, n], axes: [1] }, [unary(emit, 'exp', logScales)]);
  const ones = constantLike(emit, 1, scales.type);
  const below = emit('band', { below: 1, diagonal: 0, above: 0 }, [square('lower')]);
  const above = emit('band', { below: 0, diagonal: 0, above: 1 }, [square('upper')]);
  return {
    lower: add(emit, below, emit('band', diagonal, [ones])),
    upper: add(emit, above, emit('band', diagonal, [scales])),
    logScales,
  };
};

/** x·W, of an image pixel by pixel. */
export const luProduct = (emit: Emit, { lower, upper }: LuFactors, x: Var): Var => {
  const w = emit('matmul', { transposeA: false, transposeB: false }, [lower, upper]);
  const [n] = atLeast(1, w.type.shape);
  return x.type.shape.length === 1
    ? emit('linear', {}, [x, w])
    : emit('conv', { strides: [1, 1], padding: [0, 0, 0, 0] }, [
        x,
        emit('reshape', { shape: [1, 1, n, n] }, [w]),
      ]);
};

/** y·W⁻¹ = (L⁻ᵀ·(U⁻ᵀ·yᵀ))ᵀ, the pixels as right-hand sides. */
export const luSolution = (emit: Emit, { lower, upper }: LuFactors, y: Var): Var => {
  const { shape } = y.type;
  const [n] = atLeast(1, lower.type.shape);
  const turned = (x: Var): Var => emit('permute', { permutation: [1, 0] }, [x]);
  const columns = turned(emit('reshape', { shape: [sizeOf(shape) / n, n] }, [y]));
  const half = emit('triangularSolve', { lower: false, transposed: true }, [upper, columns]);
  const solution = emit('triangularSolve', { lower: true, transposed: true }, [lower, half]);
  return emit('reshape', { shape }, [turned(solution)]);
};
