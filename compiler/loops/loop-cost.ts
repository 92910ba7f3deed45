/** What a loop body costs, and along which axes its values change. */
import { elementAt } from '../../dsl/lookup.js';
import { type FunctionName, functions, isFunction } from '../ir/primitives/functions.js';
import type { Access, Instruction, Store } from './loop.js';
import type { Nest } from './nest.js';

type Operation = Exclude<Instruction['op'], FunctionName>;

const operations: { readonly [P in Operation]: number } = {
  load: 0,
  whole: 6,
  constant: 0,
  select: 1,
  neg: 1,
  add: 1,
  sub: 1,
  mul: 1,
  max: 1,
  min: 1,
  greater: 1,
  div: 5,
  divNoNan: 5,
  pow: 20,
};

const cyclesOf = (op: Instruction['op']): number => (isFunction(op) ? functions[op].cycles : operations[op]);

/** Rough cycles of an instruction on four lanes. */
export const weight = ({ op }: Instruction): number => cyclesOf(op);

/** Whether an operation costs more than to store its value and read it again. */
export const isExpensive = (op: Instruction['op']): boolean => cyclesOf(op) > 10;

/** Per instruction, the axes it varies along. */
export const variation = ({ body, loads }: Pick<Nest, 'body' | 'loads'>): readonly ReadonlySet<number>[] => {
  const sets: ReadonlySet<number>[] = [];
  for (const instruction of body) {
    const axes = new Set<number>();
    if (instruction.op === 'load') {
      elementAt(loads, instruction.load).strides.forEach((stride, axis) => {
        if (stride !== 0) axes.add(axis);
      });
    }
    for (const operand of operandsOf(instruction, loads))
      for (const axis of elementAt(sets, operand)) axes.add(axis);
    sets.push(axes);
  }
  return sets;
};

/** Earlier instructions that an instruction uses: of a load, what says its place. */
export const operandsOf = (instruction: Instruction, loads: readonly Access[]): readonly number[] => {
  if (instruction.op === 'load') return placeIn(elementAt(loads, instruction.load));
  if (instruction.op === 'constant') return [];
  if (instruction.op === 'select') return [instruction.a, instruction.b, instruction.c];
  return 'b' in instruction ? [instruction.a, instruction.b] : [instruction.a];
};

const placeIn = ({ place }: Access): readonly number[] => (place === undefined ? [] : [place.at]);

/** What stores need of a body: their values, and what says their places. */
export const rootsOf = (stores: readonly Store[]): readonly number[] =>
  stores.flatMap((store) => [store.value, ...placeIn(store)]);

/** Whether what says an access's place changes along an axis. */
export const placeVaries = (
  { place }: Access,
  axis: number,
  varies: readonly ReadonlySet<number>[],
): boolean => place !== undefined && elementAt(varies, place.at).has(axis);

/**
 * Whether an access moves along an axis by its stride alone, so that what it meets at one index it meets at no other: the axes along which
 * sums at places may run at once, with the same bits.
 */
export const movesAlone = (access: Access, axis: number, varies: readonly ReadonlySet<number>[]): boolean =>
  access.strides[axis] !== 0 && !placeVaries(access, axis, varies);
