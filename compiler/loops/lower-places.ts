/** Entries at places that are read, and sums of what goes to each, as one loop: out[i, s] = table[round(index[i]), s] and its transpose. */
import { elementAt } from '../../dsl/lookup.js';
import { stridesOf } from '../ir/primitives/structure.js';
import { sizeOfShape, type Type } from '../ir/type.js';
import type { Access, LoopKernel } from './loop.js';
import type { Operand, PlanBuilder } from './plan.js';

/** Types of the table, of the index and of what stands at its places. */
export type PlaceTypes = { readonly table: Type; readonly index: Type; readonly entries: Type };

/** The loop's axes are those of the entries in memory: rows, if they have any, the index's, and those of an entry. */
const accessesOf = ({ table, index, entries }: PlaceTypes, extents: readonly number[]) => {
  const lead = entries.rows === 0 ? 0 : 1;
  const width = sizeOfShape(table.shape.slice(1));
  const size = elementAt(table.shape, 0);
  const count = sizeOfShape(index.shape);
  const rowStride = (type: Type, length: number): readonly number[] =>
    lead === 0 ? [] : [type.rows === 0 ? 0 : length];
  const none = (shape: readonly number[]): readonly number[] => shape.map(() => 0);
  const inner = stridesOf(table.shape.slice(1));
  const indexed: Access = {
    buffer: 0,
    offset: 0,
    strides: [...rowStride(index, count), ...stridesOf(index.shape), ...none(inner)],
  };
  const placed: Access = {
    buffer: 1,
    offset: 0,
    strides: [...rowStride(table, size * width), ...none(index.shape), ...inner],
    place: { at: 1, stride: width },
  };
  const plain: Access = { buffer: 1, offset: 0, strides: stridesOf(extents) };
  return { indexed, placed, plain, size };
};

/** The instructions that say a place, then a load. */
const bodyOf = (size: number): LoopKernel['body'] => [
  { op: 'load', load: 0 },
  { op: 'whole', a: 0, size },
  { op: 'load', load: 1 },
];

const run = (
  plan: PlanBuilder,
  loop: LoopKernel,
  inputs: readonly Operand[],
  shape: readonly number[],
): Operand => elementAt(plan.loop(loop, inputs, [shape]), 0);

export const lowerGather = (
  plan: PlanBuilder,
  types: PlaceTypes,
  [table, index]: readonly [table: Operand, index: Operand],
  shape: readonly number[],
): Operand => {
  const { indexed, placed, plain, size } = accessesOf(types, shape);
  const stores = [{ ...plain, buffer: 0, value: 2, mode: 'set' as const }];
  const loop = { extents: shape, loads: [indexed, placed], body: bodyOf(size), stores };
  return run(plan, { ...loop, outputs: [sizeOfShape(shape)] }, [index, table], shape);
};

export const lowerScatter = (
  plan: PlanBuilder,
  types: PlaceTypes,
  [values, index]: readonly [values: Operand, index: Operand],
  shape: readonly number[],
): Operand => {
  const { indexed, placed, plain, size } = accessesOf(types, values.shape);
  const stores = [{ ...placed, buffer: 0, value: 2, mode: 'add' as const }];
  const loop = { extents: values.shape, loads: [indexed, plain], body: bodyOf(size), stores };
  return run(plan, { ...loop, outputs: [sizeOfShape(shape)] }, [index, values], shape);
};
