/** WGSL that every kernel shares: the heap, the places of its arrays, numbers as literals, indices from a thread's number. */
import { at } from '../../compiler/loops/nest.js';
import type { Access } from '../../compiler/loops/loop.js';
import type { ReductionName } from '../../compiler/ir/params.js';
import { reductions } from '../../compiler/ir/primitives/reduction.js';

/** Places that a kernel may have: what a binding of its uniform block holds. */
export const placesOfKernel = 256;

/** Threads of a workgroup. */
export const groupSize = 256;

/**
 * What WGSL does not promise is made of bits: a NaN, an infinity, and comparisons with them. They are read from variables, since an
 * expression of constants may be neither.
 */
export const prelude = `@group(0) @binding(0) var<storage, read_write> heap: array<f32>;
@group(0) @binding(1) var<uniform> places: array<vec4<u32>, ${placesOfKernel / 4}>;
var<private> infinityBits: u32 = 0x7f800000u;
var<private> nanBits: u32 = 0x7fc00000u;
fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn add(a: f32, b: f32) -> f32 { return a + b; }
fn mul(a: f32, b: f32) -> f32 { return a * b; }
fn max_(a: f32, b: f32) -> f32 { return select(b, a, a > b || isNan(a)); }
fn min_(a: f32, b: f32) -> f32 { return select(b, a, a < b || isNan(a)); }
`;

/** The function of two numbers that an operator is. */
export const combined = (op: ReductionName, a: string, b: string): string =>
  op === 'add' ? `${a} + ${b}` : op === 'mul' ? `${a} * ${b}` : `${op}_(${a}, ${b})`;

/** A float32; what is not finite by its bits. */
export const literal = (value: number): string => {
  const x = Math.fround(value);
  if (Number.isNaN(x)) return 'bitcast<f32>(nanBits)';
  if (!Number.isFinite(x)) return `bitcast<f32>(infinityBits${x > 0 ? '' : ' | 0x80000000u'})`;
  if (Object.is(x, -0)) return 'bitcast<f32>(0x80000000u)';
  const digits = x.toPrecision(9);
  return `${/[.e]/.test(digits) ? digits : `${digits}.0`}f`;
};

export const identityOf = (op: ReductionName): string => literal(reductions[op].identity);

const unlessHere = '  // Here a run may end at once.\n';

/** A program of one entry: `body` has `group`, the number of its workgroup, and `thread`, the number of the thread in it. */
export const moduleOf = (
  body: string,
  { threads = groupSize, shared = '' }: { readonly threads?: number; readonly shared?: string } = {},
): string => `${prelude}${shared}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let group = i32(id.y * count.x + id.x);
  let thread = i32(local);
${unlessHere}${body}}
`;

/** The program that does nothing where the number at place k is 0. */
export const unlessZero = (source: string, k: number): string => {
  const flag = `heap[${placeOf(k)}]`;
  // All threads of a workgroup must come to a barrier, or none.
  return source.includes('workgroupBarrier')
    ? `${source.replace(
        unlessHere,
        `  if (local == 0u) { runs = select(1u, 0u, ${flag} == 0.0f); }
  if (workgroupUniformLoad(&runs) == 0u) { return; }
`,
      )}var<workgroup> runs: u32;
`
    : source.replace(unlessHere, `  if (${flag} == 0.0f) { return; }\n`);
};

export const placeOf = (k: number): string => `i32(places[${k >> 2}].${'xyzw'[k & 3]})`;

/** Statements that take a number apart into indices of axes, the last the fastest. */
export const indicesOf = (number: string, names: readonly string[], extents: readonly number[]): string => {
  const lines: string[] = [];
  let rest = number;
  for (let axis = names.length - 1; axis >= 0; axis--) {
    const name = names[axis] ?? '';
    if (axis === 0) lines.push(`let ${name} = ${rest};`);
    else {
      const next = `${name}_rest`;
      lines.push(
        `let ${name} = ${rest} % ${at(extents, axis)};`,
        `let ${next} = ${rest} / ${at(extents, axis)};`,
      );
      rest = next;
    }
  }
  return lines.map((text) => `  ${text}\n`).join('');
};

/** The sum of index times stride over axes. */
export const along = (names: readonly string[], strides: readonly number[]): string => {
  const terms = names.flatMap((name, axis) => {
    const stride = at(strides, axis);
    return stride === 0 ? [] : [stride === 1 ? name : `${name} * ${stride}`];
  });
  return terms.length === 0 ? '0' : terms.join(' + ');
};

/** The element of an access in the heap. */
export const elementOf = (base: string, { offset, strides }: Access, names: readonly string[]): string => {
  const sum = along(names, strides);
  return [base, ...(offset === 0 ? [] : [String(offset)]), ...(sum === '0' ? [] : [sum])]
    .join(' + ')
    .replaceAll('+ -', '- ');
};
