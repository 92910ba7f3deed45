/**
 * Sums of products, out[batch, m, n] += Σ_k a[batch, m, k] b[batch, k, n], in tiles: a workgroup of 16×16 threads brings 16 terms of its rows
 * and columns to its own memory, and each thread sums a few rows times a few columns. Long sums of few results are cut into slices.
 */
import type { Access } from '../../compiler/loops/loop.js';
import { at, merge, type Nest, permute, product } from '../../compiler/loops/nest.js';
import { type Product, productOf } from '../../compiler/loops/tiling.js';
import { slotsOf } from './elements.js';
import { type Kernel, scratch } from './kernel.js';
import { slicesKernels } from './reduction.js';
import { along, codeOf, indicesOf, mark, placeOf } from './wgsl.js';

/** Threads of a workgroup along each side of a tile, and terms that it takes at once. */
const side = 16;

/** Rows and columns of a thread, and slices of the sum. */
export type Tile = { readonly rows: number; readonly columns: number; readonly slices: number };

type Role = 'batch' | 'row' | 'column' | 'term';

const roleOf = (axis: number, { a, b }: Product, store: Access): Role => {
  const [left, right, kept] = [a, b, store].map(({ strides }) => at(strides, axis) !== 0);
  if (kept !== true) return 'term';
  return left === right ? 'batch' : left === true ? 'row' : 'column';
};

type Axes = {
  readonly names: readonly string[];
  readonly axes: readonly number[];
  readonly extents: readonly number[];
  readonly size: number;
};

/** The nest with its axes by role, and the axes of each. */
type Sorted = { readonly nest: Nest; readonly factors: Product } & Readonly<Record<Role, Axes>>;

const sorted = (source: Nest): Sorted | undefined => {
  const first = productOf(source);
  const store = source.stores[0];
  if (first === undefined || store === undefined) return undefined;
  const far = (axis: number): number =>
    [first.a, first.b, store].reduce((sum, { strides }) => sum + Math.abs(at(strides, axis)), 0);
  const roles: readonly Role[] = ['batch', 'row', 'column', 'term'];
  const order = roles.flatMap((role) =>
    source.extents
      .flatMap((_, axis) => (roleOf(axis, first, store) === role ? [axis] : []))
      .sort((x, y) => far(y) - far(x)),
  );
  const nest = merge(permute(source, order));
  const factors = productOf(nest);
  const to = nest.stores[0];
  if (factors === undefined || to === undefined) return undefined;
  const axesOf = (role: Role): Axes => {
    const axes = nest.extents.flatMap((_, axis) => (roleOf(axis, factors, to) === role ? [axis] : []));
    const extents = axes.map((axis) => at(nest.extents, axis));
    return { axes, extents, names: axes.map((axis) => `${role}${axis}`), size: product(extents) };
  };
  return {
    nest,
    factors,
    batch: axesOf('batch'),
    row: axesOf('row'),
    column: axesOf('column'),
    term: axesOf('term'),
  };
};

/** Processors of a device, and cycles that a term and a kernel take at least: of the middle of what there is. */
const device = { processors: 128, term: 24, kernel: 6000 };

/** Numbers of a workgroup's memory: of each term its rows and columns, and one beside each, so that threads do not wait for each other. */
const numbersOf = (rows: number, columns: number): number => side * (side * (rows + columns) + 2);

/** The tile that is expected to end first, of those that a workgroup has the memory for. */
const bestTile = ({ batch, row, column, term }: Sorted, bytes: number): Tile => {
  const sizes = [1, 2, 4, 8];
  let best: Tile = { rows: 1, columns: 1, slices: 1 };
  let least = Infinity;
  for (const rows of sizes)
    for (const columns of sizes.filter((count) => 4 * numbersOf(rows, count) <= bytes))
      for (let slices = 1; slices <= 64 && (slices === 1 || term.size / slices >= 4 * side); slices *= 2) {
        const groups =
          batch.size *
          Math.ceil(row.size / (side * rows)) *
          Math.ceil(column.size / (side * columns)) *
          slices;
        const work = 2 * (rows * columns + 1.5 * (rows + columns) + 2);
        const sums = batch.size * row.size * column.size * slices;
        const time =
          (term.size / slices) * Math.max(Math.ceil(groups / device.processors) * work, device.term) +
          (slices === 1 ? 0 : device.kernel + (4 * sums) / device.processors);
        if (time < least) [best, least] = [{ rows, columns, slices }, time];
      }
  return best;
};

