/** Splines as steep and as flat as their bounds allow: what comes back is as good as the slope lets it be. */
import { float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createBuilder } from '../../../compiler/ir/builder.js';
import { splined } from '../../../compiler/elaborate/spline.js';
import type { Program } from '../../../compiler/ir/program.js';
import { smoothValuesIn } from '../../../laws/arbitrary/values.js';
import { runBy, type RunnerName } from '../../shared/backends.js';
import { arrayOf } from '../../shared/expressions.js';
import { type Arrays, interpret } from '../../shared/outputs.js';
import { eachRunner } from '../../shared/each-runner.js';

const [count, bins, bound] = [40, 5, 3];

type Way = 'forward' | 'backward';

/** Through the spline one way and back the other. */
const program = (way: Way): Program => {
  const builder = createBuilder();
  const bind = (name: string, ...shape: readonly number[]) => builder.bind('data', name, { rows: 1, shape });
  const shape = {
    widths: bind('widths', count, bins),
    heights: bind('heights', count, bins),
    slopes: bind('slopes', count, bins - 1),
  };
  const point = bind('point', count);
  const there = splined(builder.emit, bound, shape, point, way);
  const opposite = way === 'forward' ? 'backward' : 'forward';
  const back = splined(builder.emit, bound, shape, there.value, opposite);
  return {
    name: 'spline',
    batch: 1,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: [
      { kind: 'value', name: 'back', var: back.value },
      { kind: 'value', name: 'logSlope', var: there.logSlope },
    ],
  };
};

/** Bins and slopes within e^±3 of each other, many of them at the ends of that; numbers that single precision knows. */
const inputsOf = (seed: number): Arrays => {
  const steep = (name: string, n: number): Float64Array =>
    smoothValuesIn([-1, 1], n, seed, name).map((x) => Math.fround(3 * Math.tanh(4 * x)));
  return new Map([
    ['widths', steep('widths', count * bins)],
    ['heights', steep('heights', count * bins)],
    ['slopes', steep('slopes', count * (bins - 1))],
    ['point', smoothValuesIn([-bound, bound], count, seed, 'point').map(Math.fround)],
  ]);
};

/** How far numbers are from where they began; on a flat part, whose way back is steep, measured on its other side. */
const furthest = (way: Way, inputs: Arrays, results: Arrays): number => {
  const logSlope = arrayOf(interpret(program(way), inputs), 'logSlope');
  const point = arrayOf(inputs, 'point');
  return Math.max(
    ...arrayOf(results, 'back').map(
      (x, i) => Math.abs(x - float64At(point, i)) * Math.min(1, Math.exp(float64At(logSlope, i))),
    ),
  );
};

const ways = fc.constantFrom<Way[]>('forward', 'backward');
const runners: readonly RunnerName[] = ['wasm', 'cpu', 'native', 'cc', 'webgpu'];

describe('there and back is where it began', () => {
  test.prop([ways, fc.nat(1e6)], { numRuns: 30 })('in float64', (way, seed) => {
    const inputs = inputsOf(seed);
    expect(furthest(way, inputs, interpret(program(way), inputs))).toBeLessThan(1e-13);
  });

  eachRunner(runners, (name) => {
    test.prop([ways, fc.nat(1e6)], { numRuns: name === 'native' ? 4 : 20 })(
      `in float32 on ${name}`,
      async (way, seed) => {
        const inputs = inputsOf(seed);
        expect(furthest(way, inputs, await runBy(name, program(way), inputs))).toBeLessThan(1e-5);
      },
    );
  });
});
