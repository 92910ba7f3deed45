/**
 * Programs of the intermediate representation, in A-normal form. The grammar:
 *
 *   program  ::= name (binder …) { equation … } → (output …)
 *   binder   ::= var : type = kind "path"
 *   equation ::= var : type = primitive[params] var …
 *   output   ::= "path" = var
 */
import { elementAt } from '../../dsl/lookup.js';
import type { Equation, EquationOf, Params, PrimitiveName, Var } from './params.js';

export type { Equation, EquationOf, Operator, Var } from './params.js';

/** Narrows an equation to one primitive, and so to that primitive's parameters. */
export const is = <P extends PrimitiveName>(eq: Equation, primitive: P): eq is EquationOf<P> =>
  eq.primitive === primitive;

/** Where a program's input comes from. `state` covers moments and running statistics; `scalar` is fed by the host each step. */
export type BinderKind = 'parameter' | 'state' | 'data' | 'draw' | 'scalar';

export type Binder = { readonly kind: BinderKind; readonly name: string; readonly var: Var };

/** What a step says of itself beside its terms. `commit` is 1 where all of it is finite, else the step changes nothing. */
export type TelemetryName = 'loss' | 'rate' | 'gradientNorm' | 'commit';

/**
 * What leaves a program, each kind with names of its own: a term of an objective (of a step its mean, of an evaluation that of each
 * example), a term whose value is a stochastic surrogate's, the part of a step's examples that a guard acted on, telemetry, the gradient of the loss by the parameter of that name, the value
 * that replaces the binder's of that name, or whatever else was asked for.
 */
export type Output =
  | {
      readonly kind: 'term' | 'surrogate' | 'guard' | 'gradient' | 'next' | 'value';
      readonly name: string;
      readonly var: Var;
    }
  | { readonly kind: 'telemetry'; readonly name: TelemetryName; readonly var: Var };

export type OutputKind = Output['kind'];

/** The output of a kind and name; an internal error where there is none. */
export const outputVar = (program: Program, kind: OutputKind, name: string): Var => {
  const output = program.outputs.find((o) => o.kind === kind && o.name === name);
  if (output === undefined) throw new Error(`${program.name} has no ${kind} ${name}`);
  return output.var;
};

/** What each output came to, by kind and name. */
export type Results<A> = { readonly [K in OutputKind]: ReadonlyMap<string, A> };

type Named = Pick<Output, 'kind' | 'name'>;

/** The results of outputs, each with what `result` gives for it and its place. */
export const resultsOf = <A>(
  outputs: readonly Named[],
  result: (output: Named, place: number) => A,
): Results<A> => {
  const all = outputs.map((output, i) => ({
    kind: output.kind,
    entry: [output.name, result(output, i)] as const,
  }));
  const of = (kind: OutputKind): ReadonlyMap<string, A> =>
    new Map(all.flatMap((one) => (one.kind === kind ? [one.entry] : [])));
  return {
    term: of('term'),
    surrogate: of('surrogate'),
    guard: of('guard'),
    telemetry: of('telemetry'),
    gradient: of('gradient'),
    next: of('next'),
    value: of('value'),
  };
};

export type Program = {
  readonly name: string;
  /** Examples per call: a parameter of lowering, static in what is lowered. */
  readonly batch: number;
  readonly binders: readonly Binder[];
  readonly equations: readonly Equation[];
  readonly outputs: readonly Output[];
};

/**
 * The same program for another number of examples. Of programs whose equations name none: all but training steps, whose means over the
 * batch do.
 */
export const atBatch = (program: Program, batch: number): Program => ({ ...program, batch });

/** Every variable that leaves a program. */
export const results = ({ outputs }: Program): readonly Var[] => outputs.map((o) => o.var);

/** Appends one equation and returns its variable. Every transform writes through this one function. */
export type Emit = <P extends PrimitiveName>(primitive: P, params: Params[P], inputs: readonly Var[]) => Var;

/** Ids of the variables that the given ones are computed from, themselves included. */
export const ancestors = (equations: readonly Equation[], of: readonly Var[]): ReadonlySet<number> => {
  const ids = new Set(of.map((x) => x.id));
  for (let i = equations.length - 1; i >= 0; i--) {
    if (ids.has(elementAt(equations, i).out.id))
      for (const x of elementAt(equations, i).inputs) ids.add(x.id);
  }
  return ids;
};

/** The first number above those of all variables. */
export const firstFree = ({ binders, equations }: Pick<Program, 'binders' | 'equations'>): number => {
  let last = -1;
  for (const binder of binders) last = Math.max(last, binder.var.id);
  for (const eq of equations) last = Math.max(last, eq.out.id);
  return last + 1;
};
