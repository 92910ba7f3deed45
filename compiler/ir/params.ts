/** The primitives of the intermediate representation by name, with their parameters, and the equations made of them. */
import type { FunctionName } from './primitives/functions.js';
import type { Var } from './var.js';

export type { Var } from './var.js';

export type EquationOf<P extends PrimitiveName> = {
  readonly primitive: P;
  readonly params: Params[P];
  readonly inputs: readonly Var[];
  readonly out: Var;
};

export type Equation = EquationOf<PrimitiveName>;

/** A linear map inside an equation: argument ↦ out, given what it captures. Its variables are its own, numbered from 0. */
export type Operator = {
  readonly argument: Var;
  readonly captured: readonly Var[];
  readonly equations: readonly Equation[];
  readonly out: Var;
};

type None = Readonly<Record<never, never>>;

/** Strides and zero padding (top, bottom, left, right) of the forward convolution. */
export type Window = {
  readonly strides: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
};

/** Element-wise functions of two numbers. `divNoNan` is 0 where the divisor is 0, `greater` 1 where a > b, else 0, `pow` a^b for a ≥ 0. */
export type BinaryName = 'add' | 'sub' | 'mul' | 'div' | 'divNoNan' | 'max' | 'min' | 'pow' | 'greater';

/** Operators that are associative and commutative, between any number of elements. */
export type ReductionName = 'add' | 'max' | 'min' | 'mul';

/** Element-wise functions of one number: the rows of primitives/functions.ts, and what is linear. */
export type UnaryName = FunctionName | 'neg';

/** Element-wise and without parameters: all inputs and the output have one type. */
type Simple = {
  readonly [P in UnaryName | BinaryName]: None;
};

/** Every primitive with its parameters. */
export type Params = Simple & {
  /** A uniform array. */
  constant: { readonly value: number; readonly rows: number; readonly shape: readonly number[] };
  /** Second input where the first is not 0, else the third; all of one type. */
  select: None;
  /** The same value, derivative zero. */
  stop: None;
  /** Marks a batch statistic: the same value; derivative zero inside a user's jvp and vjp when `constant`. */
  statistics: { readonly constant: boolean };
  // Structure, linear.
  /** Input axis i becomes output axis axes[i]; the other output axes repeat. */
  broadcast: { readonly shape: readonly number[]; readonly axes: readonly number[] };
  /** One operator between all elements along the named axes, which disappear; linear where it adds. */
  reduce: { readonly op: ReductionName; readonly axes: readonly number[] };
  reshape: { readonly shape: readonly number[] };
  /** Output axis i is input axis permutation[i]. */
  permute: { readonly permutation: readonly number[] };
  /** Element i of the last axis is element order[i] of the input's; a permutation. */
  reorder: { readonly order: readonly number[] };
  slice: { readonly begin: readonly number[]; readonly size: readonly number[] };
  pad: { readonly before: readonly number[]; readonly after: readonly number[] };
  concat: { readonly axis: number };
  /** Gives every row the shared value. */
  broadcastBatch: { readonly rows: number };
  /** Sums over all rows of the batch. */
  sumBatch: None;
  /** The value of the example that is so many places further on in the batch, around its end. */
  rotateBatch: { readonly by: number };
  /** A leading axis of k becomes k rows. */
  axisToBatch: None;
  /** k rows become a leading axis. */
  batchToAxis: { readonly times: number };
  // Places that are read, linear in the first operand and each the transpose of the other. A place is the whole number that an index is nearest to.
  /** table[n, …s], index[…i] → […i, …s]: the entries at these places, 0 where one is not within 0 … n − 1 or lies between two. */
  gather: None;
  /** values[…i, …s], index[…i] → [size, …s]: the sums of the values at each place, also over the rows of the batch where `shared`. */
  scatterAdd: { readonly size: number; readonly shared: boolean };
  // Bilinear, two families closed under transposition.
  /** x[n], W[n,m] → x·W[m]. */
  linear: None;
  /** y[m], W[n,m] → W·y[n]. */
  linearInput: None;
  /** x[n], y[m] → Σ over rows x⊗y, [n,m], shared. */
  linearFilter: None;
  /** x[h,w,c], F[kh,kw,c,f] → [h',w',f]. */
  conv: Window;
  /** y[h',w',f], F[kh,kw,c,f] → [h,w,c]: transpose of `conv` with respect to its input of size `size`. */
  convInput: Window & { readonly size: readonly [number, number] };
  /** x[h,w,c], y[h',w',f] → Σ over rows [kh,kw,c,f]: transpose of `conv` with respect to its filter. */
  convFilter: Window & { readonly kernel: readonly [number, number] };
  // Matrices, one for each row.
  /** Entries of [n,m] times a factor by their place: below, on or above the diagonal. */
  band: { readonly below: number; readonly diagonal: number; readonly above: number };
  /** A[n,k], B[k,m] → A·B, either transposed. */
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  /**
   * A[n,n] → lower L, L·Lᵀ = A + j·I; of A the lower triangle is read. j is the first of 0, 1e-6·m, 1e-5·m, … (m the mean of
   * the diagonal, as many as `jitters` after 0) that leaves every pivot positive; L is NaN where none does.
   */
  cholesky: { readonly jitters: number };
  /**
   * A[n,m], n ≤ m → lower L with a positive diagonal, A = L·Q and so L·Lᵀ = A·Aᵀ, whose condition is the square of A's. Where a row adds no
   * more than `least` of its length to those before it, the factor of [A, √j·I] in its place, j being `jitter` times the mean of the
   * rows' squares; NaN there where jitter is 0.
   */
  lq: { readonly jitter: number; readonly least: number };
  /** L[n,n], B[n,m] → L⁻¹·B, or L⁻ᵀ·B where `transposed`; of L the lower triangle is read, or the upper. */
  triangularSolve: { readonly lower: boolean; readonly transposed: boolean };
  /**
   * b, what the operator captures … → A⁻¹·b by conjugate gradients, for a symmetric positive definite A: at most `iterations`
   * products, fewer for a row whose ‖b − A·x‖ has fallen to `tolerance`·‖b‖. Where it `gives` rounds, how many products each row
   * took instead of the solution, a scalar; where it gives the residual, b − A·x as the recurrence has it; neither has a derivative. A
   * backend has the solution and the residual of one system by one loop.
   */
  solveSPD: {
    readonly operator: Operator;
    readonly iterations: number;
    readonly tolerance: number;
    readonly gives?: 'rounds' | 'residual';
  };
};

export type PrimitiveName = keyof Params;
