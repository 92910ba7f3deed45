/** Checks schedules by running them: every scalar of the step alone is finite at the first and the last step. */
import { type Problem, problem } from '../../dsl/problem.js';
import { interpret } from '../ir/interpret.js';
import type { Program, Var } from '../ir/program.js';

/** What depends on nothing but the step, as a program of its own; its outputs are what anything else reads of it. */
const schedulesOf = (program: Program): Program => {
  const step = program.binders.filter((b) => b.kind === 'scalar');
  const known = new Set(step.map((b) => b.var.id));
  const equations = program.equations.filter((eq) => {
    // A batch is no schedule, however constant it is.
    const isSchedule = eq.out.type.rows === 0 && eq.inputs.every((x) => known.has(x.id));
    if (isSchedule) known.add(eq.out.id);
    return isSchedule;
  });
  const inside = new Set(equations.map((eq) => eq.out.id));
  const read: readonly Var[] = [
    ...program.equations.filter((eq) => !inside.has(eq.out.id)).flatMap((eq) => eq.inputs),
    ...program.outputs.map((o) => o.var),
  ];
  const outputs = [...new Map(read.filter((x) => inside.has(x.id)).map((x) => [x.id, x])).values()];
  return {
    ...program,
    binders: step,
    equations,
    outputs: outputs.map((x) => ({ kind: 'value', name: String(x.id), var: x })),
  };
};

/** `paths` says where in the specification a variable comes from. */
export const scheduleProblems = (
  program: Program,
  paths: ReadonlyMap<number, string>,
  steps: number,
): readonly Problem[] => {
  const schedules = schedulesOf(program);
  const reported = new Set<string>();
  return [0, steps - 1].flatMap((step) => {
    const { value } = interpret(schedules, new Map([['step', Float64Array.of(step)]]));
    return schedules.outputs.flatMap(({ name, var: x }) => {
      const [path, values] = [paths.get(x.id), value.get(name)];
      if (path === undefined || values === undefined || reported.has(path) || values.every(Number.isFinite))
        return [];
      reported.add(path);
      return [problem(path, `${values[0]} at step ${step}`, 'a finite number at every step')];
    });
  });
};
