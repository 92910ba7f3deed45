/** The shape of the table that gives each primitive its meaning: one row, all rules. */
import type { Operands } from './arity.js';
import type { Params, PrimitiveName } from './params.js';
import type { Emit, Var } from './program.js';
import type { Type } from './type.js';

/** Values in the interpreter: physical arrays in row-major order with their types. */
export type Value = { readonly type: Type; readonly data: Float64Array };

/** What a derivative rule sees. A tangent is null where it is known to be zero. */
export type JvpContext<P extends PrimitiveName> = {
  readonly emit: Emit;
  readonly params: Params[P];
  readonly inputs: Operands<P, Var>;
  readonly out: Var;
  readonly tangents: Operands<P, Var | null>;
  /** Inside a user's jvp or vjp, as opposed to the gradient of the loss. */
  readonly user: boolean;
};

/** What a transpose rule sees: `linear[i]` says which inputs the equation is linear in; only the type of those may be used. */
export type TransposeContext<P extends PrimitiveName> = {
  readonly emit: Emit;
  readonly params: Params[P];
  readonly inputs: Operands<P, Var>;
  readonly linear: Operands<P, boolean>;
  readonly cotangent: Var;
};

/** The whole meaning of one primitive. */
export type Row<P extends PrimitiveName> = {
  /** The type of the output, or what is wrong. */
  readonly type: (params: Params[P], inputs: Operands<P, Type>) => Type | string;
  /** The definition, in float64. */
  readonly evaluate: (
    params: Params[P],
    inputs: Operands<P, Value>,
    out: Type,
    batch: number,
  ) => Float64Array;
  /** The output's tangent, null for zero. */
  readonly jvp: (context: JvpContext<P>) => Var | null;
  /** Cotangents of the inputs, null for those it is not linear in; null as a whole where it is linear in none. */
  readonly transpose: ((context: TransposeContext<P>) => readonly (Var | null)[]) | null;
  /** Multiply-adds counted twice; matrix products and convolutions only, as is usual. */
  readonly flops: (params: Params[P], inputs: Operands<P, Type>, out: Type, batch: number) => number;
};

export type Table = { readonly [P in PrimitiveName]: Row<P> };
