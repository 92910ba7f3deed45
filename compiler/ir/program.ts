/**
 * Programs of the intermediate representation, in A-normal form. The grammar:
 *
 *   program  ::= name (binder …) { equation … } → (output … update …)
 *   binder   ::= var : type = kind "path"
 *   equation ::= var : type = primitive[params] var …
 *   output   ::= "path" = var
 *   update   ::= "path" by adam[params] var …
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

/**
 * Adam's update once more, in its own terms: what the `next` outputs of the same names say by equations, for a backend that has it as
 * one operation on variables that it holds.
 */
export type AdamUpdate = {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly rate: Var;
  /** β₁ᵗ and β₂ᵗ, with t counted from 1. */
  readonly beta1Power: Var;
  readonly beta2Power: Var;
  /** Names of the parameter and of its moments. */
  readonly targets: readonly {
    readonly parameter: string;
    readonly mean: string;
    readonly square: string;
    readonly gradient: Var;
  }[];
};

export type Program = {
  readonly name: string;
  /** Examples per call; static. */
  readonly batch: number;
  readonly binders: readonly Binder[];
  readonly equations: readonly Equation[];
  readonly outputs: readonly Output[];
  readonly adam?: AdamUpdate;
};

/** The variables that an update reads, each replaced by `f`. */
export const mapAdam = (adam: AdamUpdate, f: (x: Var) => Var): AdamUpdate => ({
  ...adam,
  rate: f(adam.rate),
  beta1Power: f(adam.beta1Power),
  beta2Power: f(adam.beta2Power),
  targets: adam.targets.map((target) => ({ ...target, gradient: f(target.gradient) })),
});

/** Every array that an update replaces: the parameters and their moments. */
export const updatedBy = (adam: AdamUpdate): readonly string[] =>
  adam.targets.flatMap(({ parameter, mean, square }) => [parameter, mean, square]);

/** Every variable that leaves a program: as an output, or into its update. */
export const results = ({ outputs, adam }: Program): readonly Var[] => [
  ...outputs.map((o) => o.var),
  ...(adam === undefined
    ? []
    : [adam.rate, adam.beta1Power, adam.beta2Power, ...adam.targets.map((target) => target.gradient)]),
];

/** Appends one equation and returns its variable. Every transform writes through this one function. */
export type Emit = <P extends PrimitiveName>(primitive: P, params: Params[P], inputs: readonly Var[]) => Var;

/** Ids of the variables that the given ones are computed from, themselves included. */
export const ancestors = (equations: readonly Equation[], of: readonly Var[]): ReadonlySet<number> => {
  const ids = new Set(of.map((x) => x.id));
  for (let i = equations.length - 1; i >= 0; i--) {
    if (ids.has(equations[i].out.id)) for (const x of equations[i].inputs) ids.add(x.id);
  }
  return ids;
};
