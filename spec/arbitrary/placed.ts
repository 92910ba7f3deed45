/** Loop kernels that read or write at places: tables and entries of any layout, and indices of which some are nowhere. */
import fc from 'fast-check';
import type { ReductionName } from '../../compiler/ir/params.js';
import type { Access, LoopKernel, Store } from '../../compiler/loops/loop.js';
import { random } from './loop.js';

/** What an index may be beside a whole number. */
const odd = [NaN, Infinity, -Infinity, -1, -0.6, -0.5, -0, 0.5, 1.5, 1e9, -1e9, 3e38, 0.49999997];

/** Numbers about 0 … size − 1: most of them near a whole number, some of them nowhere. */
export const indices = (count: number, size: number, next: () => number): Float32Array =>
  Float32Array.from({ length: count }, () => {
    const kind = Math.floor((next() + 1) * 8);
    if (kind === 0) return odd[Math.floor(((next() + 1) / 2) * odd.length)] ?? NaN;
    const whole = Math.floor(((next() + 1) / 2) * (size + 2)) - 1;
    return kind < 4 ? whole + next() * 0.49 : whole;
  });

type Axis = { readonly extent: number; readonly role: 'row' | 'index' | 'entry' };

/** Strides of an array that has some of the axes, laid out in an order; −1 in it is a further axis of `size`. */
const laid = (
  axes: readonly Axis[],
  order: readonly number[],
  size: number,
  has: (axis: number) => boolean,
) => {
  const strides = axes.map(() => 0);
  let [length, further] = [1, 0];
  for (const axis of order) {
    if (axis < 0) {
      further = length;
      length *= size;
    } else if (has(axis)) {
      strides[axis] = length;
      length *= axes[axis]?.extent ?? 1;
    }
  }
  return { strides, length, further };
};

export type PlacedCase = { readonly kernel: LoopKernel; readonly inputs: readonly Float32Array[] };

/** Entries of a table where an index says, or what goes to each, under any operator; `shared` tables and indices have no rows. */
export const placedKernel = (extent: fc.Arbitrary<number>, most: number): fc.Arbitrary<PlacedCase> =>
  fc
    .array(
      fc.record({ extent, role: fc.constantFrom<Axis['role']>('row', 'index', 'index', 'entry', 'entry') }),
      {
        maxLength: 4,
      },
    )
    .filter((axes) => axes.reduce((size, axis) => size * axis.extent, 1) <= most)
    .chain((axes) => {
      const all = axes.map((_, i) => i);
      const shuffled = (of: readonly number[]) =>
        fc.shuffledSubarray([...of], { minLength: of.length, maxLength: of.length });
      return fc.record({
        axes: fc.constant(axes),
        size: extent,
        orders: fc.tuple(shuffled(all), shuffled([-1, ...all]), shuffled(all)),
        tableHasRows: fc.boolean(),
        indexHasRows: fc.boolean(),
        mode: fc.constantFrom<'read' | ReductionName>('read', 'read', 'add', 'add', 'max', 'min'),
        seed: fc.integer({ min: 1, max: 1 << 30 }),
      });
    })
    .map(({ axes, size, orders: [forIndex, forTable, forValues], mode, seed, ...has }) => {
      const role = (axis: number): Axis['role'] => axes[axis]?.role ?? 'entry';
      const index = laid(
        axes,
        forIndex,
        0,
        (axis) => role(axis) === 'index' || (role(axis) === 'row' && has.indexHasRows),
      );
      const table = laid(
        axes,
        forTable,
        size,
        (axis) => role(axis) === 'entry' || (role(axis) === 'row' && has.tableHasRows),
      );
      const values = laid(axes, forValues, 0, () => true);
      const plain = (buffer: number, { strides }: { readonly strides: readonly number[] }): Access => ({
        buffer,
        offset: 0,
        strides,
      });
      const placed = (buffer: number): Access => ({
        ...plain(buffer, table),
        place: { at: 1, stride: table.further },
      });
      const reads = mode === 'read';
      const store: Store = reads
        ? { ...plain(0, values), value: 3, mode: 'set' }
        : { ...placed(0), value: 3, mode };
      const next = random(seed);
      const array = (length: number): Float32Array => Float32Array.from({ length }, next);
      return {
        kernel: {
          extents: axes.map((axis) => axis.extent),
          loads: [plain(0, index), reads ? placed(1) : plain(1, values)],
          body: [
            { op: 'load', load: 0 },
            { op: 'whole', a: 0, size },
            { op: 'load', load: 1 },
            { op: 'add', a: 2, b: 2 },
          ],
          stores: [store],
          outputs: [reads ? values.length : table.length],
        },
        inputs: [indices(index.length, size, next), array(reads ? table.length : values.length)],
      };
    });
