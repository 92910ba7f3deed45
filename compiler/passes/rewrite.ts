/** Rebuilds a program equation by equation: the one loop under simplification and common-subexpression elimination. */
import { equation } from '../ir/builder.js';
import { type Emit, type Equation, firstFree, type Program, type Var } from '../ir/program.js';
import type { Type } from '../ir/type.js';

/** What a rule may look at: the equation that defines a variable, undefined for a binder. */
export type Definition = (x: Var) => Equation | undefined;

/** Gives the variable that stands for the equation's output, or null to keep the equation. Its inputs are rewritten already. */
export type Rule = (eq: Equation, emit: Emit, definition: Definition) => Var | null;

/** Applies a rule to every equation, and to the equations that the rule itself emits, from first to last. */
export const rewrite = (program: Program, rule: Rule): Program => {
  const equations: Equation[] = [];
  const definitions = new Map<number, Equation>();
  const substitution = new Map<number, Var>();
  let next = firstFree(program);
  const fresh = (type: Type): Var => ({ id: next++, type });
  const definition: Definition = (x) => definitions.get(x.id);
  const keep = (eq: Equation): Var => {
    const replacement = rule(eq, emit, definition);
    if (replacement !== null) return replacement;
    equations.push(eq);
    definitions.set(eq.out.id, eq);
    return eq.out;
  };
  const emit: Emit = (primitive, params, inputs) => keep(equation(primitive, params, inputs, fresh));
  const current = (x: Var): Var => substitution.get(x.id) ?? x;
  for (const eq of program.equations) {
    const out = keep({ ...eq, inputs: eq.inputs.map(current) });
    if (out.id !== eq.out.id) substitution.set(eq.out.id, out);
  }
  return {
    ...program,
    equations,
    outputs: program.outputs.map((o) => ({ ...o, var: current(o.var) })),
  };
};
