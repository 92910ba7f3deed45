/** Where a nest reads and writes, as C expressions. */
import { elementAt } from '../../dsl/lookup.js';
import type { Access } from '../../compiler/loops/loop.js';

const times = (index: string, stride: number): string => (stride === 1 ? index : `${index} * ${stride}L`);

/** The address of an access: `indices` are the variables of its first axes, `extra` is a distance in elements beyond them. */
export const addressOf = (
  side: 'in' | 'out',
  { buffer, offset, strides }: Access,
  indices: readonly string[],
  extra = 0,
): string => {
  const terms = indices.flatMap((index, axis) => {
    const stride = elementAt(strides, axis);
    return stride === 0 || index === '0' ? [] : [times(index, stride)];
  });
  const fixed = offset + extra;
  return [`${side}${buffer}`, ...terms, ...(fixed === 0 ? [] : [String(fixed)])].join(' + ');
};
