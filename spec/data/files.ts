/** Tiny files for the laws of readers: a folder of a test's own, and writers of the formats that people bring. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll } from 'vitest';

export type Folder = {
  readonly path: string;
  /** Writes a file and answers with its path. */
  readonly file: (name: string, bytes: Uint8Array | string) => string;
};

/** A new folder, removed after the tests of the file. */
export const testFolder = (name: string): Folder => {
  const path = mkdtempSync(join(tmpdir(), `immersion-${name}-`));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    file: (within, bytes) => {
      const at = join(path, within);
      mkdirSync(dirname(at), { recursive: true });
      writeFileSync(at, bytes);
      return at;
    },
  };
};

const arrays = {
  f8: (values: readonly number[]) => Float64Array.from(values),
  f4: (values: readonly number[]) => Float32Array.from(values),
  i8: (values: readonly number[]) => BigInt64Array.from(values, BigInt),
  i4: (values: readonly number[]) => Int32Array.from(values),
  u1: (values: readonly number[]) => Uint8Array.from(values),
} as const;

/** The header of an array in NumPy's format, version 1. */
export const npyHeader = (dtype: string, shape: readonly number[], fortran = false): Buffer => {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${dtype}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${tuple}), }`;
  const padded = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + '\n';
  const head = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  head.writeUInt16LE(padded.length, 8);
  return Buffer.concat([head, Buffer.from(padded)]);
};

/** A whole file, as `numpy.save` writes it. */
export const npy = (
  dtype: keyof typeof arrays,
  shape: readonly number[],
  values: readonly number[],
): Buffer => {
  const made = arrays[dtype](values);
  return Buffer.concat([
    npyHeader(dtype === 'u1' ? '|u1' : `<${dtype}`, shape),
    Buffer.from(made.buffer, made.byteOffset, made.byteLength),
  ]);
};

/** A PNG of bytes, or of 16 bits. */
export const png = (
  width: number,
  height: number,
  channels: 1 | 2 | 3 | 4,
  value: (x: number, y: number, channel: number) => number,
  depth: 8 | 16 = 8,
): Uint8Array => {
  const values = Array.from({ length: width * height * channels }, (_, i) =>
    value(Math.floor(i / channels) % width, Math.floor(i / channels / width), i % channels),
  );
  const data = depth === 8 ? Uint8Array.from(values) : Uint16Array.from(values);
  return encode({ width, height, channels, depth, data });
};
