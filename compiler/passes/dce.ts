/** Dead-code elimination: what no output needs is dropped, binders included. */
import { ancestors } from '../forward.js';
import type { Program } from '../program.js';

export const eliminateDeadCode = (program: Program): Program => {
  const needed = ancestors(
    program.equations,
    program.outputs.map((o) => o.var),
  );
  return {
    ...program,
    binders: program.binders.filter((b) => needed.has(b.var.id)),
    equations: program.equations.filter((eq) => needed.has(eq.out.id)),
  };
};
