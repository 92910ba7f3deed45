/** The text of a file, piece by piece: packed or not, in UTF-8, UTF-16 or Windows-1252, told by its first bytes. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { constants, createGunzip, gunzipSync } from 'node:zlib';

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** How a file is read as text. */
export type TextForm = { readonly isGzip: boolean; readonly encoding: Encoding };

/** As much of a file as is looked at to see what it is. */
export const HEAD_BYTES = 65_536;

export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The first bytes of a regular file. */
export const headOf = async (path: string): Promise<Uint8Array> => {
  const file = await open(path);
  try {
    const head = new Uint8Array(HEAD_BYTES);
    let length = 0;
    while (length < head.length) {
      const { bytesRead } = await file.read(head, length, head.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return head.subarray(0, length);
  } finally {
    await file.close();
  }
};

/** The first unpacked bytes of packed ones; as many as there are. */
export const unpackedHead = (bytes: Uint8Array): Uint8Array => {
  try {
    return gunzipSync(bytes.subarray(0, 4096), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: 2 ** 23,
    }).subarray(0, HEAD_BYTES);
  } catch {
    return new Uint8Array(0);
  }
};

const isUtf8 = (head: Uint8Array): boolean => {
  try {
    // The last character may be cut.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
};

/** Text in UTF-16 without a mark has a zero in every other byte. */
const zerosAt = (head: Uint8Array, parity: 0 | 1): number => {
  let zeros = 0;
  for (let i = parity; i < Math.min(head.length, 512); i += 2) if (head[i] === 0) zeros++;
  return zeros / Math.max(1, Math.ceil(Math.min(head.length, 512) / 2));
};

/** The encoding of a text by its first bytes, unpacked. */
export const encodingOf = (head: Uint8Array): Encoding => {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  if (zerosAt(head, 1) > 0.8 && zerosAt(head, 0) < 0.2) return 'utf-16le';
  if (zerosAt(head, 0) > 0.8 && zerosAt(head, 1) < 0.2) return 'utf-16be';
  return isUtf8(head) ? 'utf-8' : 'windows-1252';
};

/** Control characters that no text has: all but those of tabs, lines, pages and escapes. */
const isControl = (code: number): boolean => code < 32 && !(code >= 9 && code <= 13) && code !== 27;

/** Whether bytes are the beginning of a text. */
export const isText = (head: Uint8Array): boolean => {
  const text = new TextDecoder(encodingOf(head)).decode(head.subarray(0, 4096), { stream: true });
  return text.length > 0 && ![...text].some((letter) => isControl(letter.charCodeAt(0)));
};

const PIECE_BYTES = 2 ** 20;

/** Tables are packed to a tenth or so: what unpacks to a hundred times as much is meant to fill a machine. */
const MOST_TIMES = 100;
/** As much may be unpacked from however little. */
const FREE_BYTES = 2 ** 24;

/** A file that unpacks to far more than tables do. */
export class BombError extends Error {
  constructor(
    readonly packed: number,
    readonly unpacked: number,
  ) {
    super(`${packed} bytes that unpack to more than ${unpacked}`);
  }
}

/** The pieces of a text in order; throws where a file cannot be read or unpacked. The mark at its beginning is left out. */
export async function* piecesOf(
  path: string,
  { isGzip: packed, encoding }: TextForm,
): AsyncGenerator<string> {
  const file = createReadStream(path, { highWaterMark: PIECE_BYTES });
  const unpacked = packed ? createGunzip({ chunkSize: PIECE_BYTES }) : undefined;
  // An error of the file ends what unpacks it.
  const stream =
    unpacked === undefined ? file : file.on('error', (error) => unpacked.destroy(error)).pipe(unpacked);
  const decoder = new TextDecoder(encoding);
  try {
    let unpackedBytes = 0;
    for await (const bytes of stream) {
      unpackedBytes += bytes.length;
      if (packed && unpackedBytes > FREE_BYTES && unpackedBytes > MOST_TIMES * file.bytesRead)
        throw new BombError(file.bytesRead, unpackedBytes);
      yield decoder.decode(bytes, { stream: true });
    }
    yield decoder.decode();
  } finally {
    file.destroy();
    unpacked?.destroy();
  }
}
