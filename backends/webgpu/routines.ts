/** The kernels of routines: a thread a matrix; factors as compiler/ir/primitives/factorization.ts and reflections.ts have them. */
import { firstJitter } from '../../compiler/ir/primitives/factorization.js';
import type { Routine } from '../../compiler/loops/plan.js';
import { elementAt } from '../../dsl/lookup.js';
import { elementsKernel } from './elements.js';
import { input, type Kernel, output, type Place, scratch } from './kernel.js';
import { codeOf, groupSize, literal, mark, placeOf } from './wgsl.js';

/** Where an array of whole numbers is. */
export type Table = (values: readonly number[]) => Place;

/** An array of so many numbers. */
type Sized = { readonly place: Place; readonly size: number };

type RoutineCall = { readonly kernel: Kernel; readonly places: readonly Place[] };

/** A thread for each of so many; `body` has its number i. */
const threadEach = (count: number, inputs: number, body: string, threads = 32, before = ''): Kernel => ({
  code: codeOf(
    `  let i = group * ${threads} + thread;
  if (i >= ${count}) { return; }
${Array.from({ length: inputs + 1 }, (_, k) => `  let p${k} = ${placeOf(k)};\n`).join('')}${body}`,
    { threads, declarations: before },
  ),
  groups: Math.ceil(count / threads),
  slots: [...Array.from({ length: inputs }, (_, k) => input(k)), output(0)],
  scratch: 0,
});

const cholesky = (count: number, n: number, jitters: number): Kernel =>
  threadEach(
    count,
    1,
    `  let a = p0 + i * ${n * n};
  let l = p1 + i * ${n * n};
  var trace = 0.0f;
  for (var k = 0; k < ${n}; k++) { trace += heap[a + k * ${n + 1}]; }
  for (var k = 0; k < ${n * n}; k++) { heap[l + k] = 0.0f; }
  var jitter = 0.0f;
  var attempt = 0;
  while (attempt <= ${jitters} && !factor${mark}(a, l, jitter)) {
    jitter = select(jitter * 10.0f, trace / ${n}.0f * ${literal(firstJitter)}, attempt == 0);
    attempt++;
  }
  if (attempt > ${jitters}) {
    for (var r = 0; r < ${n}; r++) { for (var c = 0; c <= r; c++) { heap[l + r * ${n} + c] = ${literal(NaN)}; } }
  }
`,
    32,
    `fn factor${mark}(a: i32, l: i32, jitter: f32) -> bool {
  for (var j = 0; j < ${n}; j++) {
    var pivot = heap[a + j * ${n + 1}] + jitter;
    for (var k = 0; k < j; k++) { let x = heap[l + j * ${n} + k]; pivot -= x * x; }
    if (!(pivot > 0.0f && pivot < ${literal(Infinity)})) { return false; }
    let root = sqrt(pivot);
    heap[l + j * ${n + 1}] = root;
    for (var r = j + 1; r < ${n}; r++) {
      var entry = heap[a + r * ${n} + j];
      for (var k = 0; k < j; k++) { entry -= heap[l + r * ${n} + k] * heap[l + j * ${n} + k]; }
      heap[l + r * ${n} + j] = entry / root;
    }
  }
  return true;
}
`,
  );

const triangles = (
  { n, columns: m, params }: Extract<Routine, { name: 'triangularSolve' }>,
  systems: number,
  each: boolean,
): Kernel => {
  const forward = params.lower !== params.transposed;
  const [di, dk] = params.transposed ? [1, n] : [n, 1];
  return threadEach(
    systems * m,
    2,
    `  let r = i / ${m};
  let c = i % ${m};
  let a = p0${each ? ` + r * ${n * n}` : ''};
  let b = p1 + r * ${n * m} + c;
  let x = p2 + r * ${n * m} + c;
  for (var s = 0; s < ${n}; s++) {
    let row = ${forward ? 's' : `${n - 1} - s`};
    var value = heap[b + row * ${m}];
    for (var k = ${forward ? '0' : 'row + 1'}; k < ${forward ? 'row' : n}; k++) {
      value -= heap[a + row * ${di} + k * ${dk}] * heap[x + k * ${m}];
    }
    heap[x + row * ${m}] = value / heap[a + row * ${di + dk}];
  }
`,
  );
};

