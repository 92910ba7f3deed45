/** A loop nest over strided buffers: the form in which fused element-wise work, reductions and data movement reach a backend that can generate code. */

import type { BinaryName, ReductionName, UnaryName } from '../ir/params.js';

/** A scalar operation of a loop body; operands are indices of earlier instructions. */
export type Instruction =
  | { readonly op: 'load'; readonly load: number }
  | { readonly op: 'constant'; readonly value: number }
  /** The whole number from 0 to size − 1 that is less than ½ from `a`; −1 where there is none, as for NaN. */
  | { readonly op: 'whole'; readonly a: number; readonly size: number }
  | { readonly op: UnaryName; readonly a: number }
  | { readonly op: BinaryName; readonly a: number; readonly b: number }
  /** `b` where `a` is not zero, else `c`. */
  | { readonly op: 'select'; readonly a: number; readonly b: number; readonly c: number };

/**
 * Where a value is read or written: element `offset + Σ index[k]·strides[k]` of a buffer. Strides may be 0 or negative. With a `place`, so
 * many strides further on as a `whole` instruction of the body says; where that is −1, 0 is read and nothing is written.
 */
export type Access = {
  readonly buffer: number;
  readonly offset: number;
  readonly strides: readonly number[];
  readonly place?: { readonly at: number; readonly stride: number };
};

/**
 * An operator puts its value between the element and what the body gives (every axis of stride 0 is reduced). All operators of one
 * output are the same. A store with a place has an operator.
 */
export type Store = Access & { readonly value: number; readonly mode: 'set' | ReductionName };

/**
 * For every index of `extents` (outermost first), run `body` and perform `stores`.
 * Loads index the input buffers, stores the output buffers; `outputs` are the output sizes in elements.
 * Elements of an output that no store touches are zero, or what its operator begins with.
 */
export type LoopKernel = {
  readonly extents: readonly number[];
  readonly loads: readonly Access[];
  readonly body: readonly Instruction[];
  readonly stores: readonly Store[];
  readonly outputs: readonly number[];
};
