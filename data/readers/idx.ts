/** MNIST's IDX format, plain or gzip (told by the first bytes): a big-endian magic number 0x0000 08 (unsigned byte) nn (dimensions), nn 32-bit sizes, then the values (LeCun, *The MNIST database*). */
import { atLeast } from '../../dsl/lookup.js';
import { constants, gunzipSync } from 'node:zlib';
import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import type { Problem } from '../../dsl/problem.js';
import { again, readBytes } from './file.js';

type Problems = readonly Problem[];

/** Pixels 0 … 255, row-major [size, height, width, 1]. */
export type Images = {
  readonly size: number;
  readonly shape: readonly [number, number, number];
  readonly bytes: Uint8Array;
};

type Kind = { readonly magic: number; readonly name: string; readonly sizes: readonly string[] };
const images: Kind = { magic: 0x803, name: 'images', sizes: ['number of images', 'height', 'width'] };
const labels: Kind = { magic: 0x801, name: 'labels', sizes: ['number of labels'] };

/** Values in one file: 2 GiB once they are floats. A larger promise is refused before anything is allocated. */
const MOST_VALUES = 2 ** 29;
/** Compressed bytes that are inflated to see the header; they hold at most 1,032 times as many. */
const HEAD_BYTES = 4096;

const hex = (magic: number): string => `0x${magic.toString(16).padStart(8, '0')}`;
const headerBytes = (kind: Kind): number => 4 + 4 * kind.sizes.length;
const isGzip = (bytes: Uint8Array): boolean => bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;

const fail = (path: string, found: string, expected: string, hint?: string): Either.Either<Problems, never> =>
  Either.left([{ path, found, expected, ...(hint === undefined ? {} : { hint }) }]);

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

/** The sizes in the header, or what is wrong with it. */
const readHeader = (
  path: string,
  kind: Kind,
  head: Uint8Array,
): Either.Either<Problems, readonly number[]> => {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  // A wrong magic number says more than a short file, so it is looked at first.
  if (head.length >= 4 && view.getUint32(0) !== kind.magic) {
    return fail(path, `magic number ${hex(view.getUint32(0))}`, `${hex(kind.magic)} (${kind.name})`);
  }
  if (head.length < headerBytes(kind))
    return fail(path, `${head.length} bytes`, `at least ${headerBytes(kind)} bytes (the header)`, again);
  const sizes = kind.sizes.map((_, i) => view.getUint32(4 + 4 * i));
  const zeros = kind.sizes.filter((_, i) => sizes[i] === 0);
  return zeros.length > 0
    ? Either.left(zeros.map((name) => ({ path, found: `${name} 0`, expected: `${name} at least 1` })))
    : Either.right(sizes);
};

/** Inflates as much as there is, without minding that the end is missing. */
const inflateSome = (path: string, bytes: Uint8Array, limit: number): Either.Either<Problems, Uint8Array> =>
  Either.tryCatch(
    () => gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: limit }),
    (error) => [
      { path, found: `corrupt gzip data (${message(error)})`, expected: 'intact gzip data', hint: again },
    ],
  );

const consumed = (inflated: unknown): number | undefined =>
  typeof inflated === 'object' &&
  inflated !== null &&
  'engine' in inflated &&
  typeof inflated.engine === 'object' &&
  inflated.engine !== null &&
  'bytesWritten' in inflated.engine &&
  typeof inflated.engine.bytesWritten === 'number'
    ? inflated.engine.bytesWritten
    : undefined;

const inflatedBytes = (inflated: unknown): Uint8Array | undefined =>
  typeof inflated === 'object' &&
  inflated !== null &&
  'buffer' in inflated &&
  inflated.buffer instanceof Uint8Array
    ? inflated.buffer
    : undefined;

