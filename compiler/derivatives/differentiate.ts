/** Appends the gradient of the loss with respect to every trainable parameter. */
import { createBuilder } from '../ir/builder.js';
import { constantLike } from '../ir/operations.js';
import type { Program, Var } from '../ir/program.js';
import { pullBack } from './reverse.js';

/** The variable of a named output. */
export const outputVar = (program: Program, name: string): Var => {
  const output = program.outputs.find((o) => o.kind === 'value' && o.name === name);
  if (output === undefined) throw new Error(`no output ${name}`);
  return output.var;
};

/** The name under which the gradient of a parameter is an output. */
export const gradientName = (parameter: string): string => `gradient ${parameter}`;

/** The same program with an output `gradient PATH` for each parameter binder. */
export const differentiate = (program: Program): Program => {
  const builder = createBuilder(program);
  const parameters = program.binders.filter((b) => b.kind === 'parameter');
  const loss = outputVar(program, 'loss');
  const one = constantLike(builder.emit, 1, loss.type);
  const gradients = pullBack(
    builder,
    parameters.map((b) => b.var),
    [loss],
    [one],
    false,
  );
  return {
    ...program,
    binders: builder.binders(),
    outputs: [
      ...program.outputs,
      ...parameters.map((b, i) => ({
        kind: 'value' as const,
        name: gradientName(b.name),
        var: gradients[i] ?? constantLike(builder.emit, 0, b.var.type),
      })),
    ],
    equations: builder.equations(),
  };
};
