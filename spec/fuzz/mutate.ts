/** Mutations of a file's bytes: cut short, flipped, filled with hostile sizes, nested deeply, packed to bombs. A function of the seed alone. */
import { atLeast, elementAt, uint8At } from '../../dsl/lookup.js';
import { gzipSync } from 'node:zlib';
import { deriveKey, uniforms } from '../../dsl/random.js';

/** Numbers in [0, 1) one after the other. */
export type Dice = { readonly next: () => number; readonly below: (bound: number) => number };

export const dice = (seed: number, name: string): Dice => {
  const key = deriveKey(seed, name);
  let block = 0;
  let held: number[] = [];
  const next = (): number => {
    if (held.length === 0) held = [...uniforms(key, [block++, 0, 0], 64)];
    return held.pop() ?? 0;
  };
  return { next, below: (bound) => Math.floor(next() * bound) };
};

export type Mutation = { readonly name: string; readonly apply: (bytes: Buffer, dice: Dice) => Buffer };

const hostile = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0];

const overwrite = (bytes: Buffer, at: number, put: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(bytes);
  if (at >= 0 && at < copy.length) put(copy);
  return copy;
};

const numbers = [
  '0',
  '-1',
  '1e999',
  '9'.repeat(400),
  '2147483648',
  '18446744073709551616',
  'NaN',
  '-0',
  '1e-400',
  '0x10',
];

/** Every mutation, by name; a file is given one to four of them. */
export const mutations: readonly Mutation[] = [
  { name: 'cut', apply: (bytes, { below }) => bytes.subarray(0, below(bytes.length + 1)) },
  {
    name: 'flip',
    apply: (bytes, { below }) => {
      const copy = Buffer.from(bytes);
      for (let i = 0; i <= below(8) && copy.length > 0; i++) {
        const place = below(copy.length);
        copy[place] = uint8At(copy, place) ^ (1 << below(8));
      }
      return copy;
    },
  },
  {
    name: 'hostile size, little-endian',
    apply: (bytes, { below }) => {
      const at = below(Math.max(1, Math.min(bytes.length, 400) - 4));
      return overwrite(
        bytes,
        at,
        (copy) => copy.length >= at + 4 && copy.writeUInt32LE(elementAt(hostile, below(hostile.length)), at),
      );
    },
  },
  {
    name: 'hostile size, big-endian',
    apply: (bytes, { below }) => {
      const at = below(Math.max(1, Math.min(bytes.length, 400) - 4));
      return overwrite(
        bytes,
        at,
        (copy) => copy.length >= at + 4 && copy.writeUInt32BE(elementAt(hostile, below(hostile.length)), at),
      );
    },
  },
  {
    name: 'hostile size near the end',
    apply: (bytes, { below }) => {
      const at = Math.max(0, bytes.length - 4 - below(100));
      return overwrite(
        bytes,
        at,
        (copy) => copy.length >= at + 4 && copy.writeUInt32LE(elementAt(hostile, below(hostile.length)), at),
      );
    },
  },
  {
    name: 'hostile number',
    apply: (bytes, { below }) => {
      const text = bytes.toString('latin1');
      const found = [...text.matchAll(/\d+(\.\d+)?/g)];
      if (found.length === 0) return bytes;
      const one = elementAt(found, below(found.length));
      const at = one.index ?? 0;
      return Buffer.from(
        text.slice(0, at) + numbers[below(numbers.length)] + text.slice(at + one[0].length),
        'latin1',
      );
    },
  },
  {
    name: 'nested',
    apply: (bytes, { below }) => {
      const at = below(bytes.length + 1);
      const [open, close] = atLeast(2, elementAt([
        ['[', ']'],
        ['{"a":', '}'],
        ['"', '"'],
        ['(', ')'],
      ], below(4)));
      const depth = 10 ** (1 + below(5));
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(open.repeat(depth) + '1' + close.repeat(depth)),
        bytes.subarray(at),
      ]);
    },
  },
  {
    name: 'spliced',
    apply: (bytes, { below }) => {
      const [from, to, at] = [below(bytes.length + 1), below(bytes.length + 1), below(bytes.length + 1)];
      const piece = bytes.subarray(Math.min(from, to), Math.max(from, to));
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
    },
  },
  {
    name: 'repeated',
    apply: (bytes, { below }) => {
      const times = 1 + below(Math.max(1, Math.floor(2 ** 22 / Math.max(1, bytes.length))));
      return Buffer.concat(Array(Math.min(times, 500)).fill(bytes));
    },
  },
  {
    name: 'strange text',
    apply: (bytes, { below }) => {
      const at = below(bytes.length + 1);
      const text = elementAt([
        '\0',
        '\u202e',
        '\x1b[31m',
        '"',
        '\r',
        ',,,,',
        ';',
        '\ufeff',
        '\n\n\n',
        '__proto__',
        '../../..',
      ], below(11));
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(text), bytes.subarray(at)]);
    },
  },
  { name: 'packed', apply: (bytes) => gzipSync(bytes) },
  {
    name: 'bomb',
    apply: (bytes, { below }) =>
      gzipSync(Buffer.concat([bytes, Buffer.alloc(2 ** (20 + below(7)), below(2) === 0 ? 0 : 49)])),
  },
  { name: 'empty', apply: () => Buffer.alloc(0) },
];

/** A mutated copy, and the names of what was done to it. */
export const mutated = (
  bytes: Buffer,
  { next, below }: Dice,
): { readonly bytes: Buffer; readonly done: readonly string[] } => {
  const count = 1 + below(3);
  let result = bytes;
  const done: string[] = [];
  for (let i = 0; i < count; i++) {
    const mutation = elementAt(mutations, below(mutations.length));
    result = mutation.apply(result, { next, below });
    done.push(mutation.name);
  }
  return { bytes: result, done };
};
