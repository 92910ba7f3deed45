/** The mathematics of generated loops is accurate to float32, at extremes too. */
import { describe, expect, test } from 'vitest';
import type { BinaryName, UnaryName } from '../../../compiler/ir/params.js';
import { type FunctionName, functions, isFunction } from '../../../compiler/ir/primitives/functions.js';
import type { Instruction, LoopKernel } from '../../../compiler/loops/loop.js';
import { evaluateLoop } from '../../../backends/wasm/evaluate.js';
import { run } from '../../compiler/loops/loop-runner.js';

/** Sines are accurate by the unit and not by their value, which is 0 at places that are no float32. */
const sines: readonly FunctionName[] = ['sin', 'cos'];
const unaries: readonly UnaryName[] = [
  'neg',
  ...Object.keys(functions)
    .filter(isFunction)
    .filter((name) => !sines.includes(name)),
];
const binaries: readonly BinaryName[] = [
  'add',
  'sub',
  'mul',
  'div',
  'divNoNan',
  'max',
  'min',
  'greater',
  'pow',
];

const pointwise = (
  body: readonly Instruction[],
  inputs: readonly Float32Array[],
): readonly [Float32Array, Float64Array] => {
  const n = inputs[0]?.length ?? 0;
  const kernel: LoopKernel = {
    extents: [n],
    loads: inputs.map((_, buffer) => ({ buffer, offset: 0, strides: [1] })),
    body,
    stores: [{ buffer: 0, offset: 0, strides: [1], value: body.length - 1, mode: 'set' }],
    outputs: [n],
  };
  return [
    run(kernel, inputs)[0] ?? new Float32Array(),
    evaluateLoop(kernel, inputs)[0] ?? new Float64Array(),
  ];
};

const unaryBody = (op: UnaryName): readonly Instruction[] => [
  { op: 'load', load: 0 },
  { op, a: 0 },
];
const binaryBody = (op: BinaryName): readonly Instruction[] => [
  { op: 'load', load: 0 },
  { op: 'load', load: 1 },
  { op, a: 0, b: 1 },
];

const range = (low: number, high: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
/** Both signs, every order of magnitude of normal numbers. */
const magnitudes = Float32Array.from(
  { length: 40_000 },
  (_, i) => (i % 2 === 0 ? 1 : -1) * 1.1 ** ((i / 40_000) * 1800 - 900),
);

describe('float32 mathematics', () => {
  const smallestNormal = 1.1754944e-38;
  const worst = (op: UnaryName, inputs: Float32Array): readonly [error: number, at: number] => {
    const [found, expected] = pointwise(unaryBody(op), [inputs]);
    let result: readonly [number, number] = [0, 0];
    expected.forEach((value, i) => {
      const actual = found[i] ?? NaN;
      if (Math.fround(value) === actual || (Number.isNaN(value) && Number.isNaN(actual))) return;
      // Results in the subnormal range may be flushed to zero.
      if (Math.abs(value) < 2 * smallestNormal && Math.abs(actual) < 2 * smallestNormal) return;
      const error = Math.abs(actual - value) / Math.abs(value);
      if (!(error <= result[0])) result = [error, inputs[i] ?? NaN];
    });
    return result;
  };
  for (const op of unaries) {
    test(`${op} is accurate relative to its value`, () => {
      for (const inputs of [
        magnitudes,
        range(-3, 3, 40_000),
        range(-20, 20, 40_000),
        range(-110, 95, 40_000),
      ]) {
        const [error, where] = worst(op, inputs);
        expect(error, `at ${where}`).toBeLessThan(op === 'erf' ? 6e-7 : 4e-7);
      }
    });
    test(`${op} has the right values at the extremes`, () => {
      const inputs = Float32Array.of(
        0,
        -0,
        10_000,
        -10_000,
        3e38,
        -3e38,
        Infinity,
        -Infinity,
        NaN,
        100,
        -100,
        88.7,
        88.8,
        1,
        -1,
      );
      const [found, expected] = pointwise(unaryBody(op), [inputs]);
      expected.forEach((value, i) => {
        const rounded = Math.fround(value);
        const actual = found[i] ?? 0;
        const message = `${op}(${inputs[i]})`;
        if (Number.isNaN(rounded)) expect(actual, message).toBeNaN();
        else if (!Number.isFinite(rounded)) expect(actual, message).toBe(rounded);
        else
          expect(Math.abs(actual - rounded), message).toBeLessThanOrEqual(
            Math.max(1e-37, 5e-7 * Math.abs(rounded)),
          );
      });
    });
  }
  for (const op of sines) {
    test(`${op} is accurate to the unit, and stays within it`, () => {
      for (const inputs of [
        range(-4, 4, 40_000),
        range(-1000, 1000, 40_000),
        range(-10_000, 10_000, 40_000),
      ]) {
        const [found, expected] = pointwise(unaryBody(op), [inputs]);
        expected.forEach((value, i) =>
          expect(Math.abs((found[i] ?? NaN) - value), `at ${inputs[i]}`).toBeLessThan(2e-7),
        );
      }
      const [far] = pointwise(unaryBody(op), [magnitudes]);
      expect(far.every((value) => Math.abs(value) <= 1.0000002)).toBe(true);
      const [odd] = pointwise(unaryBody(op), [Float32Array.of(Infinity, -Infinity, NaN, 0)]);
      expect([...odd]).toEqual([NaN, NaN, NaN, op === 'sin' ? 0 : 1]);
    });
  }
  const special = [0, -0, 1, -1, 2, 0.5, -3, 10_000, -10_000, 3e38, -3e38, Infinity, -Infinity, NaN];
  const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));
  for (const op of binaries) {
    test(`${op} has the right values at the extremes`, () => {
      const cases =
        op === 'pow' ? pairs.filter(([a, b]) => a >= 0 && !Object.is(a, -0) && Math.abs(b) < 4) : pairs;
      const [found, expected] = pointwise(binaryBody(op), [
        Float32Array.from(cases, ([a]) => a),
        Float32Array.from(cases, ([, b]) => b),
      ]);
      expected.forEach((value, i) => {
        const rounded = Math.fround(value);
        const actual = found[i] ?? 0;
        const message = `${op}(${cases[i]?.join(', ')})`;
        if (Number.isNaN(rounded)) expect(actual, message).toBeNaN();
        else if (!Number.isFinite(rounded)) expect(actual, message).toBe(rounded);
        else
          expect(Math.abs(actual - rounded), message).toBeLessThanOrEqual(
            (op === 'pow' ? 1e-5 : 1e-6) * Math.abs(rounded),
          );
      });
    });
  }
  test('pow is accurate for moderate exponents', () => {
    const [found, expected] = pointwise(binaryBody('pow'), [range(0.01, 10, 5000), range(-3, 3, 5000)]);
    expected.forEach((value, i) => expect(Math.abs((found[i] ?? NaN) / value - 1)).toBeLessThan(3e-6));
  });
});