/** Inflates all of a file that should hold `expected` bytes, checking the gzip trailer too; never allocates much more than that. */
const inflate = (path: string, bytes: Uint8Array, expected: number): Either.Either<Problems, Uint8Array> => {
  try {
    // With `info` zlib also says how many bytes it consumed; its types do not know.
    const result: unknown = gunzipSync(bytes, { maxOutputLength: expected + 1, info: true });
    const used = consumed(result);
    if (used !== undefined && used < bytes.length) {
      return fail(path, `${bytes.length - used} bytes after the gzip data`, 'no bytes after the gzip data');
    }
    return Either.right(inflatedBytes(result) ?? new Uint8Array(0));
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE')
      return fail(path, `more than ${expected} bytes (inflated)`, `${expected} bytes`);
    if (codeOf(error) !== 'Z_BUF_ERROR')
      return fail(path, `corrupt gzip data (${message(error)})`, 'intact gzip data', again);
    return pipe(
      inflateSome(path, bytes, expected + 1),
      Either.chain((some) =>
        some.length < expected
          ? fail(
              path,
              `${some.length} bytes (inflated; the gzip data is cut short)`,
              `${expected} bytes`,
              again,
            )
          : fail(path, 'gzip data without its whole checksum', 'intact gzip data', again),
      ),
    );
  }
};

const decode = (
  kind: Kind,
  path: string,
  bytes: Uint8Array,
): Either.Either<Problems, { readonly sizes: readonly number[]; readonly values: Uint8Array }> =>
  pipe(
    isGzip(bytes)
      ? inflateSome(path, bytes.subarray(0, HEAD_BYTES), HEAD_BYTES * 1032 + 1024)
      : Either.right(bytes),
    Either.chain((head) => readHeader(path, kind, head)),
    Either.chain((sizes) => {
      const count = sizes.reduce((a, b) => a * b, 1);
      const expected = headerBytes(kind) + count;
      const read = (
        all: Uint8Array,
      ): Either.Either<Problems, { readonly sizes: readonly number[]; readonly values: Uint8Array }> =>
        all.length === expected
          ? Either.right({ sizes, values: all.subarray(headerBytes(kind)) })
          : all.length < expected
            ? fail(
                path,
                `${all.length} bytes`,
                `${expected} bytes (${sizes.join(' × ')} and the header)`,
                again,
              )
            : fail(
                path,
                `${all.length} bytes, ${all.length - expected} too many`,
                `${expected} bytes (${sizes.join(' × ')} and the header)`,
              );
      if (!isGzip(bytes)) return read(bytes);
      return count > MOST_VALUES
        ? fail(
            path,
            `a header that promises ${count} values (${sizes.join(' × ')})`,
            `at most ${MOST_VALUES} values`,
          )
        : pipe(inflate(path, bytes, expected), Either.chain(read));
    }),
  );

/** Decodes an image file's bytes; `path` only names them in problems. */
export const decodeImages = (path: string, bytes: Uint8Array): Either.Either<Problems, Images> =>
  pipe(
    decode(images, path, bytes),
    Either.map(({ sizes, values }) => {
      const [size, height, width] = atLeast(3, sizes);
      return { size, shape: [height, width, 1], bytes: values };
    }),
  );

/** Decodes a label file's bytes; `path` only names them in problems. */
export const decodeLabels = (path: string, bytes: Uint8Array): Either.Either<Problems, Uint8Array> =>
  pipe(
    decode(labels, path, bytes),
    // A copy, since the values may be a view of a Buffer that holds the whole file.
    Either.map(({ values }) => new Uint8Array(values)),
  );

/** Reads the images of a file. */
export const readImages = (path: string): TaskEither.TaskEither<Problems, Images> =>
  pipe(
    readBytes(path, 'an IDX file', MOST_VALUES + 16),
    TaskEither.chainEitherK((bytes) => decodeImages(path, bytes)),
  );

/** Reads the labels of a file. */
export const readLabels = (path: string): TaskEither.TaskEither<Problems, Uint8Array> =>
  pipe(
    readBytes(path, 'an IDX file', MOST_VALUES + 16),
    TaskEither.chainEitherK((bytes) => decodeLabels(path, bytes)),
  );
