/** Arrays as NumPy's `.npy` files, version 1.0 of the format: a magic number, a header that is a Python literal, then the numbers. */

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];

/** The header ends at a multiple of so many bytes. */
const ALIGNMENT = 64;

/** The bytes of a file with a row-major array, little-endian floats of 4 or 8 bytes as they come. */
export const encodeNpy = (values: Float32Array | Float64Array, shape: readonly number[]): Uint8Array => {
  const descr = values instanceof Float64Array ? '<f8' : '<f4';
  const tuple = shape.length === 1 ? `(${shape.join()},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const start = MAGIC.length + 2;
  const length = Math.ceil((start + text.length + 1) / ALIGNMENT) * ALIGNMENT - start;
  const bytes = new Uint8Array(start + length + values.byteLength);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint16(MAGIC.length, length, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(length - 1)}\n`), start);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start + length);
  return bytes;
};
