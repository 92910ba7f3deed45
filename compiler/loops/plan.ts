/** A flat list of kernel calls over numbered buffers, with the moment each buffer is freed: what a tape-less backend runs. */
import type { Output } from '../ir/program.js';
import type { LoopKernel } from './loop.js';
import type { Params } from '../ir/params.js';

/** A buffer seen with a physical shape (batch axis included); a reshape is another operand on the same buffer. */
export type Operand = { readonly buffer: number; readonly shape: readonly number[] };

export type Attribute = number | boolean | string | readonly number[] | readonly (readonly number[])[];

/** Work in sequence that no loop of a backend expresses: matrices of n×n, `columns` right-hand sides. */
export type Routine =
  | { readonly name: 'cholesky'; readonly params: Params['cholesky']; readonly n: number }
  | { readonly name: 'lq'; readonly params: Params['lq']; readonly n: number; readonly m: number }
  | {
      readonly name: 'triangularSolve';
      readonly params: Params['triangularSolve'];
      readonly n: number;
      readonly columns: number;
    }
  /** Rows of `width` numbers, each in another order: number i of a row is number order[i] of the source's. */
  | { readonly name: 'reorder'; readonly order: readonly number[] }
  /** Rows of several inputs one after another; `widths` are how many numbers a row of each has. */
  | { readonly name: 'join'; readonly widths: readonly number[] };

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
    }
  /** A routine of compiler/routine.ts, run by the host on the values of the buffers. */
  | {
      readonly tag: 'routine';
      readonly routine: Routine;
      readonly inputs: readonly number[];
      readonly outputs: readonly [number];
    }
  /**
   * `body` again and again: its outputs but the last are its first inputs the next time, the other inputs stay. It ends after
   * `times` or when the last output, one number, is 0. `outputs` are the last values of what is carried.
   */
  | {
      readonly tag: 'repeat';
      readonly body: Plan;
      readonly times: number;
      readonly inputs: readonly number[];
      readonly outputs: readonly number[];
    };

/** Places of elements are int32, everything else is float32. */
export type ConstantType = 'float32' | 'int32';

export type Constant = {
  readonly operand: Operand;
  readonly values: readonly number[];
  readonly dtype: ConstantType;
};

export type Plan = {
  /** Sizes in elements. */
  readonly buffers: readonly number[];
  readonly inputs: readonly { readonly name: string; readonly operand: Operand }[];
  readonly constants: readonly Constant[];
  readonly steps: readonly Step[];
  /** `release[i]`: the buffers whose last use is step i. Inputs, constants and outputs are never released by the plan. */
  readonly release: readonly (readonly number[])[];
  /** In the order of the program's. */
  readonly outputs: readonly PlanOutput[];
};

export type PlanOutput = Pick<Output, 'kind' | 'name'> & { readonly operand: Operand };

/** Collects steps; equal ones (same kernel, loop or repeated body, same operands and attributes) are emitted once. */
export type PlanBuilder = {
  /** How wide a packed operand's blocks may be, the best first. */
  readonly blocks: readonly number[];
  /** Numbers of a matrix that is read as fast down its columns as along its rows. */
  readonly near: number;
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
  readonly routine: (routine: Routine, inputs: readonly Operand[], shape: readonly number[]) => Operand;
  /** `carried` and `kept` are the body's inputs in this order. */
  readonly repeat: (
    body: Plan,
    times: number,
    carried: readonly Operand[],
    kept: readonly Operand[],
  ) => readonly Operand[];
  readonly constant: (values: readonly number[], shape: readonly number[], dtype?: ConstantType) => Operand;
};
