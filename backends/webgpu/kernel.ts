/** What runs at once on the device: a program of WGSL, how many workgroups of it, and the arrays that it reads and writes. */
import type { Code } from './wgsl.js';

/** An array by its number in the loop kernel: its inputs, its outputs, and one of scratch numbers. */
export type Slot = { readonly of: 'input' | 'output' | 'scratch'; readonly index: number };

export type Kernel = {
  readonly code: Code;
  readonly groups: number;
  readonly slots: readonly Slot[];
  /** Numbers of scratch memory that it shares with the kernels after it. */
  readonly scratch: number;
};

export const input = (index: number): Slot => ({ of: 'input', index });
export const output = (index: number): Slot => ({ of: 'output', index });
export const scratch: Slot = { of: 'scratch', index: 0 };

/** Where an array is: an input, an output, a constant of the program, or in its scratch memory. */
export type Place =
  | { readonly of: 'input' | 'output' | 'constant'; readonly index: number }
  | { readonly of: 'scratch'; readonly start: number; readonly size: number };

export type Call = {
  readonly kernel: Kernel;
  readonly places: readonly Place[];
  /** It does nothing where this number is 0. */
  readonly unless?: Place;
};
