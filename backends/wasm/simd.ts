/** Whether WebAssembly has 128-bit vectors here, which tfjs's wasm kernels and our loops want. */

// The type library of this project has no WebAssembly (it belongs to the DOM's).
const engine = (
  globalThis as unknown as { readonly WebAssembly: { readonly validate: (bytes: Uint8Array) => boolean } }
).WebAssembly;

/** A module with one function that makes a vector of bytes and counts its bits. */
const vectorModule = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

export const hasSimd = (): boolean => engine.validate(vectorModule);
