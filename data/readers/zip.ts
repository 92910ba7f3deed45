/** Zip archives: entries by name from the central directory at the end, stored or deflated, with zip64 sizes (PKWARE, *APPNOTE.TXT* 6.3). Nothing larger than it promises is inflated, and every checksum is checked. */
import { atLeast } from '../../dsl/lookup.js';
import { crc32, inflateRaw } from 'node:zlib';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../dsl/problem.js';
import { again, messageOf, MOST_BYTES } from './file.js';

type Problems = readonly Problem[];

export type ZipEntry = {
  readonly name: string;
  /** Inflated. */
  readonly size: number;
  readonly bytes: TaskEither.TaskEither<Problems, Uint8Array>;
};

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** A 32-bit field that says "see the zip64 extra field". */
const ELSEWHERE = 0xffffffff;
const ZIP64_FIELD = 1;

class Damaged extends Error {}

const damaged = (what: string): never => {
  throw new Damaged(what);
};

/** Where the central directory lies; a comment of up to 65,535 bytes may follow the record that says so. */
const directory = (view: DataView): { readonly entries: number; readonly offset: number } => {
  const first = Math.max(0, view.byteLength - 22 - 65_535);
  let at = view.byteLength - 22;
  while (at >= first && view.getUint32(at, true) !== END) at--;
  if (at < first) damaged('no directory at its end');
  const entries = view.getUint16(at + 10, true);
  const offset = view.getUint32(at + 16, true);
  const locator = at - 20;
  if (locator < 0 || view.getUint32(locator, true) !== LOCATOR_64) return { entries, offset };
  const end64 = Number(view.getBigUint64(locator + 8, true));
  if (view.getUint32(end64, true) !== END_64) damaged('a zip64 directory that is not where it is said to be');
  return {
    entries: Number(view.getBigUint64(end64 + 32, true)),
    offset: Number(view.getBigUint64(end64 + 48, true)),
  };
};

type Header = {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly checksum: number;
  readonly packed: number;
  readonly size: number;
  readonly local: number;
  readonly next: number;
};

/** The sizes and the offset of an entry, in 64 bits where 32 do not hold them. */
const wide = (view: DataView, from: number, to: number, fields: readonly number[]): readonly number[] => {
  for (let at = from; at + 4 <= to; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== ZIP64_FIELD) continue;
    let next = at + 4;
    return fields.map((field) => {
      if (field !== ELSEWHERE) return field;
      next += 8;
      return Number(view.getBigUint64(next - 8, true));
    });
  }
  return fields;
};

const headerAt = (bytes: Uint8Array, view: DataView, at: number): Header => {
  if (view.getUint32(at, true) !== CENTRAL) damaged('a directory entry that is none');
  const nameLength = view.getUint16(at + 28, true);
  const extra = at + 46 + nameLength;
  const extraEnd = extra + view.getUint16(at + 30, true);
  const [size, packed, local] = atLeast(
    3,
    wide(view, extra, extraEnd, [
      view.getUint32(at + 24, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 42, true),
    ]),
  );
  return {
    name: new TextDecoder().decode(bytes.subarray(at + 46, extra)),
    method: view.getUint16(at + 10, true),
    encrypted: (view.getUint16(at + 8, true) & 1) === 1,
    checksum: view.getUint32(at + 16, true),
    packed,
    size,
    local,
    next: extraEnd + view.getUint16(at + 32, true),
  };
};

const inflated = (packed: Uint8Array, size: number): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    inflateRaw(packed, { maxOutputLength: Math.max(1, size) }, (error, result) =>
      error === null ? resolve(result) : reject(error),
    );
  });

const content =
  (
    path: string,
    archive: Uint8Array,
    view: DataView,
    header: Header,
  ): TaskEither.TaskEither<Problems, Uint8Array> =>
  async () => {
    const { method, packed, size, local, checksum, encrypted } = header;
    const fail = (found: string, expected: string, hint?: string): Either<Problems, never> =>
      left([problem(path, found, expected, hint)]);
    if (encrypted) return fail('an encrypted entry', 'an entry without a password');
    if (method !== 0 && method !== 8) return fail(`compression method ${method}`, 'none (0) or deflate (8)');
    if (size > MOST_BYTES) return fail(`an entry that promises ${size} bytes`, `at most ${MOST_BYTES} bytes`);
    try {
      if (view.getUint32(local, true) !== LOCAL)
        return fail('a header that is none', 'an intact zip archive', again);
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const bytes = archive.subarray(start, start + packed);
      if (bytes.length < packed) return fail(`${bytes.length} bytes`, `${packed} bytes`, again);
      const values = method === 0 ? bytes : await inflated(bytes, size);
      if (values.length !== size)
        return fail(`${values.length} bytes`, `the ${size} bytes that it promises`, again);
      return crc32(values) === checksum
        ? right(values)
        : fail('a false checksum', 'an intact zip archive', again);
    } catch (error) {
      return fail(`corrupt data (${messageOf(error)})`, 'an intact zip archive', again);
    }
  };

/** The entries of an archive; `path` only names it in problems. */
export const zipEntries = (path: string, archive: Uint8Array): Either<Problems, readonly ZipEntry[]> => {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  try {
    const { entries, offset } = directory(view);
    const result: ZipEntry[] = [];
    let at = offset;
    for (let i = 0; i < entries; i++) {
      const header = headerAt(archive, view, at);
      at = header.next;
      const { name, size } = header;
      result.push({ name, size, bytes: content(`${path}/${name}`, archive, view, header) });
    }
    return right(result);
  } catch (error) {
    const found = error instanceof Damaged ? error.message : 'a directory that is cut short';
    return left([problem(path, found, 'an intact zip archive', again)]);
  }
};
