/** The values of NumPy arrays: each type of number, in either order of its bytes, as numbers in single or double precision. */
import { elementAt, entryOf } from '../../dsl/lookup.js';
import type { Floats } from '../dataset.js';

/** Writes the values of `bytes` in the machine's own order into `into`, of as many. */
type Decode = (bytes: Uint8Array, into: Floats) => void;

type Kind = {
  readonly bytes: number;
  readonly decode: Decode;
  /** Integers are finite, whatever the bytes. */
  readonly isFloat: boolean;
};

/** Half precision: sign, five bits of exponent, ten of fraction. */
const half = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
};

type View = new (buffer: ArrayBufferLike, offset: number, length: number) => ArrayLike<number>;

const integers = (bytes: number, of: View): Kind => ({
  bytes,
  decode: (from, into) => into.set(new of(from.buffer, from.byteOffset, from.byteLength / bytes)),
  isFloat: false,
});

const floats = (bytes: number, of: View): Kind => ({ ...integers(bytes, of), isFloat: true });

const mapped =
  <N>(
    of: new (buffer: ArrayBufferLike, offset: number, length: number) => ArrayLike<N>,
    bytes: number,
    to: (n: N) => number,
  ): Decode =>
  (from, into) => {
    const values = new of(from.buffer, from.byteOffset, from.byteLength / bytes);
    for (let i = 0; i < values.length; i++) into[i] = to(elementAt(values, i));
  };

/** 64-bit integers beyond 2⁵³ are rounded. */
export const kinds: Readonly<Record<string, Kind>> = {
  b1: { ...integers(1, Uint8Array), decode: mapped(Uint8Array, 1, (n) => (n === 0 ? 0 : 1)) },
  i1: integers(1, Int8Array),
  u1: integers(1, Uint8Array),
  i2: integers(2, Int16Array),
  u2: integers(2, Uint16Array),
  i4: integers(4, Int32Array),
  u4: integers(4, Uint32Array),
  i8: { bytes: 8, decode: mapped(BigInt64Array, 8, Number), isFloat: false },
  u8: { bytes: 8, decode: mapped(BigUint64Array, 8, Number), isFloat: false },
  f2: { bytes: 2, decode: mapped(Uint16Array, 2, half), isFloat: true },
  f4: floats(4, Float32Array),
  f8: floats(8, Float64Array),
};

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The other order of the bytes of each value, in place. */
const swap = (bytes: Uint8Array, width: number): void => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 2) buffer.swap16();
  if (width === 4) buffer.swap32();
  if (width === 8) buffer.swap64();
};

/** How values lie in a file. */
type Stored = { readonly dtype: string; readonly little: boolean };

/** The values of records, which are changed. */
export const decoderOf = ({ dtype, little }: Stored): Decode => {
  const { bytes, decode } = entryOf(kinds, dtype);
  return (from, into) => {
    if (little !== isLittleEndian && bytes > 1) swap(from, bytes);
    decode(from, into);
  };
};

/** Whether values are in memory what they are in the file. */
export const sameIn =
  ({ dtype, little }: Stored) =>
  (into: Floats): boolean =>
    little === isLittleEndian && dtype === (into instanceof Float32Array ? 'f4' : 'f8');
