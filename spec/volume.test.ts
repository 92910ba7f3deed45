/** The volume ½ ln det JᵀJ against dense linear algebra and differences, and its stochastic surrogate against it. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import { compile } from '../compiler/compile.js';
import { differentiate, gradientName } from '../compiler/differentiate.js';
import { elaborateEvaluation, elaborateStep } from '../compiler/elaborate/program.js';
import { type Arrays, interpret } from '../compiler/interpret.js';
import type { Program } from '../compiler/program.js';
import { add, apply, constant, data, draw, jvp, log, sqNorm, vjp } from '../dsl/expr.js';
import type { Node } from '../dsl/expr.js';
import { normal } from '../dsl/draw.js';
import type { Experiment, Objective } from '../dsl/experiment.js';
import type { Network } from '../dsl/network.js';
import { sgd } from '../dsl/optimizer.js';
import { basis, gram, logDetSPD, solveGram, volume, type VolumeOptions } from '../dsl/volume.js';
import { activation, dense } from './arbitrary/network.js';
import { smoothValuesIn } from './arbitrary/values.js';
import { hasNative, runBy, type RunnerName } from './backends.js';
import { right } from './either.js';
import { arrayOf, calculate } from './expressions.js';
import { feed } from './feeding.js';
import { dot } from './moments.js';

const batch = 2;
const seed = fc.nat(1e6);

/** A decoder with d inputs and D ≥ d outputs. */
const decoderOf = (d: number, D: number): Network => ({
  name: 'decoder',
  input: [d],
  layers: [dense(D + 2), activation('tanh'), dense(D)],
});

/** An encoder for data of the decoder's D numbers. */
const encoderFor = (decoder: Network, D: number): Network => ({
  name: 'encoder',
  input: [D],
  layers: [dense(decoder.input[0])],
});

const training = (decoder: Network, D: number, objective: Objective): Experiment => ({
  encoder: encoderFor(decoder, D),
  decoder,
  objective,
  optimizer: sgd({ rate: constant(0.1) }),
  batch,
  steps: 1,
  data: 'none',
  validation: { every: 0 },
});

const codeOf = (decoder: Network, D: number) => apply(encoderFor(decoder, D), data(D));
const volumeOf = (decoder: Network, D: number, options: VolumeOptions): Objective => ({
  volume: volume(decoder, codeOf(decoder, D), options),
});

/** The loss alone and the loss with its gradients; both as the compiler makes them, not optimized. */
const programsOf = (decoder: Network, D: number, objective: Objective) => {
  const { program, context } = elaborateStep(training(decoder, D, objective));
  expect(context.problems).toEqual([]);
  const gradients = differentiate(program);
  return { loss: program, gradients, inputs: (s: number) => feed(gradients, [...context.draws.values()], s) };
};

const parametersOf = (program: Program): readonly string[] =>
  program.binders.flatMap((b) => (b.kind === 'parameter' ? [b.name] : []));

/** √d·e_k for k = 1 … d, for every example. */
const frame = (d: number): Float64Array =>
  Float64Array.from({ length: batch * d * d }, (_, i) =>
    Math.floor(i / d) % d === i % d ? Math.sqrt(d) : 0,
  );

/** The Gram determinant by elimination: Π of the pivots. */
const halfLogDet = (columns: readonly Float64Array[]): number => {
  const n = columns.length;
  const m = columns.map((a) => columns.map((b) => dot(a, b)));
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += Math.log(m[i][i]) / 2;
    for (let j = i + 1; j < n; j++) {
      const factor = m[j][i] / m[i][i];
      for (let k = i; k < n; k++) m[j][k] -= factor * m[i][k];
    }
  }
  return sum;
};

/** The columns of J for each example. */
const columnsOf = (decoder: Network, D: number, given: Arrays): readonly (readonly Float64Array[])[] => {
  const [d] = decoder.input;
  const values = calculate({ J: jvp(decoder, codeOf(decoder, D), basis(d)) }, { batch, given })('J');
  const column = (b: number, k: number): Float64Array =>
    values.subarray((b * d + k) * D, (b * d + k + 1) * D);
  return Array.from({ length: batch }, (_, b) => Array.from({ length: d }, (__, k) => column(b, k)));
};

