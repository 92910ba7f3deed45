/** Loops without reductions, a thread an element; and loops that must keep their order, one thread for all. */
import { vectorAxis, sortOuter } from '../../compiler/loops/axes.js';
import { movesAlone, rootsOf, variation } from '../../compiler/loops/loop-cost.js';
import type { Store } from '../../compiler/loops/loop.js';
import { at, dropUnits, merge, type Nest, permute, product } from '../../compiler/loops/nest.js';
import { elementAt } from '../../dsl/lookup.js';
import { type Body, bodyOf, further, isThere } from './body.js';
import { input, type Kernel, output, type Slot } from './kernel.js';
import { codeOf, combined, elementOf, groupSize, indicesOf, placeOf } from './wgsl.js';

/** The arrays of a nest, each once, and the names of their places. */
export const slotsOf = (
  nest: Nest,
): {
  readonly slots: readonly Slot[];
  readonly places: string;
  readonly inputs: (k: number) => string;
  readonly outputs: (k: number) => string;
} => {
  const read = [...new Set(nest.loads.map(({ buffer }) => buffer))].sort((a, b) => a - b);
  const written = [...new Set(nest.stores.map(({ buffer }) => buffer))].sort((a, b) => a - b);
  const slots = [...read.map(input), ...written.map(output)];
  return {
    slots,
    places: slots.map((_, k) => `  let p${k} = ${placeOf(k)};\n`).join(''),
    inputs: (buffer) => `p${read.indexOf(buffer)}`,
    outputs: (buffer) => `p${read.length + written.indexOf(buffer)}`,
  };
};

/** Neighbouring threads take neighbouring elements. */
export const inOrder = (source: Nest): Nest => {
  const nest = merge(dropUnits(source));
  if (nest.extents.length === 0) return nest;
  return merge(permute(nest, sortOuter(nest, [vectorAxis(nest, 32)])));
};

const stored = (store: Store, place: string, value: string, direct: boolean): string =>
  store.mode === 'set' || direct
    ? `    heap[${place}] = ${value};\n`
    : `    { let at = ${place}; heap[at] = ${combined(store.mode, 'heap[at]', value)}; }\n`;

/** The statement of a store among those of a body. */
const storedAt = (
  nest: Nest,
  store: Store,
  body: Body,
  outputs: (k: number) => string,
  names: readonly string[],
  direct: boolean,
): string => {
  const element = elementOf(outputs(store.buffer), store, names);
  if (store.place === undefined) return stored(store, element, body.value(store.value), direct);
  const says = body.value(store.place.at);
  const text = stored(store, further(nest, store, element, says), body.value(store.value), false);
  return `    if (${isThere(says)}) {\n${text}    }\n`;
};

/** Stores of every axis, in the order written: no two threads meet an element. `direct[i]`: store i need not look at what is there. */
export const elementsKernel = (source: Nest, direct: readonly boolean[] = []): Kernel => {
  const nest = inOrder(source);
  const names = nest.extents.map((_, axis) => `x${axis}`);
  const total = product(nest.extents);
  const { slots, places, inputs, outputs } = slotsOf(nest);
  const body = bodyOf(nest, rootsOf(nest.stores), names, inputs);
  const stores = nest.stores.map((store, i) =>
    storedAt(nest, store, body, outputs, names, direct[i] === true),
  );
  return {
    code: codeOf(`  let i = group * ${groupSize} + thread;
  if (i < ${total}) {
${places}${indicesOf('i', names, nest.extents)}${body.text}${stores.join('')}  }
`),
    groups: Math.ceil(total / groupSize),
    slots,
    scratch: 0,
  };
};

/**
 * A nest by threads that each have an index of some axes, one for all where there are none, and run the others element by element in the order
 * written.
 */
const inThreads = (nest: Nest, own: readonly number[], threads: number): Kernel => {
  const names = nest.extents.map((_, axis) => `x${axis}`);
  const { slots, places, inputs, outputs } = slotsOf(nest);
  const body = bodyOf(nest, rootsOf(nest.stores), names, inputs);
  const heads = names.flatMap((name, axis) =>
    own.includes(axis) ? [] : [`  for (var ${name} = 0; ${name} < ${at(nest.extents, axis)}; ${name}++) {\n`],
  );
  const stores = nest.stores.map((store) => storedAt(nest, store, body, outputs, names, false));
  const total = product(own.map((axis) => at(nest.extents, axis)));
  const indices = indicesOf(
    'i',
    own.map((axis) => names[axis] ?? ''),
    own.map((axis) => at(nest.extents, axis)),
  );
  const text = `${places}${indices}${heads.join('')}${body.text}${stores.join('')}${'  }\n'.repeat(heads.length)}`;
  return {
    code: codeOf(`  let i = group * ${threads} + thread;\n  if (i < ${total}) {\n${text}  }\n`, { threads }),
    groups: Math.ceil(total / threads),
    slots,
    scratch: 0,
  };
};

/** All of a nest by one thread, element by element in the order written. */
export const serialKernel = (nest: Nest): Kernel => inThreads(nest, [], 1);

/** Sums at places that are read: a thread for each index of the axes along which no place changes. */
export const placesKernel = (nest: Nest): Kernel => {
  const varies = variation(nest);
  const own = nest.extents.flatMap((_, axis) =>
    nest.stores.every((store) => movesAlone(store, axis, varies)) ? [axis] : [],
  );
  return inThreads(nest, own, groupSize);
};

/** Gives every element of an output one number. */
export const fillKernel = (size: number, buffer: number, value: number): Kernel =>
  elementsKernel({
    extents: [size],
    loads: [],
    body: [{ op: 'constant', value }],
    stores: [{ buffer, offset: 0, strides: [1], value: 0, mode: 'set' }],
    mode: 'scalar',
  });

/** Copies arrays of these sizes: first all sources, then where they go. */
export const movesKernel = (sizes: readonly number[]): Kernel => {
  const most = Math.max(...sizes);
  const moves = sizes.map(
    (size, k) => `  if (i < ${size}) { heap[${placeOf(sizes.length + k)} + i] = heap[${placeOf(k)} + i]; }\n`,
  );
  return {
    code: codeOf(`  let i = group * ${groupSize} + thread;\n${moves.join('')}`),
    groups: Math.ceil(most / groupSize),
    slots: [...sizes.map((_, k) => input(k)), ...sizes.map((_, k) => output(k))],
    scratch: 0,
  };
};

export const storesOf = (nest: Nest, which: readonly number[]): Nest => ({
  ...nest,
  stores: which.map((i) => elementAt(nest.stores, i)),
});
