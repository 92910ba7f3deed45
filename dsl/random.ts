/** Philox4x32-10, the counter-based generator behind every random number: ten rounds of multiply, split and xor of a 128-bit counter under a 64-bit key (Salmon et al., *Parallel random numbers: as easy as 1, 2, 3*, SC 2011). */
import { uint32At } from './lookup.js';
/* eslint-disable functional/no-let, functional/immutable-data -- the hot loop of every draw: counters in registers are more than twice as fast as an array for each block. */

/** Two 32-bit words. */
export type Key = readonly [number, number];

/** The upper three of the counter's 32-bit words; the lowest one counts the blocks of four words within a stream. */
export type Stream = readonly [number, number, number];

/** Of the first and the third word of a counter. */
export const multipliers = [0xd2511f53, 0xcd9e8d57] as const;

/** What the words of a key grow by from round to round. */
export const weyl = [0x9e3779b9, 0xbb67ae85] as const;

export const rounds = 10;

const [MULTIPLIER_0, MULTIPLIER_1] = multipliers;
const [WEYL_0, WEYL_1] = weyl;

/** The upper 32 bits of a 64-bit product, from 16-bit halves because a double holds 53 bits. */
const multiplyHigh = (a: number, b: number): number => {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) >>> 0;
  const carry = (Math.imul(aLow, bHigh) + (middle & 0xffff)) >>> 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
};

/** Writes the blocks of the counters (first, stream), (first + 1, stream), … */
const fillBlocks = (key: Key, first: number, stream: Stream, into: Uint32Array): void => {
  for (let at = 0; at < into.length; at += 4) {
    let c0 = (first + (at >>> 2)) | 0;
    let c1 = stream[0] | 0;
    let c2 = stream[1] | 0;
    let c3 = stream[2] | 0;
    let k0 = key[0] | 0;
    let k1 = key[1] | 0;
    for (let round = 0; round < rounds; round++) {
      const high0 = multiplyHigh(MULTIPLIER_0, c0);
      const low0 = Math.imul(MULTIPLIER_0, c0);
      const high1 = multiplyHigh(MULTIPLIER_1, c2);
      const low1 = Math.imul(MULTIPLIER_1, c2);
      c0 = high1 ^ c1 ^ k0;
      c1 = low1;
      c2 = high0 ^ c3 ^ k1;
      c3 = low0;
      k0 = (k0 + WEYL_0) | 0;
      k1 = (k1 + WEYL_1) | 0;
    }
    // Writes past the end of a typed array are dropped, which is what the last, shorter block needs.
    into[at] = c0;
    into[at + 1] = c1;
    into[at + 2] = c2;
    into[at + 3] = c3;
  }
};

/** Fills with the words of a stream, each uniform on 0 … 2³²−1; a longer array of the same stream starts with the same words. */
export const fillWords = (key: Key, stream: Stream, into: Uint32Array): void =>
  fillBlocks(key, 0, stream, into);

/** Doubles uniform on [0, 1), with 53 bits each (two words). */
export const uniforms = (key: Key, stream: Stream, count: number): Float64Array => {
  const words = new Uint32Array(2 * count);
  fillWords(key, stream, words);
  return Float64Array.from(
    { length: count },
    (_, i) => ((uint32At(words, 2 * i) >>> 5) * 2 ** 26 + (uint32At(words, 2 * i + 1) >>> 6)) * 2 ** -53,
  );
};

/** One Philox block, in the form in which its known answers are published. */
export const philox = (
  key: Key,
  [c0, c1, c2, c3]: readonly [number, number, number, number],
): readonly [number, number, number, number] => {
  const block = new Uint32Array(4);
  fillBlocks(key, c0, [c1, c2, c3], block);
  return [uint32At(block, 0), uint32At(block, 1), uint32At(block, 2), uint32At(block, 3)];
};

/**
 * The key of a named stream of numbers. The seed's float64 bits are the first key; each 16 bytes of the path's UTF-8 form, zero-padded,
 * and then its length, replace the key by the first half of their Philox block (Merkle–Damgård with Philox as the compression function).
 */
export const deriveKey = (seed: number, path: string): Key => {
  const bytes = new TextEncoder().encode(path);
  const padded = new Uint8Array(Math.ceil(bytes.length / 16) * 16);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, seed + 0); // + 0 makes −0 the seed 0
  let key: Key = [bits.getUint32(4), bits.getUint32(0)];
  for (let at = 0; at < padded.length; at += 16) {
    const [k0, k1] = philox(key, [
      view.getUint32(at, true),
      view.getUint32(at + 4, true),
      view.getUint32(at + 8, true),
      view.getUint32(at + 12, true),
    ]);
    key = [k0, k1];
  }
  const [k0, k1] = philox(key, [bytes.length, 0, 0, 0]);
  return [k0, k1];
};
