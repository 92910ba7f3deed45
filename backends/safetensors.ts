/** Reads and writes safetensors: a length, a JSON header with names, shapes and offsets, then the raw little-endian arrays. */
import { type Either, left, map, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../dsl/problem.js';

export type Tensor = { readonly shape: readonly number[]; readonly data: Float32Array };

/** The bytes of a file with these arrays, in order of name: the header, then each array as it lies in memory. */
export const safetensorsParts = (
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): readonly Uint8Array[] => {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  let end = 0;
  const entries = sorted.map(([name, { shape, data }]) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }] as const;
  });
  const header = Object.fromEntries([['__metadata__', metadata] as const, ...entries]);
  const text = new TextEncoder().encode(JSON.stringify(header));
  // The arrays start at a multiple of 8, as the format asks.
  const headerLength = Math.ceil(text.length / 8) * 8;
  const start = new Uint8Array(8 + headerLength).fill(0x20, 8);
  new DataView(start.buffer).setBigUint64(0, BigInt(headerLength), true);
  start.set(text, 8);
  return [
    start,
    ...sorted.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
};

/** The same in one piece. */
export const encodeSafetensors = (
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array => Buffer.concat(safetensorsParts(tensors, metadata));

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

/** What a file holds: float arrays by name, and words about them. */
export type SafetensorsFile = {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
};

const isText = (entry: readonly [string, unknown]): entry is [string, string] => typeof entry[1] === 'string';

type Span = { readonly name: string; readonly begin: number; readonly end: number };

/** Where arrays overlap, leave a gap or end before the file does; nothing where each begins at the end of the one before. */
const untiled = (spans: readonly Span[], length: number): string | undefined => {
  let at = 0;
  for (const { name, begin, end } of spans.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      return `${JSON.stringify(name)} at byte ${begin}, ${begin < at ? 'inside another array' : 'after a gap'}`;
    at = end;
  }
  return at === length ? undefined : `${length - at} bytes that belong to no array`;
};

/** The float arrays of a file, or what is wrong with it. */
export const decodeSafetensors = (
  path: string,
  bytes: Uint8Array,
): Either<readonly Problem[], ReadonlyMap<string, Tensor>> =>
  map(({ tensors }: SafetensorsFile) => tensors)(readSafetensors(path, bytes));

/** The same with the file's own words about it. */
export const readSafetensors = (
  path: string,
  bytes: Uint8Array,
): Either<readonly Problem[], SafetensorsFile> => {
  const bad = (found: string, expected: string) => left([problem(path, found, expected)]);
  if (bytes.length < 8) return bad(`${bytes.length} bytes`, 'a safetensors file of at least 8 bytes');
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (8 + headerLength > bytes.length)
    return bad(`${bytes.length} bytes`, `a header of ${headerLength} bytes`);
  const header = parseHeader(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  if (header === null) return bad('a header that is no JSON object', 'a safetensors header');
  const tensors = new Map<string, Tensor>();
  const spans: Span[] = [];
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
    const [begin = 0, end = 0] = entry['data_offsets'];
    const size = entry['shape'].reduce((a, b) => a * b, 1) * 4;
    if (end - begin !== size || 8 + headerLength + end > bytes.length) {
      return bad(
        `${bytes.length} bytes, cut short or inconsistent at ${JSON.stringify(name)}`,
        `${size} bytes for it`,
      );
    }
    spans.push({ name, begin, end });
    // A copy, since a Buffer's own slice would be a view of the whole file.
    const own = new Uint8Array(bytes.subarray(8 + headerLength + begin, 8 + headerLength + end));
    const data = new Float32Array(own.buffer);
    tensors.set(name, { shape: entry['shape'], data });
  }
  const stray = untiled(spans, bytes.length - 8 - headerLength);
  if (stray !== undefined)
    return bad(stray, 'arrays one after another that fill the file, as the format has them');
  const words = isRecord(header['__metadata__']) ? header['__metadata__'] : {};
  return right({ tensors, metadata: Object.fromEntries(Object.entries(words).filter(isText)) });
};
