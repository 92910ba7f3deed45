/**
 * Programs of the intermediate representation, in A-normal form. The grammar:
 *
 *   program  ::= name (binder …) { equation … } → (output …)
 *   binder   ::= var : type = kind "path"
 *   equation ::= var : type = primitive[params] var …
 *   output   ::= "path" = var
 */
import type { Equation, EquationOf, Params, PrimitiveName, Var } from './params.js';

export type { Equation, EquationOf, Operator, Var } from './params.js';

/** Narrows an equation to one primitive, and so to that primitive's parameters. */
export const is = <P extends PrimitiveName>(eq: Equation, primitive: P): eq is EquationOf<P> =>
  eq.primitive === primitive;

/** Where a program's input comes from. `state` covers moments and running statistics; `scalar` is fed by the host each step. */
export type BinderKind = 'parameter' | 'state' | 'data' | 'draw' | 'scalar';

export type Binder = { readonly kind: BinderKind; readonly name: string; readonly var: Var };

/** `next` outputs carry the name of the binder whose value they replace. */
export type OutputKind = 'value' | 'next';

export type Output = { readonly kind: OutputKind; readonly name: string; readonly var: Var };

export type Program = {
  readonly name: string;
  /** Examples per call; static. */
  readonly batch: number;
  readonly binders: readonly Binder[];
  readonly equations: readonly Equation[];
  readonly outputs: readonly Output[];
};

/** Appends one equation and returns its variable. Every transform writes through this one function. */
export type Emit = <P extends PrimitiveName>(primitive: P, params: Params[P], inputs: readonly Var[]) => Var;
