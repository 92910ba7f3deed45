/** A flat list of kernel calls over numbered buffers, with the moment each buffer is freed: what a tape-less backend runs. */
import type { LoopKernel } from './loop.js';

/** A buffer seen with a physical shape (batch axis included); a reshape is another operand on the same buffer. */
export type Operand = { readonly buffer: number; readonly shape: readonly number[] };

export type Attribute = number | boolean | string | readonly number[] | readonly (readonly number[])[];

export type Step =
  | {
      readonly tag: 'kernel';
      /** The name of a tfjs kernel. */
      readonly kernel: string;
      /** Operands by the kernel's own input names; a list where the kernel takes an array of inputs (Concat). */
      readonly inputs: Readonly<Record<string, Operand>> | readonly Operand[];
      readonly attributes: Readonly<Record<string, Attribute>>;
      readonly output: Operand;
    }
  | {
      readonly tag: 'loop';
      readonly loop: LoopKernel;
      readonly inputs: readonly number[];
      readonly outputs: readonly number[];
    };

export type Plan = {
  /** Sizes in elements. */
  readonly buffers: readonly number[];
  readonly inputs: readonly { readonly name: string; readonly operand: Operand }[];
  readonly constants: readonly { readonly operand: Operand; readonly values: readonly number[] }[];
  readonly steps: readonly Step[];
  /** `release[i]`: the buffers whose last use is step i. Inputs, constants and outputs are never released by the plan. */
  readonly release: readonly (readonly number[])[];
  readonly outputs: readonly { readonly name: string; readonly operand: Operand }[];
};

/** Collects steps; equal kernel calls (same kernel, operands and attributes) are emitted once. */
export type PlanBuilder = {
  readonly kernel: (
    kernel: string,
    inputs: Readonly<Record<string, Operand>> | readonly Operand[],
    attributes: Readonly<Record<string, Attribute>>,
    shape: readonly number[],
  ) => Operand;
  readonly loop: (
    loop: LoopKernel,
    inputs: readonly Operand[],
    shapes: readonly (readonly number[])[],
  ) => readonly Operand[];
  readonly constant: (values: readonly number[], shape: readonly number[]) => Operand;
};
