/** A zip archive of files, the same bytes for the same files (PKWARE's APPNOTE 6.3, without its extensions). */
import { crc32, deflateRawSync } from 'node:zlib';

export type ZipEntry = {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** May be run as a program. */
  readonly executable: boolean;
};

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
/** What gave the attributes below: Unix. */
const MADE_BY = (3 << 8) | VERSION;
const UTF8 = 0x0800;
const DEFLATED = 8;
/** The first of January 1980, the earliest that there is. */
const DATE = (1 << 5) | 1;
const FILE = 0o100000;

const record = (parts: readonly (readonly [value: number, bytes: 2 | 4])[]): Buffer => {
  const buffer = Buffer.alloc(parts.reduce((sum, [, bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [value, bytes] of parts) {
    if (bytes === 2) buffer.writeUInt16LE(value, at);
    else buffer.writeUInt32LE(value, at);
    at += bytes;
  }
  return buffer;
};

/** Fewer than 65,536 entries and 4 GB. */
export const zip = (entries: readonly ZipEntry[]): Uint8Array => {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes, executable } of entries) {
    const path = Buffer.from(name);
    const body = deflateRawSync(bytes);
    const common = [
      [VERSION, 2],
      [UTF8, 2],
      [DEFLATED, 2],
      [0, 2],
      [DATE, 2],
      [crc32(bytes), 4],
      [body.length, 4],
      [bytes.length, 4],
      [path.length, 2],
      [0, 2],
    ] as const;
    const local = record([[LOCAL, 4], ...common]);
    const attributes = ((FILE | (executable ? 0o755 : 0o644)) << 16) >>> 0;
    directory.push(
      record([[CENTRAL, 4], [MADE_BY, 2], ...common, [0, 2], [0, 2], [0, 2], [attributes, 4], [offset, 4]]),
      path,
    );
    bodies.push(local, path, body);
    offset += local.length + path.length + body.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const count = entries.length;
  const end = record([
    [END, 4],
    [0, 2],
    [0, 2],
    [count, 2],
    [count, 2],
    [size, 4],
    [offset, 4],
    [0, 2],
  ]);
  return Buffer.concat([...bodies, ...directory, end]);
};
