/** Entries at places that are read, and sums of what goes to each, by kernels of tfjs: what has no place goes to one after the last, which is zeros or dropped. */
import { elementAt } from '../../dsl/lookup.js';
import { sizeOfShape, type Type } from '../../compiler/ir/type.js';
import type { PlanDraft } from '../../compiler/loops/builder.js';
import type { Operand } from '../../compiler/loops/plan.js';

/** A table of tables: one for each row, or one. */
type Sizes = {
  readonly tables: number;
  /** Entries of each, and numbers of an entry. */
  readonly size: number;
  readonly width: number;
  /** Rows of an index, and places in a row. */
  readonly rows: number;
  readonly count: number;
};

const view = (x: Operand, shape: readonly number[]): Operand => ({ buffer: x.buffer, shape });

/** `entries` is what stands at the places. */
const sizesOf = (table: Type, index: Type, entries: Type, batch: number): Sizes => ({
  tables: table.rows === 0 ? 1 : batch * table.rows,
  size: elementAt(table.shape, 0),
  width: sizeOfShape(table.shape.slice(1)),
  rows: entries.rows === 0 ? 1 : batch * entries.rows,
  count: sizeOfShape(index.shape),
});

/** The place of each entry among those of all tables, each one longer than it is: an int32 for each. */
const placesOf = (plan: PlanDraft, index: Operand, { tables, size, rows, count }: Sizes): Operand => {
  const n = sizeOfShape(index.shape);
  const x = view(index, [n]);
  const number = (value: number): Operand => plan.constant([value], []);
  const whole = plan.kernel('Round', { x }, {}, [n]);
  const apart = plan.kernel('Abs', { x: plan.kernel('Sub', { a: x, b: whole }, {}, [n]) }, {}, [n]);
  const holds = (kernel: string, a: Operand, b: Operand): Operand =>
    plan.kernel('Cast', { x: plan.kernel(kernel, { a, b }, {}, [n]) }, { dtype: 'float32' }, [n]);
  const both = (a: Operand, b: Operand): Operand => plan.kernel('Multiply', { a, b }, {}, [n]);
  const inside = both(holds('Greater', whole, number(-0.5)), holds('Less', whole, number(size)));
  const found = both(holds('Less', apart, number(0.5)), inside);
  const condition = plan.kernel('NotEqual', { a: found, b: number(0) }, {}, [n]);
  const none = plan.constant(new Array<number>(n).fill(size), [n]);
  const place = plan.kernel('Select', { condition, t: whole, e: none }, {}, [n]);
  const own = plan.kernel('Cast', { x: place }, { dtype: 'int32' }, [n]);
  if (tables === 1) return view(own, [rows * count]);
  const begins = Array.from({ length: rows }, (_, row) => row * (size + 1));
  const all = plan.kernel(
    'Add',
    { a: view(own, [n / count, count]), b: plan.constant(begins, [rows, 1], 'int32') },
    {},
    [rows, count],
  );
  return view(all, [rows * count]);
};

export type Placed = {
  readonly plan: PlanDraft;
  readonly index: Operand;
  /** Types of the table, of the index and of what stands at its places. */
  readonly types: readonly [table: Type, index: Type, entries: Type];
  readonly batch: number;
  readonly shape: readonly number[];
};

export const gatherKernels = ({ plan, index, types, batch, shape }: Placed, table: Operand): Operand => {
  const sizes = sizesOf(...types, batch);
  const { tables, size, width, rows, count } = sizes;
  const paddings = [
    [0, 0],
    [0, 1],
    [0, 0],
  ];
  const x = plan.kernel('PadV2', { x: view(table, [tables, size, width]) }, { paddings, constantValue: 0 }, [
    tables,
    size + 1,
    width,
  ]);
  const entries = plan.kernel(
    'GatherV2',
    { x: view(x, [tables * (size + 1), width]), indices: placesOf(plan, index, sizes) },
    { axis: 0, batchDims: 0 },
    [rows * count, width],
  );
  return view(entries, shape);
};

export const scatterKernels = ({ plan, index, types, batch, shape }: Placed, values: Operand): Operand => {
  const sizes = sizesOf(...types, batch);
  const { tables, size, width, rows, count } = sizes;
  const places = placesOf(plan, index, sizes);
  const whole = [tables * (size + 1), width];
  const sums = plan.kernel(
    'ScatterNd',
    { indices: view(places, [rows * count, 1]), updates: view(values, [rows * count, width]) },
    { shape: whole },
    whole,
  );
  const inside = [tables, size, width];
  const cut = { begin: [0, 0, 0], size: inside };
  return view(plan.kernel('Slice', { x: view(sums, [tables, size + 1, width]) }, cut, inside), shape);
};
