/** Activations and reductions of numbers from 1e-38 to 1e38 are on every backend what they are in double precision. */
import { expect, test } from 'vitest';
import { differentiate } from '../../../compiler/derivatives/differentiate.js';
import { elaborateStep } from '../../../compiler/elaborate/program.js';
import { type Expr, meanOf, norm, normEach, square, sum } from '../../../dsl/expressions/expression.js';
import type { NetworkValue, Node } from '../../../dsl/grammar.js';
import { logSumExp, maxOver, meanOver, softmax } from '../../../dsl/expressions/arrays.js';
import {
  adam,
  constant,
  groupNorm,
  input,
  layerNorm,
  network,
  pipe,
  reshape,
  rmsNorm,
  sizeOf,
} from '../../../dsl/index.js';
import { activation, allActivations } from '../../../laws/arbitrary/network.js';
import { runBy, type RunnerName } from '../../shared/backends.js';
import { eachRunner } from '../../shared/each-runner.js';
import { arrayOf, calculation, free } from '../../shared/expressions.js';
import { gradientName, interpret } from '../../shared/outputs.js';

/** ±1, ±2.5 and ±7 times each power of ten that single precision has, and zero. */
const numbers = Float64Array.from(
  [
    ...Array.from({ length: 77 }, (_, i) => 10 ** (i - 38)).flatMap((power) =>
      [1, 2.5, 7].map((x) => x * power),
    ),
    0,
  ].flatMap((x) => [x, -x]),
).map(Math.fround);

/** Where single precision ends: what is smaller may be 0, what is greater is infinite. */
const [least, greatest] = [1.1754943508222875e-38, 3.4028234663852886e38];

const runners: readonly RunnerName[] = ['cpu', 'kernels', 'wasm', 'native', 'cc', 'webgpu'];

/** Whose elementary functions are our own. */
const generated: readonly RunnerName[] = ['wasm', 'cc', 'webgpu'];

/** To a few units in the last place of the value, or of the numbers that it is made of where they cancel. */
const expectNear = (found: number, expected: number, of: number, what: string): void => {
  if (Math.abs(expected) > greatest) {
    // Just below, rounding decides.
    if (Math.abs(expected) > 1.00001 * greatest) expect(found, what).toBe(Math.sign(expected) * Infinity);
    return;
  }
  expect(Number.isNaN(found), `${what}: ${expected}, found ${found}`).toBe(Number.isNaN(expected));
  const tolerance = 2e-6 * Math.max(Math.abs(expected), of) + 64 * least;
  if (!Number.isNaN(expected))
    expect(Math.abs(found - expected), `${what}: ${expected}, found ${found}`).toBeLessThanOrEqual(tolerance);
};

/** Each by itself, and its slope. */
const functionsOf = (data: Expr<readonly []>): Readonly<Record<string, Node>> => ({
  square: square(data),
  ...Object.fromEntries(
    allActivations.flatMap((name): readonly (readonly [string, Node])[] => {
      const network: NetworkValue = { name, input: [], layers: [activation(name)] };
      const tangent: Node = { tag: 'constant', value: 1 };
      return [
        [name, { tag: 'apply', network, at: data, output: '' }],
        [`slope of ${name}`, { tag: 'jvp', network, at: data, tangent, output: '' }],
      ];
    }),
  ),
});

/** Four numbers of about each size. */
const sizes = Array.from({ length: 77 }, (_, i) => 10 ** (i - 38));
const rows = Float64Array.from(sizes.flatMap((size) => [1, -1, 0, 0.5].map((x) => x * size))).map(
  Math.fround,
);

