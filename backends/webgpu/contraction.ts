/** Sums of products in tiles. */
import type { Nest } from '../../compiler/loops/nest.js';
import type { Target } from '../../compiler/loops/target.js';
import type { Kernel } from './kernel.js';

export const contractionKernels = (
  _nest: Nest,
  _direct: readonly boolean[],
  _target: Target,
): readonly Kernel[] | undefined => undefined;
