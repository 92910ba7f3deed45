/** The weight of a term where it is a schedule: what the term is divided by to be seen without it. */
import { describe, expect, test } from 'vitest';
import {
  add,
  data,
  div,
  hyper,
  mul,
  neg,
  objective,
  running,
  scale,
  schedule,
  scheduledWeights,
  sqNorm,
} from '../../dsl/index.js';

const error = sqNorm(data(3));
const growth = schedule.power({ exponent: hyper('nu', 2), scale: 1e-3 });

describe('the weight of a term', () => {
  test('is the product of all factors that change with the step', () => {
    const weights = scheduledWeights(
      objective({
        power: scale(growth, error),
        ramp: mul(error, schedule.linear(0, 1, 100)),
        both: neg(scale(growth, scale(2, mul(schedule.warmUp(10, 1), error)))),
        divided: div(error, growth),
        stepped: scale(schedule.piecewise(1, { from: 5, value: 3 }), error),
      }),
    );
    const at = (name: string, step: number): number => weights.get(name)?.(step) ?? NaN;
    expect(at('power', 100)).toBeCloseTo(1 + 100 ** 2 / 1000, 12);
    expect(at('ramp', 25)).toBeCloseTo(0.25, 12);
    expect(at('both', 4)).toBeCloseTo((1 + 16 / 1000) * 0.5, 12);
    expect(at('divided', 100)).toBeCloseTo(1 / 11, 12);
    expect([at('stepped', 4), at('stepped', 5)]).toEqual([1, 3]);
  });

  test('is none where it is the same at every step, or is no product, or depends on more than the step', () => {
    const weights = scheduledWeights(
      objective({
        constant: scale(0.5, error),
        sum: add(growth, error),
        plain: error,
        multiplier: scale(
          running('m', 1, (m) => add(m, error)),
          error,
        ),
      }),
    );
    expect([...weights.keys()]).toEqual([]);
  });
});