const strideOf = ({ strides }: Access, { axes }: Axes): readonly number[] =>
  axes.map((axis) => at(strides, axis));

/** An operand in tiles of so many times 16 of its own axes: what is brought to a workgroup's memory, and how. */
const operand = (
  name: 'a' | 'b',
  access: Access,
  own: Axes,
  { batch, term }: Sorted,
  count: number,
  place: string,
): {
  readonly shared: string;
  readonly before: string;
  readonly read: (from: string) => string;
  readonly write: string;
} => {
  const wide = side * count;
  const [mine, terms] = [strideOf(access, own), strideOf(access, term)];
  // Neighbouring threads read along whichever axis is nearer.
  const byTerm = Math.abs(terms.at(-1) ?? Infinity) < Math.abs(mine.at(-1) ?? Infinity);
  const parts = Array.from({ length: count }, (_, s) => s);
  const ofTile = (s: number): string =>
    byTerm ? `thread / ${side} + ${side * s}` : `(thread + ${side * side * s}) % ${wide}`;
  const ofTerm = (s: number): string =>
    byTerm ? `thread % ${side}` : `(thread + ${side * side * s}) / ${wide}`;
  const base = `${place} + ${access.offset} + ${along(batch.names, strideOf(access, batch))}`;
  return {
    shared: `var<workgroup> shared_${name}${mark}: array<f32, ${side * (wide + 1)}>;\n`,
    before: parts
      .map(
        (s) => `  let ${name}_own${s} = ${name}_start + ${ofTile(s)};
  let ${name}_in${s} = ${name}_own${s} < ${own.size};
  var ${name}_value${s} = 0.0f;
  var ${name}_at${s} = ${base};
  {
${indicesOf(`${name}_own${s}`, own.names, own.extents)}    ${name}_at${s} += ${along(own.names, mine)};
  }
`,
      )
      .join(''),
    read: (from) =>
      parts
        .map(
          (s) => `    ${name}_value${s} = 0.0f;
    {
      let k = ${from} + ${ofTerm(s)};
      if (${name}_in${s} && k < end) {
${indicesOf('k', term.names, term.extents)}        ${name}_value${s} = heap[${name}_at${s} + ${along(term.names, terms)}];
      }
    }
`,
        )
        .join(''),
    write: parts
      .map(
        (s) =>
          `    shared_${name}${mark}[(${ofTerm(s)}) * ${wide + 1} + ${ofTile(s)}] = ${name}_value${s};\n`,
      )
      .join(''),
  };
};

