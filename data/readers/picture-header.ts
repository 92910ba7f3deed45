/** Sizes, colours and orientation of a JPEG or PNG file from its first bytes (ISO/IEC 15948 and 10918-1, Exif 2.3); what they do not tell is for a decoder. */

/** What a file's header says. */
export type PictureHeader = {
  /** After turning as EXIF says. */
  readonly width: number;
  readonly height: number;
  readonly isColour: boolean;
  readonly hasAlpha: boolean;
  /** 16 bits a channel. */
  readonly isDeep: boolean;
};

const begins = (bytes: Uint8Array, magic: readonly number[]): boolean =>
  magic.every((byte, i) => bytes[i] === byte);

export const isPng = (bytes: Uint8Array): boolean =>
  begins(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const isJpeg = (bytes: Uint8Array): boolean => begins(bytes, [0xff, 0xd8, 0xff]);

export const isPicture = (bytes: Uint8Array): boolean => isPng(bytes) || isJpeg(bytes);

const ascii = (view: DataView, at: number): string =>
  String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));

/** Chunks up to the first of pixels; one of transparency or of EXIF among them. */
const pngHeader = (view: DataView): PictureHeader | undefined => {
  if (ascii(view, 12) !== 'IHDR') return undefined;
  const [width, height, depth, kind] = [
    view.getUint32(16),
    view.getUint32(20),
    view.getUint8(24),
    view.getUint8(25),
  ];
  let hasAlpha = kind === 4 || kind === 6;
  for (let at = 33; ; at += 12 + view.getUint32(at)) {
    const name = ascii(view, at + 4);
    if (name === 'eXIf') return undefined;
    if (name === 'tRNS') hasAlpha = true;
    if (name === 'IDAT') break;
  }
  return { width, height, isColour: kind !== 0 && kind !== 4, hasAlpha, isDeep: depth === 16 };
};

const ORIENTATION = 0x0112;

/** The orientation in an APP1 segment of EXIF; 1 where it says none. */
const orientationIn = (view: DataView, start: number): number => {
  const little = view.getUint16(start) === 0x4949;
  const first = start + view.getUint32(start + 4, little);
  const count = view.getUint16(first, little);
  for (let i = 0; i < count; i++) {
    const entry = first + 2 + 12 * i;
    if (view.getUint16(entry, little) === ORIENTATION) return view.getUint16(entry + 8, little);
  }
  return 1;
};

const EXIF = 'Exif';

/** Segments up to the frame's. */
const jpegHeader = (view: DataView): PictureHeader | undefined => {
  let orientation = 1;
  for (let at = 2; view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === 0xe1 && ascii(view, at + 4) === EXIF) orientation = orientationIn(view, at + 10);
    // A frame's segment: all of C0 … CF but the tables C4, C8 and CC.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      const isColour = view.getUint8(at + 9) > 1;
      const size = orientation > 4 ? { width: height, height: width } : { width, height };
      return { ...size, isColour, hasAlpha: false, isDeep: false };
    }
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
};

/** What the first bytes say; undefined where they end too early, or say what only a decoder understands. */
export const headerIn = (bytes: Uint8Array): PictureHeader | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const header = isPng(bytes) ? pngHeader(view) : isJpeg(bytes) ? jpegHeader(view) : undefined;
    return header !== undefined && header.width > 0 && header.height > 0 ? header : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
};
