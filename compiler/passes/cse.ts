/** Common-subexpression elimination: equal primitives on equal inputs are computed once. */
import { keyOf } from '../ir/key.js';
import type { Program, Var } from '../ir/program.js';
import { rewrite } from './rewrite.js';

const commutative: ReadonlySet<string> = new Set(['add', 'mul']);

/** Leaves one equation of each (primitive, parameters, inputs), so exactly one primal decoder. */
export const eliminateCommonSubexpressions = (program: Program): Program => {
  const known = new Map<string, Var>();
  return rewrite(program, (eq) => {
    const inputs = eq.inputs.map((x) => x.id);
    if (commutative.has(eq.primitive)) inputs.sort((a, b) => a - b);
    const key = `${eq.primitive}${keyOf(eq.params)}${inputs.join()}`;
    const before = known.get(key);
    if (before === undefined) known.set(key, eq.out);
    return before ?? null;
  });
};
