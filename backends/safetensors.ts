/** Reads and writes safetensors: a length, a JSON header with names, shapes and offsets, then the raw little-endian arrays. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../dsl/problem.js';

export type Tensor = { readonly shape: readonly number[]; readonly data: Float32Array };

/** The bytes of a file with these arrays, in order of name. */
export const encodeSafetensors = (
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array => {
  const names = [...tensors.keys()].sort();
  let end = 0;
  const entries = names.map((name) => {
    const { shape, data } = tensors.get(name) ?? { shape: [], data: new Float32Array() };
    const begin = end;
    end += data.byteLength;
    return { name, data, begin, header: { dtype: 'F32', shape, data_offsets: [begin, end] } };
  });
  const header = Object.fromEntries([
    ['__metadata__', metadata],
    ...entries.map((e) => [e.name, e.header] as const),
  ]);
  const text = new TextEncoder().encode(JSON.stringify(header));
  // The arrays start at a multiple of 8, as the format asks.
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + end).fill(0x20, 8, 8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(text, 8);
  for (const { data, begin } of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8 + headerLength + begin);
  }
  return bytes;
};

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);
const isNumbers = (x: unknown): x is readonly number[] =>
  Array.isArray(x) && x.every((n) => typeof n === 'number' && Number.isInteger(n) && n >= 0);

const parseHeader = (text: string): Readonly<Record<string, unknown>> | null => {
  try {
    const header: unknown = JSON.parse(text);
    return isRecord(header) ? header : null;
  } catch {
    return null;
  }
};

/** The float arrays of a file, or what is wrong with it. */
export const decodeSafetensors = (
  path: string,
  bytes: Uint8Array,
): Either<readonly Problem[], ReadonlyMap<string, Tensor>> => {
  const bad = (found: string, expected: string) => left([problem(path, found, expected)]);
  if (bytes.length < 8) return bad(`${bytes.length} bytes`, 'a safetensors file of at least 8 bytes');
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (8 + headerLength > bytes.length)
    return bad(`${bytes.length} bytes`, `a header of ${headerLength} bytes`);
  const header = parseHeader(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  if (header === null) return bad('a header that is no JSON object', 'a safetensors header');
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    if (
      !isRecord(entry) ||
      entry['dtype'] !== 'F32' ||
      !isNumbers(entry['shape']) ||
      !isNumbers(entry['data_offsets'])
    ) {
      return bad(`entry ${JSON.stringify(name)} of another form`, 'dtype F32, shape and data_offsets');
    }
    const [begin, end] = entry['data_offsets'];
    const size = entry['shape'].reduce((a, b) => a * b, 1) * 4;
    if (end - begin !== size || 8 + headerLength + end > bytes.length) {
      return bad(
        `${bytes.length} bytes, cut short or inconsistent at ${JSON.stringify(name)}`,
        `${size} bytes for it`,
      );
    }
    // A copy, since a Buffer's own slice would be a view of the whole file.
    const own = new Uint8Array(bytes.subarray(8 + headerLength + begin, 8 + headerLength + end));
    const data = new Float32Array(own.buffer);
    tensors.set(name, { shape: entry['shape'], data });
  }
  return right(tensors);
};
