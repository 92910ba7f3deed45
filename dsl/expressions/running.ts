/**
 * Running values: scalars that the program keeps from step to step and that no gradient reaches. Schedules with state are made of
 * them, as batch-norm's statistics are of moving averages.
 */
import { add, type Expr, greater, scale, select, step, sub } from './expression.js';
import { unknownOptions } from '../mistake.js';
import type { Scalar } from '../shape.js';

/**
 * A scalar with state. Its value in a step is the one before the update, `initial` at first; the next is `update` of it, averaged
 * over the batch. Evaluation reads the value and leaves it as it is, as does a step that is not finite.
 */
export const running = (
  name: string,
  initial: number,
  update: (previous: Expr<Scalar>) => Expr<Scalar>,
): Expr<Scalar> => ({
  tag: 'running',
  name,
  initial,
  update: update({ tag: 'running', name, initial }),
});

/** average ← decay·average + (1 − decay)·of; the first step takes the place of `initial`, so that nothing is biased towards it. */
export const movingAverage = (
  name: string,
  of: Expr<Scalar>,
  options: { readonly decay?: number; readonly initial?: number } = {},
): Expr<Scalar> => {
  const { decay = 0.99, initial = 0 } = options;
  const value = running(name, initial, (average) =>
    select(greater(step, 0), add(of, scale(decay, sub(average, of))), of),
  );
  return { ...value, ...unknownOptions('movingAverage', options, ['decay', 'initial']) };
};
