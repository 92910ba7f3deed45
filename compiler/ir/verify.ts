/** Well-formedness of programs: run between every two passes. */
import { type Problem, problem } from '../../dsl/problem.js';
import { type Equation, is, type Program, results, type Var } from './program.js';
import { typeOf } from './primitive-table.js';
import { sameType, showType, type Type } from './type.js';

/** The program that an equation holds inside, if it holds one. */
const programInside = (eq: Equation, batch: number, name: string): Program | null => {
  if (!is(eq, 'solveSPD')) return null;
  const { argument, captured, equations, out } = eq.params.operator;
  const bound = (x: Var, i: number) => ({ kind: 'data', name: String(i), var: x }) as const;
  return {
    name,
    batch,
    binders: [argument, ...captured].map(bound),
    equations,
    outputs: [{ kind: 'value', name: 'out', var: out }],
  };
};

/** Every variable is defined once and before its use, every equation has the type its row gives, every output exists. */
export const verify = (program: Program): readonly Problem[] => {
  const problems: Problem[] = [];
  const defined = new Map<number, Type>();
  const define = (path: string, id: number, type: Type): void => {
    if (defined.has(id))
      problems.push(problem(path, `a second definition of variable ${id}`, 'one definition each'));
    defined.set(id, type);
  };
  const use = (path: string, id: number, type: Type): void => {
    const known = defined.get(id);
    if (known === undefined)
      problems.push(problem(path, `variable ${id} before its definition`, 'definition before use'));
    else if (!sameType(known, type)) problems.push(problem(path, showType(type), showType(known)));
  };
  const binders = new Map(program.binders.map((b) => [b.name, b.var.type]));
  if (binders.size !== program.binders.length) {
    problems.push(problem(program.name, 'two binders of one name', 'distinct names'));
  }
  program.binders.forEach((b) => define(`${program.name}.${b.name}`, b.var.id, b.var.type));
  program.equations.forEach((eq, i) => {
    const path = `${program.name}.equations[${i}] ${eq.primitive}`;
    eq.inputs.forEach((x) => use(path, x.id, x.type));
    const type = typeOf(eq);
    if (typeof type === 'string') problems.push(problem(path, 'an ill-typed equation', type));
    else if (!sameType(type, eq.out.type))
      problems.push(problem(path, showType(eq.out.type), showType(type)));
    const inside = programInside(eq, program.batch, `${path}.operator`);
    if (inside !== null) problems.push(...verify(inside));
    define(path, eq.out.id, eq.out.type);
  });
  results(program).forEach((x) => use(`${program.name}, a result`, x.id, x.type));
  program.outputs.forEach(({ kind, name, var: x }) => {
    const binder = binders.get(name);
    if (kind === 'next' && (binder === undefined || !sameType(binder, x.type))) {
      problems.push(
        problem(
          `${program.name}.next ${name}`,
          showType(x.type),
          binder ? showType(binder) : 'a binder of that name',
        ),
      );
    }
  });
  return problems;
};
