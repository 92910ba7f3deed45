/** Dead-code elimination: what no output needs is dropped, binders included. */
import { ancestors, type Program, results, type Var } from '../ir/program.js';

/** A binder that a `next` output replaces stays, though nothing may read it (a moment that decays at once); so does what `also` asks for. */
export const eliminateDeadCode = (program: Program, also: readonly Var[] = []): Program => {
  const needed = ancestors(program.equations, [...results(program), ...also]);
  const replaced = new Set(program.outputs.flatMap((o) => (o.kind === 'next' ? [o.name] : [])));
  return {
    ...program,
    binders: program.binders.filter((b) => needed.has(b.var.id) || replaced.has(b.name)),
    equations: program.equations.filter((eq) => needed.has(eq.out.id)),
  };
};