/** det JᵀJ over that of an isotropic Jacobian of the same norm: 1 at best, 0 where the rank is not full. */
const roundness = (columns: readonly Float64Array[]): number => {
  const mean = columns.reduce((sum, c) => sum + dot(c, c), 0) / columns.length;
  return Math.exp(2 * halfLogDet(columns)) / mean ** columns.length;
};

const shapes = fc
  .record({ d: fc.integer({ min: 1, max: 4 }), extra: fc.integer({ min: 0, max: 3 }) })
  .map(({ d, extra }) => ({ d, D: d + extra }));

const expectNear = (found: number, expected: number, tolerance: number): void =>
  expect(Math.abs(found - expected)).toBeLessThan(tolerance * Math.max(1, Math.abs(expected)));

const expectClose = (found: Float64Array, expected: Float64Array, tolerance: number): void => {
  const scale = Math.max(1e-2, ...expected.map(Math.abs));
  found.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(tolerance * scale));
};

const gradientsOf = (results: Arrays, program: Program): Float64Array =>
  Float64Array.from(parametersOf(program).flatMap((name) => [...arrayOf(results, gradientName(name))]));

/** Compares the gradient along a random direction with five-point differences, where these agree with each other. */
const agreesWithSlope = (decoder: Network, D: number, objective: Objective, s: number): void => {
  const { loss, gradients, inputs } = programsOf(decoder, D, objective);
  const point = inputs(s);
  fc.pre(columnsOf(decoder, D, point).every((J) => roundness(J) > 1e-3));
  const names = parametersOf(gradients);
  const along = new Map(
    names.map((name) => [name, smoothValuesIn([-1, 1], arrayOf(point, name).length, s, `along ${name}`)]),
  );
  const valueAt = (h: number): number => {
    const moved = names.map((name): [string, Float64Array] => {
      const by = arrayOf(along, name);
      return [name, arrayOf(point, name).map((w, i) => w + h * by[i])];
    });
    return arrayOf(interpret(loss, new Map([...point, ...moved])), 'loss')[0];
  };
  const slope = (h: number): number =>
    (valueAt(-2 * h) - 8 * valueAt(-h) + 8 * valueAt(h) - valueAt(2 * h)) / (12 * h);
  const results = interpret(gradients, point);
  const found = names.reduce(
    (sum, name) => sum + dot(arrayOf(results, gradientName(name)), arrayOf(along, name)),
    0,
  );
  const [fine, coarse] = [slope(1e-4), slope(2e-4)];
  fc.pre(Math.abs(fine - coarse) < 1e-6 * Math.max(1, Math.abs(fine)));
  expectNear(found, fine, 1e-5);
};

