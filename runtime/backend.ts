/** The small interface that every backend fits: load a program once, then run it on arrays that stay with the backend. */
import type { Program } from '../compiler/program.js';

/** An array that lives with the backend until it is disposed. */
export type Handle = { readonly size: number };

export type Executable = {
  /** Runs once. Inputs by binder name, outputs by output name; the caller owns the outputs, inputs stay its own. */
  readonly run: (inputs: ReadonlyMap<string, Handle>) => ReadonlyMap<string, Handle>;
  readonly dispose: () => void;
};

export type Backend = {
  readonly name: string;
  readonly load: (program: Program) => Executable;
  readonly upload: (values: Float32Array) => Handle;
  /** Asynchronous, since a GPU's memory is. */
  readonly download: (handle: Handle) => Promise<Float32Array>;
  readonly dispose: (handle: Handle) => void;
  /** Arrays alive, for leak tests. */
  readonly liveCount: () => number;
};
