/** How a variable is read without being moved: strides and an offset into the buffer of another. */
import { elementAt } from '../../dsl/lookup.js';
import { refined, refinement } from './refinement.js';
import type { Equation } from '../ir/program.js';
import { is, type Var } from '../ir/program.js';
import { stridesOf } from '../ir/primitives/structure.js';
import { physicalShape } from '../ir/type.js';

/**
 * Element (i, j, …) of `extents` is element offset + i·strides[0] + j·strides[1] + … of the source. The extents are those of the viewed
 * variable, or finer ones where it lies in its source by no stride of its own axes.
 */
export type View = {
  readonly source: Var;
  readonly offset: number;
  readonly strides: readonly number[];
  readonly extents: readonly number[];
};

/** A variable read in its own order. */
export const contiguous = (source: Var, shape: readonly number[]): View => ({
  source,
  offset: 0,
  strides: stridesOf(shape),
  extents: shape,
});

/** Whether a view is its source as it lies, from its first element on. */
export const isContiguous = ({ offset, strides, extents }: Omit<View, 'source'>): boolean =>
  offset === 0 && stridesOf(extents).every((stride, i) => extents[i] === 1 || strides[i] === stride);

/** Whether it reads elements more than once. */
export const repeats = ({ strides, extents }: Omit<View, 'source'>): boolean =>
  strides.some((stride, i) => stride === 0 && elementAt(extents, i) > 1);

/**
 * The view that a moving or marking equation's output is of its input's source; null where no strides describe it (a reshape of
 * repeated elements, say) and for equations that compute.
 */
export const viewThrough = (eq: Equation, input: View, batch: number): View | null => {
  const { source, offset, strides, extents } = input;
  const outShape = physicalShape(eq.out.type, batch);
  const own = eq.inputs[0] === undefined ? [] : physicalShape(eq.inputs[0].type, batch);
  const lead = eq.out.type.rows === 0 ? 0 : 1;
  if (is(eq, 'stop') || is(eq, 'statistics')) return input;
  if (is(eq, 'reshape') || is(eq, 'axisToBatch') || is(eq, 'batchToAxis')) {
    if (isContiguous(input)) return contiguous(source, outShape);
    const finer = repeats(input) ? refinement(extents, outShape) : null;
    return finer === null
      ? null
      : { source, offset, strides: refined(strides, extents, finer), extents: finer };
  }
  // Finer axes than its own: what moves those is not written for these.
  if (extents.join() !== own.join()) return null;
  if (is(eq, 'broadcast')) {
    const front = strides.slice(0, lead);
    const inner = eq.params.shape.map((_, i) => {
      const k = eq.params.axes.indexOf(i);
      return k < 0 ? 0 : elementAt(strides, lead + k);
    });
    return { source, offset, strides: [...front, ...inner], extents: outShape };
  }
  if (is(eq, 'broadcastBatch')) return { source, offset, strides: [0, ...strides], extents: outShape };
  if (is(eq, 'permute')) {
    const inner = eq.params.permutation.map((axis) => elementAt(strides, lead + axis));
    return { source, offset, strides: [...strides.slice(0, lead), ...inner], extents: outShape };
  }
  if (is(eq, 'slice')) {
    const start = eq.params.begin.reduce((sum, b, i) => sum + b * elementAt(strides, lead + i), 0);
    return { source, offset: offset + start, strides, extents: outShape };
  }
  return null;
};
