/** The primitives of the intermediate representation and the shape of the table that gives each its meaning. */
import type { Emit, Var } from './program.js';
import type { Type } from './type.js';

type None = Readonly<Record<never, never>>;

/** Strides and zero padding (top, bottom, left, right) of the forward convolution. */
export type Window = {
  readonly strides: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
};

/** Every primitive with its parameters. */
export type Params = {
  /** A uniform array. */
  constant: { readonly value: number; readonly rows: number; readonly shape: readonly number[] };
  // Element-wise: all inputs and the output have one type.
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  tanh: None;
  sigmoid: None;
  softplus: None;
  elu: None;
  erf: None;
  /** 1 where finite, else 0. */
  finite: None;
  add: None;
  sub: None;
  mul: None;
  div: None;
  /** 0 where the divisor is 0. */
  divNoNan: None;
  max: None;
  min: None;
  /** a^b for a ≥ 0. */
  pow: None;
  /** 1 where a > b, else 0. */
  greater: None;
  /** Second input where the first is not 0, else the third. */
  select: None;
  /** The same value, derivative zero. */
  stop: None;
  /** Marks a batch statistic: the same value; derivative zero inside a user's jvp and vjp when `constant`. */
  statistics: { readonly constant: boolean };
  // Structure, linear.
  /** Input axis i becomes output axis axes[i]; the other output axes repeat. */
  broadcast: { readonly shape: readonly number[]; readonly axes: readonly number[] };
  /** Sums over the named axes, which disappear. */
  reduceSum: { readonly axes: readonly number[] };
  reshape: { readonly shape: readonly number[] };
  /** Output axis i is input axis permutation[i]. */
  permute: { readonly permutation: readonly number[] };
  slice: { readonly begin: readonly number[]; readonly size: readonly number[] };
  pad: { readonly before: readonly number[]; readonly after: readonly number[] };
  concat: { readonly axis: number };
  /** Gives every row the shared value. */
  spread: { readonly rows: number };
  /** Sums over all rows of the batch. */
  sumBatch: None;
  /** A leading axis of k becomes k rows. */
  fold: None;
  /** k rows become a leading axis. */
  unfold: { readonly times: number };
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
};

export type PrimitiveName = keyof Params;

/** Values in the interpreter: physical arrays in row-major order with their types. */
export type Value = { readonly type: Type; readonly data: Float64Array };

/** What a derivative rule sees. A tangent is null where it is known to be zero. */
export type JvpContext<P extends PrimitiveName> = {
  readonly emit: Emit;
  readonly params: Params[P];
  readonly inputs: readonly Var[];
  readonly out: Var;
  readonly tangents: readonly (Var | null)[];
  /** Inside a user's jvp or vjp, as opposed to the gradient of the loss. */
  readonly user: boolean;
};

/** What a transpose rule sees: `linear[i]` says which inputs the equation is linear in; only the type of those may be used. */
export type TransposeContext<P extends PrimitiveName> = {
  readonly emit: Emit;
  readonly params: Params[P];
  readonly inputs: readonly Var[];
  readonly linear: readonly boolean[];
  readonly cotangent: Var;
};

/** The whole meaning of one primitive. */
export type Row<P extends PrimitiveName> = {
  /** The type of the output, or what is wrong. */
  readonly type: (params: Params[P], inputs: readonly Type[]) => Type | string;
  /** The definition, in float64. */
  readonly evaluate: (params: Params[P], inputs: readonly Value[], out: Type, batch: number) => Float64Array;
  /** The output's tangent, null for zero. */
  readonly jvp: (context: JvpContext<P>) => Var | null;
  /** Cotangents of the inputs, null for those it is not linear in; null as a whole where it is linear in none. */
  readonly transpose: ((context: TransposeContext<P>) => readonly (Var | null)[]) | null;
  /** Multiply-adds counted twice; matrix products and convolutions only, as is usual. */
  readonly flops: (params: Params[P], inputs: readonly Type[], out: Type, batch: number) => number;
};

export type Table = { readonly [P in PrimitiveName]: Row<P> };
