/** One JPEG or PNG file as pixels: cut from the centre and resized, as the experiments on CelebA do (Tolstikhin et al. 2018). */
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../dsl/problem.js';
import { again, messageOf, readBytes } from './file.js';

export type PictureOptions = {
  /** Side of the square that is cut from the centre; 0 for none. */
  readonly crop: number;
  /** Side of the square that it is resized to, by Lanczos's kernel; 0 for none. */
  readonly size: number;
  readonly channels: 'auto' | '1' | '3';
};

export type Picture = {
  /** Height, width and channels. */
  readonly shape: readonly [number, number, number];
  /** Row-major bytes. */
  readonly pixels: Uint8Array;
};

/** The largest file and the largest picture that are decoded. */
const MOST_BYTES = 2 ** 27;
const MOST_PIXELS = 2 ** 26;

const isPicture = (bytes: Uint8Array): boolean =>
  [
    [0xff, 0xd8, 0xff],
    [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  ].some((magic) => magic.every((byte, i) => bytes[i] === byte));

/** Reads and decodes a file. Grey pictures have one channel unless three are asked for; transparency is dropped. */
export const readPicture =
  (path: string, { crop, size, channels }: PictureOptions): TaskEither<readonly Problem[], Picture> =>
  async () => {
    const bytes = await readBytes(path, 'a JPEG or PNG file', MOST_BYTES)();
    if (isLeft(bytes)) return bytes;
    if (!isPicture(bytes.right))
      return left([problem(path, 'neither JPEG nor PNG data', 'a JPEG or PNG file')]);
    try {
      // Loaded here, since its native library is of no use to other data.
      const { default: sharp } = await import('sharp');
      const image = sharp(bytes.right, { failOn: 'error', limitInputPixels: MOST_PIXELS });
      const { width = 0, height = 0, channels: bands } = await image.metadata();
      if (width < crop || height < crop)
        return left([problem(path, `${width} × ${height} pixels`, `at least ${crop} × ${crop}, the crop`)]);
      const cut =
        crop === 0
          ? image
          : image.extract({
              left: Math.floor((width - crop) / 2),
              top: Math.floor((height - crop) / 2),
              width: crop,
              height: crop,
            });
      const sized =
        size === 0
          ? cut
          : cut.resize(size, size, { fit: 'cover', kernel: 'lanczos3', fastShrinkOnLoad: false });
      const grey = channels === '1' || (channels === 'auto' && (bands ?? 3) < 3);
      const { data, info } = await sized
        .removeAlpha()
        .toColourspace(grey ? 'b-w' : 'srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      return right({ shape: [info.height, info.width, info.channels], pixels: data });
    } catch (error) {
      return left([problem(path, `damaged data (${messageOf(error)})`, 'an intact JPEG or PNG file', again)]);
    }
  };