const reductions = ((): Readonly<Record<string, Node>> => {
  const data: Expr<readonly [4]> = { tag: 'data', shape: [4] };
  const probes: Expr<readonly [2, 2]> = { tag: 'reshape', of: data, shape: [2, 2] };
  const through = (network: NetworkValue): Node => ({ tag: 'apply', network, at: data, output: '' });
  const token = pipe(input(4), reshape(1, 4));
  const image = pipe(input(4), reshape(2, 1, 2));
  return {
    sum: sum(data),
    sqNorm: sum(square(data)),
    norm: norm(data),
    normEach: normEach(probes),
    maximum: maxOver(data, [0]),
    logSumExp: logSumExp(data, [0]),
    logSumExpEach: logSumExp(probes, [1]),
    mean: meanOf(4, data),
    meanOver: meanOver(probes, [1]),
    softmax: softmax(data, [0]),
    layerNorm: through(network('layer', layerNorm()(token))),
    rmsNorm: through(network('rms', rmsNorm()(token))),
    groupNorm: through(network('group', groupNorm(2)(image))),
  };
})();

eachRunner(runners, (backend) => {
  test('each activation of each number agrees, and its slope', async () => {
    const { program } = calculation(functionsOf({ tag: 'data', shape: [] }), numbers.length);
    const inputs = new Map([['data', numbers]]);
    const arrays = await runBy(backend, program, inputs);
    for (const [name, values] of interpret(program, inputs))
      values.forEach((value, i) => {
        const x = numbers[i] ?? NaN;
        // Smaller numbers are 0 where the processor is told so, and there a kink is.
        if (name.startsWith('slope') && Math.abs(x) < least) return;
        // 1 + erf cancels, and TensorFlow's and tfjs's kernel of elu has e^x − 1 by a difference: known to the rounding of 1.
        const of =
          name === 'gelu' && Math.abs(x) < 8
            ? 0.1 * Math.abs(x)
            : name === 'elu' && x < 0 && !generated.includes(backend)
              ? 0.06
              : name.startsWith('slope') && Math.abs(x) < 100
                ? 0.1
                : 0;
        expectNear(arrayOf(arrays, name)[i] ?? NaN, value, of, `${name} of ${x} on ${backend}`);
      });
  });

  test('each reduction agrees', async () => {
    const { program } = calculation(reductions, sizes.length);
    const gains = program.binders
      .filter(({ kind }) => kind === 'parameter')
      .map(({ name, var: { type } }) => {
        const value = name.endsWith('gain') ? 1 : 0;
        return [name, new Float64Array(sizeOf(type.shape)).fill(value)] as const;
      });
    const inputs = new Map([['data', rows], ...gains]);
    const arrays = await runBy(backend, program, inputs);
    for (const [name, values] of interpret(program, inputs))
      values.forEach((value, i) => {
        const size = sizes[Math.floor((i * sizes.length) / values.length)] ?? NaN;
        const of = name.endsWith('Norm') && name !== 'sqNorm' && name !== 'norm' ? 1 : 0;
        expectNear(arrayOf(arrays, name)[i] ?? NaN, value, of, `${name} at ${size} on ${backend}`);
      });
  });

  test.each([
    [1e20, [1e20, 1e20, 0]],
    [1e-25, [1e-25, 1e-25, 0]],
    [1e38, [1e38, -1e38, 0]],
    [1e-36, [1e-36, 1e-36, 0]],
    [1, [3, 4, 0]],
  ])('a norm at %d has its value and a gradient of norm 1', async (_, values) => {
    const identity = { name: 'identity', input: [3], layers: [] };
    const { program } = elaborateStep({
      encoder: identity,
      decoder: identity,
      objective: { norm: norm(free('p', 3)) },
      optimizer: adam({ rate: constant(1e-3) }),
      batch: 1,
      steps: 1,
      data: 'none',
      validation: { every: 0 },
    });
    const length = Math.hypot(...values);
    const inputs = new Map([['p', Float64Array.from(values)]]);
    const arrays = await runBy(backend, differentiate(program), inputs);
    expectNear(arrayOf(arrays, 'norm')[0] ?? NaN, length, 0, `norm on ${backend}`);
    arrayOf(arrays, gradientName('p')).forEach((slope, i) => {
      expect(Math.abs(slope - (values[i] ?? NaN) / length), `slope on ${backend}`).toBeLessThan(2e-6);
    });
  });
});