describe('the exact volume', () => {
  test.prop([shapes, seed])('is half the log-determinant of the Gram matrix of J', ({ d, D }, s) => {
    const decoder = decoderOf(d, D);
    const { loss, inputs } = programsOf(decoder, D, volumeOf(decoder, D, { method: 'exact' }));
    const expected = columnsOf(decoder, D, inputs(s)).map(halfLogDet);
    expectNear(arrayOf(interpret(loss, inputs(s)), 'volume')[0], (expected[0] + expected[1]) / batch, 1e-9);
  });

  test.prop([fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), seed])(
    'of a network with more inputs than outputs takes its rows',
    (m, extra, s) => {
      const net = decoderOf(m + extra, m);
      const { loss, inputs } = programsOf(net, m, volumeOf(net, m, { method: 'exact' }));
      expect(loss.equations.some((eq) => eq.primitive === 'cholesky' && eq.out.type.shape[0] === m)).toBe(
        true,
      );
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

const runners: readonly RunnerName[] = ['wasm', 'cpu', ...(hasNative() ? ['native' as const] : [])];

describe('the stochastic surrogate', () => {
  /** The gradients of both, the surrogate's over the probes √d·e_k. */
  const both = (d: number, D: number, s: number, conjugate = false) => {
    const decoder = decoderOf(d, D);
    const exact = programsOf(decoder, D, volumeOf(decoder, D, { method: 'exact' }));
    const how = conjugate ? { iterations: d } : {};
    const stochastic = programsOf(
      decoder,
      D,
      volumeOf(decoder, D, { method: 'stochastic', probes: d, ...how }),
    );
    const inputs = new Map([...exact.inputs(s), ['epsilon', frame(d)]]);
    const columns = columnsOf(decoder, D, inputs);
    return { exact: exact.gradients, stochastic: stochastic.gradients, inputs, columns };
  };

  test.prop([shapes, seed, fc.boolean()])(
    'averaged over the probes √d·e_k has the exact gradient',
    ({ d, D }, s, cg) => {
      const { exact, stochastic, inputs, columns } = both(d, D, s, cg);
      const expected = gradientsOf(interpret(exact, inputs), exact);
      fc.pre(columns.every((J) => roundness(J) > 1e-3));
      expectClose(gradientsOf(interpret(stochastic, inputs), stochastic), expected, 1e-9);
    },
  );

  for (const name of runners) {
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
  }

  test.prop([shapes, seed])('has the value ‖ε‖²/2', ({ d, D }, s) => {
    const { stochastic, inputs, columns } = both(d, D, s);
    fc.pre(columns.every((J) => roundness(J) > 1e-3));
    expectNear(arrayOf(interpret(stochastic, inputs), 'volume')[0], d / 2, 1e-8);
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

describe('a Jacobian without full rank', () => {
  /** A linear decoder whose columns are equal. */
  const decoder: Network = { name: 'decoder', input: [2], layers: [dense(3, false)] };
  const kernel = ['decoder/0.dense/kernel', Float64Array.of(1, 2, 3, 1, 2, 3)] as const;

  for (const name of runners) {
    for (const method of ['exact', 'stochastic'] as const) {
      example(`on ${name} ends, with finite parameters or none committed (${method})`, async () => {
        const { step, draws } = right(compile(training(decoder, 3, volumeOf(decoder, 3, { method }))));
        const results = await runBy(name, step, new Map([...feed(step, draws, 1), kernel]));
        const next = arrayOf(results, `next ${kernel[0]}`);
        expect(arrayOf(results, 'commit')[0]).toBe(
          [...next, ...arrayOf(results, 'loss')].every(Number.isFinite) ? 1 : 0,
        );
      });
    }
  }

  for (const name of runners) {
    example(`on ${name} evaluated has no volume where columns are equal, nearly so or zero`, async () => {
      const { evaluate } = right(compile(training(decoder, 3, volumeOf(decoder, 3, { method: 'exact' }))));
      const volumeAt = async (second: readonly number[]): Promise<number> => {
        const weights = Float64Array.of(1, 2, 3, ...second);
        const given = new Map([...feed(evaluate, [], 1), [kernel[0], weights] as const]);
        const [found, expected] = [await runBy(name, evaluate, given), interpret(evaluate, given)].map(
          (results) => arrayOf(results, 'volume')[0],
        );
        expect(Number.isNaN(found)).toBe(Number.isNaN(expected));
        return found;
      };
      for (const second of [
        [1, 2, 3],
        [1 + 1e-4, 2, 3],
        [-2, -4, -6],
        [0, 0, 0],
      ])
        expect(await volumeAt(second)).toBeNaN();
      expect(await volumeAt([3, 0, -1])).toBeCloseTo(Math.log(140) / 2, 4);
      // Short is not flat.
      expect(await volumeAt([3e-4, 0, -1e-4])).toBeCloseTo(Math.log(140e-8) / 2, 3);
    });
  }

  example(
    'a determinant that no jitter makes positive is not a number, and the step is not committed',
    () => {
      const products: Node = jvp(decoder, codeOf(decoder, 3), basis(2));
      const { step, draws } = right(compile(training(decoder, 3, { volume: logDetSPD(gram(products)) })));
      const inputs = new Map([...feed(step, draws, 1), [kernel[0], kernel[1].map(() => 0)] as const]);
      const results = interpret(step, inputs);
      expect(arrayOf(results, 'volume')[0]).toBeNaN();
      expect(arrayOf(results, 'commit')[0]).toBe(0);
    },
  );
});
