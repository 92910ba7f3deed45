/** Appends the gradient of the loss with respect to every trainable parameter. */
import { createBuilder } from '../ir/builder.js';
import { constantLike } from '../ir/operations.js';
import { outputVar, type Program } from '../ir/program.js';
import { pullBack } from './reverse.js';

/** The same program with the gradient of its loss by each parameter as further outputs. */
export const differentiate = (program: Program): Program => {
  const builder = createBuilder(program);
  const parameters = program.binders.filter((b) => b.kind === 'parameter');
  const loss = outputVar(program, 'telemetry', 'loss');
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
        kind: 'gradient' as const,
        name: b.name,
        var: gradients[i] ?? constantLike(builder.emit, 0, b.var.type),
      })),
    ],
    equations: builder.equations(),
  };
};
