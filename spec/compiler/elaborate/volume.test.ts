/** The volume ½ ln det JᵀJ against dense linear algebra and differences, and its stochastic surrogate against it. */
import { elementAt, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { elaborateEvaluation } from '../../../compiler/elaborate/program.js';
import { add, draw, jvp, log, sqNorm, vjp } from '../../../dsl/expressions/expression.js';
import { normal } from '../../../dsl/expressions/draw.js';
import { solveGram } from '../../../dsl/expressions/volume.js';
import { runBy } from '../../shared/backends.js';
import { arrayOf, calculate } from '../../shared/expressions.js';
import { feed } from '../../shared/feeding.js';
import {
  agreesWithSlope,
  batch,
  both,
  codeOf,
  columnsOf,
  decoderOf,
  expectClose,
  expectNear,
  gradientsOf,
  halfLogDet,
  programsOf,
  roundness,
  runners,
  training,
  volumeOf,
} from './volumes.js';
import { interpret } from '../../shared/outputs.js';
import { eachRunner } from '../../shared/each-runner.js';

const seed = fc.nat(1e6);

const shapes = fc
  .record({ d: fc.integer({ min: 1, max: 4 }), extra: fc.integer({ min: 0, max: 3 }) })
  .map(({ d, extra }) => ({ d, D: d + extra }));

describe('the exact volume', () => {
  test.prop([shapes, seed])('is half the log-determinant of the Gram matrix of J', ({ d, D }, s) => {
    const decoder = decoderOf(d, D);
    const { loss, inputs } = programsOf(decoder, D, volumeOf(decoder, D, { method: 'exact' }));
    const expected = columnsOf(decoder, D, inputs(s)).map(halfLogDet);
    expectNear(
      float64At(arrayOf(interpret(loss, inputs(s)), 'volume'), 0),
      (elementAt(expected, 0) + elementAt(expected, 1)) / batch,
      1e-9,
    );
  });

  test.prop([fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), seed])(
    'of a network with more inputs than outputs takes its rows',
    (m, extra, s) => {
      const net = decoderOf(m + extra, m);
      const { loss, inputs } = programsOf(net, m, volumeOf(net, m, { method: 'exact' }));
      expect(loss.equations.some((eq) => eq.primitive === 'lq' && eq.out.type.shape[0] === m)).toBe(true);
      expect(Number.isFinite(arrayOf(interpret(loss, inputs(s)), 'volume')[0])).toBe(true);
    },
  );

  // d = 1, d = D − 1 and d = D among them.
  test.prop([shapes, seed])('its gradient is its slope', ({ d, D }, s) => {
    const decoder = decoderOf(d, D);
    agreesWithSlope(decoder, D, volumeOf(decoder, D, { method: 'exact' }), s);
  });
});

describe('the solution of JᵀJ·u = b', () => {
  test.prop([shapes, seed, fc.boolean()])('times JᵀJ is b', ({ d, D }, s, cg) => {
    const decoder = decoderOf(d, D);
    const code = codeOf(decoder, D);
    const b = draw('b', normal(d), { probes: 2 });
    const u = solveGram(decoder, code, b, cg ? { tolerance: 0, iterations: d } : {});
    const { inputs } = programsOf(decoder, D, volumeOf(decoder, D, { method: 'exact' }));
    const given = inputs(s);
    fc.pre(columnsOf(decoder, D, given).every((J) => roundness(J) > 1e-3));
    const JTJu = vjp(decoder, code, jvp(decoder, code, u));
    const value = calculate({ b, JTJu }, { batch, given, seed: s });
    expectClose(value('JTJu'), value('b'), 1e-8);
  });

  test.prop([shapes, seed, fc.boolean()])('has the gradient that is its slope', ({ d, D }, s, cg) => {
    const decoder = decoderOf(d, D);
    const bound = cg ? { tolerance: 0, iterations: d } : {};
    const u = solveGram(decoder, codeOf(decoder, D), draw('b', normal(d)), bound);
    agreesWithSlope(decoder, D, { size: log(add(1, sqNorm(u))) }, s);
  });
});

describe('the stochastic surrogate', () => {
  test.prop([shapes, seed, fc.boolean()])(
    'averaged over the probes √d·e_k has the exact gradient',
    ({ d, D }, s, cg) => {
      const { exact, stochastic, inputs, columns } = both(d, D, s, cg);
      const expected = gradientsOf(interpret(exact, inputs), exact);
      fc.pre(columns.every((J) => roundness(J) > 1e-3));
      const found = interpret(stochastic, inputs);
      // A pair that is bounded is smaller (surrogate-variance.test.ts).
      fc.pre((found.get('volume/bounded')?.[0] ?? 0) === 0);
      expectClose(gradientsOf(found, stochastic), expected, 1e-9);
    },
  );

  eachRunner(runners, (name) => {
    test.prop([shapes, seed, fc.boolean()], { numRuns: name === 'native' ? 5 : 15 })(
      `on ${name} averaged over the probes √d·e_k has the exact gradient`,
      async ({ d, D }, s, cg) => {
        const { exact, stochastic, inputs, columns } = both(d, D, s, cg);
        const expected = gradientsOf(interpret(exact, inputs), exact);
        // Of a determinant near 0 single precision does not know four digits.
        fc.pre(columns.every((J) => roundness(J) > 0.05));
        expectClose(gradientsOf(await runBy(name, stochastic, inputs), stochastic), expected, 1e-4);
        expectClose(gradientsOf(await runBy(name, exact, inputs), exact), expected, 1e-4);
      },
    );
  });

  test.prop([shapes, seed])('has the value ‖ε‖²/2', ({ d, D }, s) => {
    const { stochastic, inputs, columns } = both(d, D, s);
    fc.pre(columns.every((J) => roundness(J) > 1e-3));
    expectNear(float64At(arrayOf(interpret(stochastic, inputs), 'volume'), 0), d / 2, 1e-8);
  });

  test.prop([shapes, seed])('draws nothing in evaluation, which is exact', ({ d, D }, s) => {
    const decoder = decoderOf(d, D);
    const values = (['exact', 'stochastic', 'auto'] as const).map((method) => {
      const { program } = elaborateEvaluation(training(decoder, D, volumeOf(decoder, D, { method })));
      expect(program.binders.some((b) => b.kind === 'draw')).toBe(false);
      return [...arrayOf(interpret(program, feed(program, [], s)), 'volume')];
    });
    expect(values[1]).toEqual(values[0]);
    expect(values[2]).toEqual(values[0]);
  });
});
