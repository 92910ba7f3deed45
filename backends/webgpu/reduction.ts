/** Reductions: threads of a workgroup each combine every so manieth element in order, then two by two; long ones in slices first. */
import { sortOuter, vectorAxis } from '../../compiler/loops/axes.js';
import { accesses, at, type Nest, permute, product } from '../../compiler/loops/nest.js';
import type { ReductionName } from '../../compiler/ir/params.js';
import type { Store } from '../../compiler/loops/loop.js';
import { bodyOf } from './body.js';
import { slotsOf } from './elements.js';
import { type Kernel, scratch, type Slot } from './kernel.js';
import { codeOf, combined, elementOf, groupSize, identityOf, indicesOf, mark, placeOf } from './wgsl.js';

/** Terms that a thread combines one by one before a reduction is cut into slices. */
const longRun = 256;
/** Workgroups that a device has work for. */
const busy = 512;
const mostSlices = 64;

/** A store with its operator, and whether it writes its result instead of adding it. */
export type Reduced = Store & { readonly mode: ReductionName; readonly direct: boolean };

/** The nest with the axes of the results before those that are reduced, and how many of each. */
export const keptFirst = (nest: Nest): { readonly nest: Nest; readonly kept: number } => {
  const [store] = nest.stores;
  const isKept = (axis: number): boolean => at(store?.strides ?? [], axis) !== 0;
  const axes = nest.extents.map((_, axis) => axis);
  const ordered = (chosen: readonly number[]): readonly number[] => {
    if (chosen.length < 2) return chosen;
    const part = permute(nest, chosen);
    return sortOuter(part, [vectorAxis(part, 32)]).map((i) => at(chosen, i));
  };
  const kept = ordered(axes.filter(isKept));
  const reduced = ordered(axes.filter((axis) => !isKept(axis)));
  return { nest: permute(nest, [...kept, ...reduced]), kept: kept.length };
};

/** How many accesses go to the next element along an axis. */
const contiguousAlong = (nest: Nest, axis: number): number =>
  axis < 0 ? 0 : accesses(nest).filter(({ strides }) => Math.abs(at(strides, axis)) === 1).length;

const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));

/** Sums of results that lie slice after slice, put together. */
export const slicesKernels = (
  extents: readonly number[],
  slices: number,
  stores: readonly Reduced[],
): readonly Kernel[] => {
  const size = product(extents);
  const strides = extents.map((_, axis) => product(extents.slice(axis + 1)));
  return stores.flatMap((store, i) =>
    reductionKernels(
      {
        extents: [...extents, slices],
        loads: [{ buffer: 0, offset: i * slices * size, strides: [...strides, size] }],
        body: [{ op: 'load', load: 0 }],
        stores: [{ ...store, value: 0, strides: [...store.strides.slice(0, extents.length), 0] }],
        mode: 'scalar',
      },
      [store.direct],
      true,
    ),
  );
};

/** Stores that reduce the same axes; `direct[i]`: store i writes its result instead of adding it. */
export const reductionKernels = (
  source: Nest,
  direct: readonly boolean[],
  fromScratch = false,
): readonly Kernel[] => {
  const { nest, kept } = keptFirst(source);
  const names = nest.extents.map((_, axis) => `x${axis}`);
  const [keptExtents, reducedExtents] = [nest.extents.slice(0, kept), nest.extents.slice(kept)];
  const [keptNames, reducedNames] = [names.slice(0, kept), names.slice(kept)];
  const [results, terms] = [product(keptExtents), product(reducedExtents)];
  const stores = nest.stores.flatMap((store, i): readonly Reduced[] =>
    store.mode === 'set' ? [] : [{ ...store, mode: store.mode, direct: direct[i] === true }],
  );

  // Neighbouring threads read neighbouring elements: those of one result, or one of each.
  const across = contiguousAlong(nest, kept - 1) >= contiguousAlong(nest, nest.extents.length - 1);
  const enough = results >= busy * groupSize || terms <= 16;
  const wide = enough ? groupSize : across ? Math.min(32, powerOfTwo(results)) : 1;
  const lanes = Math.min(groupSize / wide, powerOfTwo(terms));
  const threads = wide * lanes;
  const blocks = Math.ceil(results / wide);
  const slices = Math.min(
    mostSlices,
    Math.max(
      1,
      Math.ceil(terms / (lanes * longRun)),
      enough ? 1 : Math.min(Math.floor(busy / blocks), Math.floor(terms / (lanes * 32))),
    ),
  );
  const chunk = Math.ceil(terms / slices);

  const found = slotsOf(nest);
  const slots: readonly Slot[] = fromScratch
    ? found.slots.map((slot) => (slot.of === 'input' ? scratch : slot))
    : slices > 1
      ? [...found.slots.filter(({ of }) => of === 'input'), scratch]
      : found.slots;
  const body = bodyOf(
    nest,
    stores.map(({ value }) => value),
    names,
    found.inputs,
  );
  const partial = `p${slots.length - 1}`;
  const places = slots.map((_, k) => `  let p${k} = ${placeOf(k)};\n`).join('');
  const accumulators = stores.map(({ mode }, i) => `  var a${i} = ${identityOf(mode)};\n`).join('');
  const combine = stores
    .map(({ mode, value }, i) => `    a${i} = ${combined(mode, `a${i}`, body.value(value))};\n`)
    .join('');
  const tree =
    lanes === 1
      ? ''
      : `${stores.map((_, i) => `  s${i}${mark}[thread] = a${i};\n`).join('')}  workgroupBarrier();
  for (var h = ${lanes / 2}; h > 0; h /= 2) {
    if (lane < h) {
${stores.map(({ mode }, i) => `      s${i}${mark}[thread] = ${combined(mode, `s${i}${mark}[thread]`, `s${i}${mark}[thread + h * ${wide}]`)};\n`).join('')}    }
    workgroupBarrier();
  }
`;
  const written = stores.map((store, i) => {
    const value = lanes === 1 ? `a${i}` : `s${i}${mark}[thread]`;
    if (slices > 1)
      return `    heap[${partial} + ${i * slices * results} + slice * ${results} + i] = ${value};\n`;
    const place = elementOf(
      found.outputs(store.buffer),
      { ...store, strides: store.strides.slice(0, kept) },
      keptNames,
    );
    return store.direct
      ? `    heap[${place}] = ${value};\n`
      : `    { let at = ${place}; heap[at] = ${combined(store.mode, 'heap[at]', value)}; }\n`;
  });
  const first: Kernel = {
    code: codeOf(
      `${places}  let wide = thread % ${wide};
  let lane = thread / ${wide};
  let slice = group % ${slices};
  let i = (group / ${slices}) * ${wide} + wide;
${indicesOf('i', keptNames, keptExtents)}${accumulators}  if (i < ${results}) {
  let end = min(${terms}, (slice + 1) * ${chunk});
  for (var k = slice * ${chunk} + lane; k < end; k += ${lanes}) {
${indicesOf('k', reducedNames, reducedExtents)}${body.text}${combine}  }
  }
${tree}  if (lane == 0 && i < ${results}) {
${written.join('')}  }
`,
      {
        threads,
        numbers: lanes === 1 ? 0 : stores.length * threads,
        declarations:
          lanes === 1
            ? ''
            : stores.map((_, i) => `var<workgroup> s${i}${mark}: array<f32, ${threads}>;\n`).join(''),
      },
    ),
    groups: blocks * slices,
    slots,
    scratch: slices > 1 ? stores.length * slices * results : 0,
  };
  if (slices === 1) return [first];
  return [first, ...slicesKernels(keptExtents, slices, stores)];
};
