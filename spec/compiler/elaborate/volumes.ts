/** Decoders whose volumes are checked, their Jacobians by dense linear algebra, and the comparisons that laws of volumes make. */
import { atLeast, elementAt, float64At } from '../../../dsl/lookup.js';
import fc from 'fast-check';
import { expect } from 'vitest';
import { differentiate } from '../../../compiler/derivatives/differentiate.js';
import { elaborateStep } from '../../../compiler/elaborate/program.js';
import type { Program } from '../../../compiler/ir/program.js';
import { apply, constant, data, jvp } from '../../../dsl/expressions/expression.js';
import type { Experiment, Objective } from '../../../dsl/experiment.js';
import type { Network } from '../../../dsl/network.js';
import { sgd } from '../../../dsl/optimizer.js';
import { basis, volume, type VolumeOptions } from '../../../dsl/expressions/volume.js';
import { activation, dense } from '../../../laws/arbitrary/network.js';
import { smoothValuesIn } from '../../../laws/arbitrary/values.js';
import type { RunnerName } from '../../shared/backends.js';
import { arrayOf, calculate } from '../../shared/expressions.js';
import { feed } from '../../shared/feeding.js';
import { dot } from '../../shared/moments.js';
import { type Arrays, gradientName, interpret } from '../../shared/outputs.js';

export const batch = 2;
/** A decoder with d inputs and D ≥ d outputs. */
export const decoderOf = (d: number, D: number): Network => ({
  name: 'decoder',
  input: [d],
  layers: [dense(D + 2), activation('tanh'), dense(D)],
});

/** An encoder for data of the decoder's D numbers. */
const encoderFor = (decoder: Network, D: number): Network => ({
  name: 'encoder',
  input: [D],
  layers: [dense(elementAt(decoder.input, 0))],
});

export const training = (decoder: Network, D: number, objective: Objective): Experiment => ({
  encoder: encoderFor(decoder, D),
  decoder,
  objective,
  optimizer: sgd({ rate: constant(0.1) }),
  batch,
  steps: 1,
  data: 'none',
  validation: { every: 0 },
});

export const codeOf = (decoder: Network, D: number) => apply(encoderFor(decoder, D), data(D));
export const volumeOf = (decoder: Network, D: number, options: VolumeOptions): Objective => ({
  volume: volume(decoder, codeOf(decoder, D), options),
});

/** The loss alone and the loss with its gradients; both as the compiler makes them, not optimized. */
export const programsOf = (decoder: Network, D: number, objective: Objective) => {
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
export const halfLogDet = (columns: readonly Float64Array[]): number => {
  const n = columns.length;
  const m = columns.map((a) => columns.map((b) => dot(a, b)));
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += Math.log(elementAt(elementAt(m, i), i)) / 2;
    for (let j = i + 1; j < n; j++) {
      const factor = elementAt(elementAt(m, j), i) / elementAt(elementAt(m, i), i);
      for (let k = i; k < n; k++)
        elementAt(m, j)[k] = elementAt(elementAt(m, j), k) - factor * elementAt(elementAt(m, i), k);
    }
  }
  return sum;
};

/** The columns of J for each example. */
export const columnsOf = (
  decoder: Network,
  D: number,
  given: Arrays,
): readonly (readonly Float64Array[])[] => {
  const [d] = atLeast(1, decoder.input);
  const values = calculate({ J: jvp(decoder, codeOf(decoder, D), basis(d)) }, { batch, given })('J');
  const column = (b: number, k: number): Float64Array =>
    values.subarray((b * d + k) * D, (b * d + k + 1) * D);
  return Array.from({ length: batch }, (_, b) => Array.from({ length: d }, (__, k) => column(b, k)));
};

/** det JᵀJ over that of an isotropic Jacobian of the same norm: 1 at best, 0 where the rank is not full. */
export const roundness = (columns: readonly Float64Array[]): number => {
  const mean = columns.reduce((sum, c) => sum + dot(c, c), 0) / columns.length;
  return Math.exp(2 * halfLogDet(columns)) / mean ** columns.length;
};

export const expectNear = (found: number, expected: number, tolerance: number): void =>
  expect(Math.abs(found - expected)).toBeLessThan(tolerance * Math.max(1, Math.abs(expected)));

export const expectClose = (found: Float64Array, expected: Float64Array, tolerance: number): void => {
  const scale = Math.max(1e-2, ...expected.map(Math.abs));
  found.forEach((value, i) =>
    expect(Math.abs(value - float64At(expected, i))).toBeLessThan(tolerance * scale),
  );
};

export const gradientsOf = (results: Arrays, program: Program): Float64Array =>
  Float64Array.from(parametersOf(program).flatMap((name) => [...arrayOf(results, gradientName(name))]));

/** Compares the gradient along a random direction with five-point differences, where these agree with each other. */
export const agreesWithSlope = (decoder: Network, D: number, objective: Objective, s: number): void => {
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
      return [name, arrayOf(point, name).map((w, i) => w + h * float64At(by, i))];
    });
    return float64At(arrayOf(interpret(loss, new Map([...point, ...moved])), 'loss'), 0);
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

export const runners: readonly RunnerName[] = ['wasm', 'cpu', 'native', 'cc', 'webgpu'];

/** The gradients of both, the surrogate's over the probes √d·e_k. */
export const both = (d: number, D: number, s: number, conjugate = false) => {
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
