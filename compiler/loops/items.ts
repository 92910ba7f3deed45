/** What a lowered program is made of: clusters that run as one loop each, and equations that are kernels of their own. */
import type { ReductionName } from '../ir/params.js';
import type { Equation, Var } from '../ir/program.js';

/** One operator between the elements of a value of the cluster along some axes of its space; `strides` is 0 on those. */
export type Reduction = {
  readonly op: ReductionName;
  readonly value: Var;
  readonly out: Var;
  readonly strides: readonly number[];
};

export type Cluster = {
  readonly tag: 'cluster';
  /** The iteration space: a physical shape. */
  readonly space: readonly number[];
  /** Element-wise equations in order, all over the space; some may be repeated in other clusters. */
  readonly members: Map<number, Equation>;
  readonly reductions: Reduction[];
  /** Members whose value leaves the cluster. */
  readonly stored: Set<number>;
};

export type KernelItem = { readonly tag: 'kernel'; readonly eq: Equation };

export type Item = Cluster | KernelItem;
