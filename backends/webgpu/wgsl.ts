/** WGSL that every kernel shares: the heap, the places of its arrays, numbers as literals, indices from a thread's number. */
import { at } from '../../compiler/loops/nest.js';
import type { Access } from '../../compiler/loops/loop.js';
import type { ReductionName } from '../../compiler/ir/params.js';
import { reductions } from '../../compiler/ir/primitives/reduction.js';

/** Places that a kernel may have: what a binding of its uniform block holds. */
export const placesOfKernel = 256;

/** Bytes of a workgroup's memory that WebGPU guarantees. */
export const mostBytes = 16_384;

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
fn place(k: u32) -> i32 { return i32(places[k >> 2u][k & 3u]); }
fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
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
  // All digits: the largest number, rounded to nine of them, would be none.
  const digits = String(x);
  return `${/[.e]/.test(digits) ? digits : `${digits}.0`}f`;
};

export const identityOf = (op: ReductionName): string => literal(reductions[op].identity);

/** What stands behind the names of a kernel's own declarations, for the number of its part in a program. */
export const mark = '§';

/** A kernel's part of a program. */
export type Code = {
  /** Statements that have `group`, the number of a workgroup, and `thread`, the number of a thread in it. */
  readonly body: string;
  /** Functions and a workgroup's arrays, their names with the mark. */
  readonly declarations: string;
  /** Of a workgroup. */
  readonly threads: number;
  /** Bytes of a workgroup's memory. */
  readonly bytes: number;
};

export const codeOf = (
  body: string,
  {
    threads = groupSize,
    declarations = '',
    numbers = 0,
  }: { readonly threads?: number; readonly declarations?: string; readonly numbers?: number } = {},
): Code => ({ body, declarations, threads, bytes: 4 * numbers });

/** The place of array k of a kernel. */
export const placeOf = (k: number): string => `place(base + ${k}u)`;

/** Some workgroups of a program: a kernel, how many, the number of places before its own, and the place of a number that is 0 where it does nothing. */
export type Part = {
  readonly code: Code;
  readonly groups: number;
  readonly base: number;
  readonly unless?: number | undefined;
};

/** All threads of a workgroup must come to a barrier, or none. */
const endOf = ({ code, unless }: Part): string => {
  if (unless === undefined) return '';
  const flag = `heap[${placeOf(unless)}]`;
  return code.body.includes('workgroupBarrier')
    ? `  if (thread == 0) { runs${mark} = select(1u, 0u, ${flag} == 0.0f); }
  if (workgroupUniformLoad(&runs${mark}) == 0u) { return; }
`
    : `  if (${flag} == 0.0f) { return; }\n`;
};

/** One program of parts that run at once, each in workgroups of its own. */
export const moduleOf = (parts: readonly Part[]): string => {
  const functions: string[] = [];
  const numbers = new Map<string, number>();
  let groups = 0;
  const cases = parts.map((part) => {
    const { code } = part;
    const end = endOf(part);
    const text = `${code.declarations}${end.includes(mark) ? `var<workgroup> runs${mark}: u32;\n` : ''}fn part${mark}(group: i32, thread: i32, base: u32) {
${end}${code.body}}
`;
    const number = numbers.get(text) ?? functions.push(text) - 1;
    numbers.set(text, number);
    const call = `part${number}(group - ${groups}, thread, ${part.base}u);`;
    groups += part.groups;
    return `if (group < ${groups}) { ${call} }`;
  });
  return `${prelude}${functions.map((text, i) => text.replaceAll(mark, String(i))).join('')}
@compute @workgroup_size(${parts[0]?.code.threads ?? 1})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let group = i32(id.y * count.x + id.x);
  let thread = i32(local);
  ${cases.join(' else ')}
}
`;
};

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
