/** What runs at once on the device: a program of WGSL, how many workgroups of it, and the arrays that it reads and writes. */

/** An array by its number in the loop kernel: its inputs, its outputs, and one of scratch numbers. */
export type Slot = { readonly of: 'input' | 'output' | 'scratch'; readonly index: number };

export type Kernel = {
  /** WGSL up to how its run may be left out. */
  readonly source: string;
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
  | { readonly of: 'scratch'; readonly start: number };
