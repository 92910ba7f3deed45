/** The compiler's gradient against differences of the value, along a direction of all weights. */
import { createBuilder } from '../compiler/ir/builder.js';
import { differentiate } from '../compiler/derivatives/differentiate.js';
import { interpret } from '../compiler/ir/interpret.js';
import { batchMean } from '../compiler/ir/operations.js';
import { outputVar, type Program } from '../compiler/ir/program.js';
import { floatAt, internalError } from '../dsl/lookup.js';
import { smoothValuesIn } from './arbitrary/values.js';
import { holds, type Inputs, margin, open, shown, type Verdict } from './comparison.js';
import type { Claim } from './laws.js';
import type { Calculation } from './meaning.js';

/** The mean of a scalar over the batch as a loss, and with its gradients. */
const lossOf = (
  { program }: Calculation,
  of: string,
): { readonly loss: Program; readonly gradients: Program } => {
  const builder = createBuilder(program);
  const mean = batchMean(builder.emit, outputVar(program, 'value', of), program.batch);
  const loss: Program = {
    ...program,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: [{ kind: 'telemetry', name: 'loss', var: mean }],
  };
  return { loss, gradients: differentiate(loss) };
};

/** The gradient along a direction of all weights, and the slope there by five-point differences of two widths. */
export const sloped = (
  claim: Extract<Claim, { readonly tag: 'gradient' }>,
  calculation: Calculation,
  inputs: Inputs,
  seed: number,
): Verdict => {
  const { loss, gradients } = lossOf(calculation, 'left');
  const names = calculation.parameters.map(({ name }) => name);
  const along = new Map(
    names.map((name) => [
      name,
      smoothValuesIn([-1, 1], inputs.get(name)?.length ?? 0, seed, `along ${name}`),
    ]),
  );
  const at = (h: number): number => {
    const moved = [...inputs].map(([name, values]): readonly [string, Float64Array] => {
      const by = along.get(name);
      return [name, by === undefined ? values : values.map((x, i) => x + h * floatAt(by, i))];
    });
    return floatAt(interpret(loss, new Map(moved)).telemetry.get('loss') ?? internalError('no loss'), 0);
  };
  const slope = (h: number): number => (at(-2 * h) - 8 * at(-h) + 8 * at(h) - at(2 * h)) / (12 * h);
  const { gradient } = interpret(gradients, inputs);
  const found = names.reduce((sum, name) => {
    const by = along.get(name) ?? internalError(`no direction for ${name}`);
    return (gradient.get(name) ?? new Float64Array()).reduce(
      (total, g, i) => total + g * floatAt(by, i),
      sum,
    );
  }, 0);
  const [fine, coarse] = [slope(1e-3), slope(2e-3)];
  const by = margin(fine, claim.tolerance);
  if (!(Math.abs(fine - coarse) <= by / 4)) return open;
  return Math.abs(found - fine) <= by
    ? holds
    : {
        tag: 'fails',
        claim,
        why: `the gradient along a direction of all weights is ${shown(found)} where the slope is ${shown(fine)}`,
      };
};