/** The kernels of a nest whose axes have roles, in tiles of this size. */
const tiledKernels = (all: Sorted, { rows, columns, slices }: Tile, direct: boolean): readonly Kernel[] => {
  const { nest, factors, batch, row, column, term } = all;
  const [store] = nest.stores;
  if (store?.mode !== 'add') return [];
  const found = slotsOf(nest);
  const slots = slices === 1 ? found.slots : [...found.slots.filter(({ of }) => of === 'input'), scratch];
  const [tall, wide] = [side * rows, side * columns];
  const [down, across] = [Math.ceil(row.size / tall), Math.ceil(column.size / wide)];
  const a = operand('a', factors.a, row, all, rows, found.inputs(factors.a.buffer));
  const b = operand('b', factors.b, column, all, columns, found.inputs(factors.b.buffer));
  const each = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (__, j) => ({ i, j })),
  ).flat();
  const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
  const results = batch.size * row.size * column.size;
  const chunk = Math.ceil(term.size / slices / side) * side;
  const to = `p${slots.length - 1}`;
  const base = `${to} + ${store.offset} + ${along(batch.names, strideOf(store, batch))}`;
  const place = (name: string, own: Axes, index: string): string => `  var ${name} = 0;
  {
${indicesOf(index, own.names, own.extents)}    ${name} = ${along(own.names, strideOf(store, own))};
  }
`;
  const written = ({ i, j }: (typeof each)[number]): string => {
    const inside = `row_${i} < ${row.size} && column_${j} < ${column.size}`;
    if (slices > 1)
      return `  if (${inside}) { heap[${to} + slice * ${results} + (which * ${row.size} + row_${i}) * ${column.size} + column_${j}] = c${i}_${j}; }\n`;
    const element = `${base} + to_row${i} + to_column${j}`;
    return direct
      ? `  if (${inside}) { heap[${element}] = c${i}_${j}; }\n`
      : `  if (${inside}) { let at = ${element}; heap[at] = heap[at] + c${i}_${j}; }\n`;
  };
  const kernel: Kernel = {
    code: codeOf(
      `${slots.map((_, k) => `  let p${k} = ${placeOf(k)};\n`).join('')}  let slice = group % ${slices};
  let tile = group / ${slices};
  let b_start = tile % ${across} * ${wide};
  let a_start = tile / ${across} % ${down} * ${tall};
  let which = tile / ${across * down};
${indicesOf('which', batch.names, batch.extents)}${a.before}${b.before}  let down = thread / ${side};
  let along = thread % ${side};
${each.map(({ i, j }) => `  var c${i}_${j} = 0.0f;\n`).join('')}  let end = min(${term.size}, (slice + 1) * ${chunk});
${a.read(`slice * ${chunk}`)}${b.read(`slice * ${chunk}`)}  for (var first = slice * ${chunk}; first < end; first += ${side}) {
    workgroupBarrier();
${a.write}${b.write}    workgroupBarrier();
    // The next terms are on their way while these are summed.
${a.read(`first + ${side}`)}${b.read(`first + ${side}`)}    for (var k = 0; k < ${side}; k++) {
${range(rows)
  .map((i) => `      let a${i} = shared_a${mark}[k * ${tall + 1} + down + ${side * i}];\n`)
  .join('')}${range(columns)
        .map((j) => `      let b${j} = shared_b${mark}[k * ${wide + 1} + along + ${side * j}];\n`)
        .join('')}${each.map(({ i, j }) => `      c${i}_${j} += a${i} * b${j};\n`).join('')}    }
  }
${range(rows)
  .map(
    (i) =>
      `  let row_${i} = a_start + down + ${side * i};\n${slices > 1 ? '' : place(`to_row${i}`, row, `row_${i}`)}`,
  )
  .join('')}${range(columns)
        .map(
          (j) =>
            `  let column_${j} = b_start + along + ${side * j};\n${slices > 1 ? '' : place(`to_column${j}`, column, `column_${j}`)}`,
        )
        .join('')}${each.map(written).join('')}`,
      { declarations: a.shared + b.shared, numbers: numbersOf(rows, columns) },
    ),
    groups: batch.size * down * across * slices,
    slots,
    scratch: slices === 1 ? 0 : slices * results,
  };
  if (slices === 1) return [kernel];
  const kept = [...batch.axes, ...row.axes, ...column.axes];
  return [
    kernel,
    ...slicesKernels(
      kept.map((axis) => at(nest.extents, axis)),
      slices,
      [{ ...store, mode: 'add', direct, strides: kept.map((axis) => at(store.strides, axis)) }],
    ),
  ];
};

/** Fewer rows or columns are not worth a tile. */
const least = 16;

/** How sums of products are cut: by a tile that is given, else by the best that a workgroup of so many bytes has memory for. */
export type Cutting = { readonly bytes: number; readonly tile?: Tile | undefined };

/** Undefined where the nest is no sum of products that is worth tiles; a tile that is given is taken. */
export const contractionKernels = (
  nest: Nest,
  direct: readonly boolean[],
  { bytes, tile }: Cutting,
): readonly Kernel[] | undefined => {
  const all = sorted(nest);
  if (all === undefined) return undefined;
  const { row, column, term } = all;
  if (tile === undefined && (row.size < least || column.size < least || term.size < 8)) return undefined;
  return tiledKernels(all, tile ?? bestTile(all, bytes), direct[0] === true);
};
