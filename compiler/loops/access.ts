/** How a variable is read without being moved: strides and an offset into the buffer of another. */
import { elementAt } from '../../dsl/lookup.js';
import type { Equation } from '../ir/program.js';
import { is, type Var } from '../ir/program.js';
import { stridesOf } from '../ir/primitives/structure.js';
import { physicalShape } from '../ir/type.js';

/** Element (i, j, …) of the viewed variable is element offset + i·strides[0] + j·strides[1] + … of the source. */
export type View = { readonly source: Var; readonly offset: number; readonly strides: readonly number[] };

/** A variable read in its own order. */
export const contiguous = (source: Var, shape: readonly number[]): View => ({
  source,
  offset: 0,
  strides: stridesOf(shape),
});

/** Whether a view is its source as it lies, from its first element on. */
export const isContiguous = ({ offset, strides }: View, shape: readonly number[]): boolean =>
  offset === 0 && stridesOf(shape).every((stride, i) => shape[i] === 1 || strides[i] === stride);

/**
 * The view that a moving or marking equation's output is of its input's source; null where no strides describe it (a reshape of
 * repeated elements, say) and for equations that compute.
 */
export const viewThrough = (eq: Equation, input: View, batch: number): View | null => {
  const { source, offset, strides } = input;
  const outShape = physicalShape(eq.out.type, batch);
  const own = eq.inputs[0] === undefined ? [] : physicalShape(eq.inputs[0].type, batch);
  const lead = eq.out.type.rows === 0 ? 0 : 1;
  if (is(eq, 'broadcast')) {
    const front = strides.slice(0, lead);
    const inner = eq.params.shape.map((_, i) => {
      const k = eq.params.axes.indexOf(i);
      return k < 0 ? 0 : elementAt(strides, lead + k);
    });
    return { source, offset, strides: [...front, ...inner] };
  }
  if (is(eq, 'stop') || is(eq, 'statistics')) return input;
  if (is(eq, 'broadcastBatch')) return { source, offset, strides: [0, ...strides] };
  if (is(eq, 'permute')) {
    const inner = eq.params.permutation.map((axis) => elementAt(strides, lead + axis));
    return { source, offset, strides: [...strides.slice(0, lead), ...inner] };
  }
  if (is(eq, 'slice')) {
    const start = eq.params.begin.reduce((sum, b, i) => sum + b * elementAt(strides, lead + i), 0);
    return { source, offset: offset + start, strides };
  }
  if (is(eq, 'reshape') || is(eq, 'axisToBatch') || is(eq, 'batchToAxis')) {
    return isContiguous(input, own) ? contiguous(source, outShape) : null;
  }
  return null;
};
