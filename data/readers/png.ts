/**
 * Small PNG files of 8 bits a channel and nothing unusual, of which folders of training pictures are full: to set up a general decoder takes
 * many times as long as to decode them (ISO/IEC 15948).
 */
import { crc32, inflateSync } from 'node:zlib';
import { uint8At } from '../../dsl/lookup.js';

/** Pixels as the file has them, row-major [height, width, channels]. */
export type PlainPng = {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly pixels: Uint8Array;
};

/** Larger pictures are decoded beside each other, on other threads. */
const MOST_PIXELS = 2 ** 14;
const HEADER_END = 33;

/** By the colour type. */
const channelsOf: Readonly<Record<number, PlainPng['channels']>> = { 0: 1, 2: 3, 6: 4 };

/** Chunks that change no pixel: resolutions, times, texts, and those that sharp's decoder leaves out too. */
const harmless: ReadonlySet<string> = new Set([
  ...['bKGD', 'cHRM', 'gAMA', 'hIST', 'iTXt', 'oFFs', 'pHYs', 'sRGB', 'tEXt', 'tIME', 'zTXt'],
]);

/** The data of all IDAT chunks; undefined where one is unusual, damaged or missing. */
const dataIn = (bytes: Uint8Array, view: DataView): Uint8Array | undefined => {
  const data: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length || crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end))
      return undefined;
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (name === 'IEND') return data.length === 1 ? data[0] : Buffer.concat(data);
    if (name === 'IDAT') data.push(bytes.subarray(at + 8, end));
    else if (name !== 'IHDR' && !harmless.has(name)) return undefined;
    at = end + 4;
  }
  return undefined;
};

/** Paeth's predictor: of the pixels to the left, above and above that one, the nearest to left + above − corner. */
const paeth = (left: number, above: number, corner: number): number => {
  const [a, b, c] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
};

/** Undoes the filter of each row, of which the first byte names it; undefined for one that there is not. */
const unfiltered = (
  lines: Uint8Array,
  height: number,
  stride: number,
  step: number,
): Uint8Array | undefined => {
  const pixels = new Uint8Array(height * stride);
  for (let row = 0; row < height; row++) {
    const filter = uint8At(lines, row * (stride + 1));
    const from = row * (stride + 1) + 1;
    const to = row * stride;
    if (filter > 4) return undefined;
    for (let i = 0; i < stride; i++) {
      const value = uint8At(lines, from + i);
      if (filter === 0) {
        pixels[to + i] = value;
        continue;
      }
      const left = i < step ? 0 : uint8At(pixels, to + i - step);
      const above = row === 0 ? 0 : uint8At(pixels, to + i - stride);
      if (filter === 1) pixels[to + i] = value + left;
      else if (filter === 2) pixels[to + i] = value + above;
      else if (filter === 3) pixels[to + i] = value + ((left + above) >> 1);
      else {
        const corner = i < step || row === 0 ? 0 : uint8At(pixels, to + i - stride - step);
        pixels[to + i] = value + paeth(left, above, corner);
      }
    }
  }
  return pixels;
};

/** Decodes a file's bytes; undefined for what is large, unusual or damaged, about which a general decoder has more to say. */
export const decodePlainPng = (bytes: Uint8Array): PlainPng | undefined => {
  if (bytes.length < HEADER_END) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colour, ...methods] = bytes.subarray(24, 29);
  const channels = colour === undefined ? undefined : channelsOf[colour];
  // Packed by deflate, filtered by rows, and not interlaced.
  const isPlain = depth === 8 && methods.every((method) => method === 0);
  if (channels === undefined || !isPlain || width * height > MOST_PIXELS) return undefined;
  const stride = width * channels;
  const packed = dataIn(bytes, view);
  if (packed === undefined) return undefined;
  try {
    const length = height * (stride + 1);
    const lines = inflateSync(packed, { maxOutputLength: length + 1 });
    const pixels = lines.length === length ? unfiltered(lines, height, stride, channels) : undefined;
    return pixels === undefined ? undefined : { width, height, channels, pixels };
  } catch {
    return undefined;
  }
};