/** Rows of w are reflected one after another; the factor is what is left of them. */
const lq = ({ n, m, params: { jitter, least } }: Extract<Routine, { name: 'lq' }>, count: number): Kernel => {
  const most = m + n;
  const kernel = threadEach(
    count,
    2,
    `  let a = p0 + i * ${n * m};
  let w = p1 + i * ${n * most};
  let l = p2 + i * ${n * n};
  for (var k = 0; k < ${n * m}; k++) { heap[w + k / ${m} * ${most} + k % ${m}] = heap[a + k]; }
  var known = reflectRows${mark}(w, ${m}, ${literal(least)});
${
  jitter > 0
    ? `  if (!known) {
    var squares = 0.0f;
    for (var k = 0; k < ${n * m}; k++) { squares += heap[a + k] * heap[a + k]; }
    let root = sqrt(${literal(jitter)} * squares / ${n}.0f);
    for (var r = 0; r < ${n}; r++) {
      for (var k = 0; k < ${most}; k++) {
        if (k < ${m}) { heap[w + r * ${most} + k] = heap[a + r * ${m} + k]; }
        else { heap[w + r * ${most} + k] = select(0.0f, root, k == ${m} + r); }
      }
    }
    known = reflectRows${mark}(w, ${most}, 0.0f);
  }
`
    : ''
}  for (var r = 0; r < ${n}; r++) {
    for (var c = 0; c < ${n}; c++) {
      var value = 0.0f;
      if (c <= r) { value = select(${literal(NaN)}, heap[w + r * ${most} + c], known); }
      heap[l + r * ${n} + c] = value;
    }
  }
`,
    32,
    `fn reflectRows${mark}(w: i32, width: i32, least: f32) -> bool {
  var independent = true;
  for (var k = 0; k < ${n}; k++) {
    let own = w + k * ${most};
    var before = 0.0f;
    var square = 0.0f;
    for (var c = 0; c < k; c++) { before += heap[own + c] * heap[own + c]; }
    for (var c = k; c < width; c++) { square += heap[own + c] * heap[own + c]; }
    if (!(square > least * least * (before + square) && square < ${literal(Infinity)})) { independent = false; }
    let length = sqrt(square);
    let head = heap[own + k];
    let diagonal = select(length, -length, head > 0.0f);
    heap[own + k] = head - diagonal;
    let part = square - diagonal * head;
    for (var j = k + 1; j < ${n}; j++) {
      let other = w + j * ${most};
      var along = 0.0f;
      for (var c = k; c < width; c++) { along += heap[own + c] * heap[other + c]; }
      var share = 0.0f;
      if (part != 0.0f) { share = along / part; }
      for (var c = k; c < width; c++) { heap[other + c] -= share * heap[own + c]; }
      if (diagonal < 0.0f) { heap[other + k] = -heap[other + k]; }
    }
    heap[own + k] = length;
    for (var c = k + 1; c < width; c++) { heap[own + c] = 0.0f; }
  }
  return independent;
}
`,
  );
  return { ...kernel, slots: [input(0), scratch, output(0)], scratch: count * n * most };
};

/** Numbers of scratch memory. */
export const routineScratch = (routine: Routine, sizes: readonly number[]): number =>
  routine.name === 'lq' ? (elementAt(sizes, 0) / routine.m) * (routine.m + routine.n) : 0;

export const routineCalls = (
  routine: Routine,
  inputs: readonly Sized[],
  to: Place,
  own: Place,
  table: Table,
): readonly RoutineCall[] => {
  const { place: from, size } = elementAt(inputs, 0);
  switch (routine.name) {
    case 'cholesky':
      return [
        { kernel: cholesky(size / routine.n ** 2, routine.n, routine.params.jitters), places: [from, to] },
      ];
    case 'lq':
      return [{ kernel: lq(routine, size / (routine.n * routine.m)), places: [from, own, to] }];
    case 'triangularSolve': {
      const { n, columns } = routine;
      const right = elementAt(inputs, 1);
      const kernel = triangles(routine, right.size / (n * columns), size !== n * n);
      return [{ kernel, places: [from, right.place, to] }];
    }
    case 'reorder': {
      const { order } = routine;
      const n = order.length;
      const kernel = threadEach(
        size,
        2,
        `  heap[p2 + i] = heap[p0 + i / ${n} * ${n} + i32(heap[p1 + i % ${n}])];\n`,
        groupSize,
      );
      return [{ kernel, places: [from, table(order), to] }];
    }
    case 'join': {
      const { widths } = routine;
      const width = widths.reduce((sum, n) => sum + n, 0);
      const rows = size / elementAt(widths, 0);
      return widths.map((extent, k) => {
        const kernel = elementsKernel({
          extents: [rows, extent],
          loads: [{ buffer: 0, offset: 0, strides: [extent, 1] }],
          body: [{ op: 'load', load: 0 }],
          stores: [
            {
              buffer: 0,
              offset: widths.slice(0, k).reduce((sum, n) => sum + n, 0),
              strides: [width, 1],
              value: 0,
              mode: 'set',
            },
          ],
          mode: 'scalar',
        });
        return { kernel, places: [elementAt(inputs, k).place, to] };
      });
    }
  }
};
