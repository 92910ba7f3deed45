/** What is used of WebAssembly. The type library of this project has none of it, since it belongs to the DOM's. */

export type SharedMemory = { readonly buffer: ArrayBuffer; readonly grow: (pages: number) => number };

/** Functions of addresses and numbers. */
export type Exports = Readonly<Record<string, (...words: readonly number[]) => void>>;

type Engine = {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum?: number;
    readonly shared?: boolean;
  }) => SharedMemory;
};

export const engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;
