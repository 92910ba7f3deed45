/** One JPEG or PNG file as pixels: turned as its EXIF says, cut from the centre and resized, as the experiments on CelebA do (Tolstikhin et al. 2018), in its full depth. */
import { elementAt } from '../../dsl/lookup.js';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { default as sharp, Sharp } from 'sharp';
import { type Problem, problem } from '../../dsl/problem.js';
import type { PictureForm } from '../preprocessing/preprocessing.js';
import { again, messageOf } from './file.js';
import { headerIn, isPicture, isPng, type PictureHeader } from './picture-header.js';
import { decodePlainPng } from './png.js';

type Problems = readonly Problem[];

export type Picture = {
  /** Height, width and channels. */
  readonly shape: readonly [number, number, number];
  /** Row-major: bytes, or 16 bits where the file has them. */
  readonly pixels: Uint8Array | Uint16Array;
};

/** The largest file and the largest picture that are decoded. */
const MOST_BYTES = 2 ** 27;
const MOST_PIXELS = 2 ** 26;

const expected = 'a JPEG or PNG file';

/** The greatest value that a pixel can have. */
export const greatestOf = ({ pixels }: Picture): number => (pixels instanceof Uint16Array ? 65_535 : 255);

const damaged = (path: string, error: unknown): Problems => [
  problem(path, `damaged data (${messageOf(error)})`, 'an intact JPEG or PNG file', again),
];

let loading: Promise<{ readonly default: typeof sharp }> | undefined;

/** Loaded only here, since its native library is of no use to other data; once, since each import costs as much as a small picture. */
const loadSharp = async (): Promise<typeof sharp> => (await (loading ??= import('sharp'))).default;

const sharpOf = async (from: Uint8Array | string): Promise<Sharp> => {
  const create = await loadSharp();
  return create(from, { failOn: 'error', limitInputPixels: MOST_PIXELS });
};

/** By the first bytes, or by the decoder where these do not tell. */
const headerOf = async (bytes: Uint8Array, whole: Uint8Array | string): Promise<PictureHeader> => {
  const known = headerIn(bytes);
  if (known !== undefined) return known;
  const { autoOrient, channels = 3, hasAlpha = false, depth } = await (await sharpOf(whole)).metadata();
  return { ...autoOrient, hasAlpha, isColour: channels >= 3, isDeep: depth === 'ushort' };
};

/** As much of a file as is read for its header. */
const HEAD_BYTES = 4096;

/** The first bytes of a picture's file, or all; at once, which for small files is twice as fast as to wait for each step of it. */
const bytesOf = (path: string, most: number): Either<Problems, Uint8Array> => {
  try {
    // Before it is opened: that would wait for the other end of a pipe.
    const status = statSync(path);
    if (!status.isFile()) return left([problem(path, 'not a regular file', expected)]);
    const file = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(Buffer.allocUnsafeSlow(Math.min(status.size, most)).buffer);
      let length = 0;
      while (length < bytes.length) {
        const count = readSync(file, bytes, length, bytes.length - length, length);
        if (count === 0) break;
        length += count;
      }
      const there = bytes.subarray(0, length);
      return isPicture(there) ? right(there) : left([problem(path, 'neither JPEG nor PNG data', expected)]);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return left([problem(path, messageOf(error), `${expected} that can be read`)]);
  }
};

/** Reads a file's header and none of its pixels. */
export const readPictureHeader =
  (path: string): TaskEither<Problems, PictureHeader> =>
  async () => {
    const head = bytesOf(path, HEAD_BYTES);
    if (isLeft(head)) return head;
    try {
      return right(await headerOf(head.right, path));
    } catch (error) {
      return left(damaged(path, error));
    }
  };

type Raw = { readonly data: Uint8Array | Uint16Array; readonly channels: number };

