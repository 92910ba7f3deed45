/** Forward mode: a tangent for each variable between seeds and outputs, by one rule per primitive. */
import { ancestors, type Emit, type Equation, type Var } from '../ir/program.js';
import { jvpOf } from '../ir/primitive-table.js';

export type Seed = { readonly primal: Var; readonly tangent: Var };

/**
 * Emits the tangents of `outputs` for the tangents of the seeds; null where a tangent is zero. The primal equations
 * are the given ones and are not emitted again. `user` says that this is a jvp or vjp that the user wrote.
 */
export const pushForward = (
  emit: Emit,
  equations: readonly Equation[],
  seeds: readonly Seed[],
  outputs: readonly Var[],
  user: boolean,
): readonly (Var | null)[] => {
  const needed = ancestors(equations, outputs);
  const tangents = new Map(seeds.map(({ primal, tangent }) => [primal.id, tangent]));
  for (const eq of equations) {
    if (!needed.has(eq.out.id) || tangents.has(eq.out.id)) continue;
    const inputs = eq.inputs.map((x) => tangents.get(x.id) ?? null);
    if (inputs.every((t) => t === null)) continue;
    const tangent = jvpOf(eq, { emit, tangents: inputs, user });
    if (tangent !== null) tangents.set(eq.out.id, tangent);
  }
  return outputs.map((x) => tangents.get(x.id) ?? null);
};