const rawOf = async (image: Sharp, isDeep: boolean) => {
  const { data, info } = await image
    .raw({ depth: isDeep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const values = isDeep
    ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { data: values, ...info };
};

const like = (data: Uint8Array | Uint16Array, length: number): Uint8Array | Uint16Array =>
  data instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);

/** Colour over a background, α c + (1 − α) b, in whole steps of the depth. */
const composited = ({ data, channels }: Raw, background: readonly number[]): Uint8Array | Uint16Array => {
  if (channels < 4) return data;
  const most = data instanceof Uint16Array ? 65_535 : 255;
  const result = like(data, (data.length / 4) * 3);
  for (let at = 0, to = 0; at < data.length; at += 4)
    for (let colour = 0; colour < 3; colour++) {
      const alpha = elementAt(data, at + 3) / most;
      result[to++] = Math.round(
        alpha * elementAt(data, at + colour) + (1 - alpha) * (elementAt(background, colour) / 255) * most,
      );
    }
  return result;
};

const channel = ({ data, channels }: Raw, which: number): Uint8Array | Uint16Array => {
  const result = like(data, data.length / channels);
  for (let i = 0; i < result.length; i++) result[i] = elementAt(data, i * channels + which);
  return result;
};

const interleaved = (a: Uint8Array | Uint16Array, b: Uint8Array | Uint16Array): Uint8Array | Uint16Array => {
  const result = like(a, 2 * a.length);
  for (let i = 0; i < a.length; i++) {
    result[2 * i] = elementAt(a, i);
    result[2 * i + 1] = elementAt(b, i);
  }
  return result;
};

/** Opaque colour where a picture has no alpha and one is asked for. */
const withAlpha = ({ data, channels }: Raw): Uint8Array | Uint16Array => {
  if (channels === 4) return data;
  const result = like(data, (data.length / 3) * 4).fill(data instanceof Uint16Array ? 65_535 : 255);
  for (let i = 0; i < data.length; i++) result[Math.floor(i / 3) * 4 + (i % 3)] = elementAt(data, i);
  return result;
};

/** Luminance of colour [h, w, 3]. */
const greyOf = async (
  data: Uint8Array | Uint16Array,
  width: number,
  height: number,
): Promise<Uint8Array | Uint16Array> => {
  const create = await loadSharp();
  const isDeep = data instanceof Uint16Array;
  const image = create(data, { raw: { width, height, channels: 3 } });
  return (await rawOf(image.toColourspace(isDeep ? 'grey16' : 'b-w'), isDeep)).data;
};

const withoutAlpha = (data: Uint8Array | Uint16Array): Uint8Array | Uint16Array => {
  const result = like(data, (data.length / 4) * 3);
  for (let i = 0; i < result.length; i++) result[i] = elementAt(data, Math.floor(i / 3) * 4 + (i % 3));
  return result;
};

/** Pixels of as many channels as are asked for. */
const pixelsOf = async (
  image: Sharp,
  { isColour, isDeep, hasAlpha }: PictureHeader,
  { channels, background }: PictureForm,
) => {
  if (channels === 1 && !hasAlpha) return rawOf(image.toColourspace(isDeep ? 'grey16' : 'b-w'), isDeep);
  const colour = await rawOf(image.toColourspace(isDeep ? 'rgb16' : 'srgb'), isDeep);
  const { width, height } = colour;
  if (channels === 3) return { width, height, data: composited(colour, background) };
  const all = withAlpha(colour);
  if (channels === 4) return { width, height, data: all };
  const opaque = channels === 1 ? composited(colour, background) : withoutAlpha(all);
  const grey = isColour ? await greyOf(opaque, width, height) : channel({ data: opaque, channels: 3 }, 0);
  const data = channels === 1 ? grey : interleaved(grey, channel({ data: all, channels: 4 }, 3));
  return { width, height, data };
};

/** Reads and decodes a file. */
export const readPicture =
  (path: string, form: PictureForm): TaskEither<Problems, Picture> =>
  async (): Promise<Either<Problems, Picture>> => {
    const { crop, size, channels } = form;
    const bytes = bytesOf(path, MOST_BYTES + 1);
    if (isLeft(bytes)) return bytes;
    if (bytes.right.length > MOST_BYTES)
      return left([problem(path, `more than ${MOST_BYTES} bytes`, `${expected} of at most as many`)]);
    try {
      const plain = crop === 0 && size === 0 && isPng(bytes.right) ? decodePlainPng(bytes.right) : undefined;
      if (plain?.channels === channels)
        return right({ shape: [plain.height, plain.width, channels], pixels: plain.pixels });
      const header = await headerOf(bytes.right, bytes.right);
      const image = await sharpOf(bytes.right);
      const { width, height } = header;
      if (width < crop || height < crop)
        return left([problem(path, `${width} × ${height} pixels`, `at least ${crop} × ${crop}, the crop`)]);
      const turned = image.autoOrient();
      const cut =
        crop === 0
          ? turned
          : turned.extract({
              left: Math.floor((width - crop) / 2),
              top: Math.floor((height - crop) / 2),
              width: crop,
              height: crop,
            });
      const sized =
        size === 0
          ? cut
          : cut.resize(size, size, { fit: 'cover', kernel: 'lanczos3', fastShrinkOnLoad: false });
      const found = await pixelsOf(sized, header, form);
      return right({ shape: [found.height, found.width, channels], pixels: found.data });
    } catch (error) {
      return left(damaged(path, error));
    }
  };
