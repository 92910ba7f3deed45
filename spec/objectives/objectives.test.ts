/** Every objective equals its formula, written out with plain loops, and InjFlow its formula in the language. */
import { entryOf, float64At } from '../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import { compile } from '../../compiler/compile.js';
import { differentiate } from '../../compiler/derivatives/differentiate.js';
import { elaborateStep } from '../../compiler/elaborate/program.js';
import { pipe } from 'fp-ts/lib/function.js';
import { sphere } from '../../dsl/expressions/draw.js';
import type { Experiment, Objective } from '../../dsl/experiment.js';
import {
  apply, constant, data, div, draw, hyper, jvp, log, max, mul, negPart, sqrt, scale, sqNorm, square, sub,
} from '../../dsl/expressions/expression.js'; // prettier-ignore
import type { Node } from '../../dsl/expressions/expression.js';
import { dense as denseLayer, elu, input } from '../../dsl/layers/layer.js';
import { network, type Network, type NetworkValue } from '../../dsl/network.js';
import { sgd } from '../../dsl/optimizer.js';
import { schedule } from '../../dsl/expressions/schedule.js';
import { sizeOf, type Shape } from '../../dsl/shape.js';
import { ae, aeL2 } from '../../objectives/autoencoder.js';
import { injFlow, injFlowLn } from '../../objectives/injflow.js';
import { dense, everything, networkBetween } from '../../laws/arbitrary/network.js';
import { fromTape } from '../../laws/arbitrary/tape.js';
import { right } from '../shared/either.js';
import { arrayOf, calculation } from '../shared/expressions.js';
import { feed } from '../shared/feeding.js';
import { gradientName, interpret } from '../shared/outputs.js';

const batch = 3;

const training = (objective: Objective, encoder: NetworkValue, decoder: NetworkValue): Experiment => ({
  encoder,
  decoder,
  objective,
  optimizer: sgd({ rate: constant(0.1) }),
  batch,
  steps: 1,
  data: 'none',
  validation: { every: 0 },
});

type Pair = { readonly encoder: Network; readonly decoder: Network; readonly code: Shape };

const pairs: fc.Arbitrary<Pair> = fromTape((tape) => {
  const shape = tape.pick<Shape>([[3], [2, 2, 1], [4]]);
  const code = [1 + tape.below(3)];
  return {
    encoder: networkBetween(tape, everything, 'encoder', shape, code, 3),
    decoder: networkBetween(tape, everything, 'decoder', code, shape, 3),
    code,
  };
}, 40);

const sumOfSquares = (values: Iterable<number>): number => {
  let total = 0;
  for (const x of values) total += x * x;
  return total;
};

/** Everything that the formulas are made of, for one example. */
type Example = {
  readonly x: Float64Array;
  readonly xHat: Float64Array;
  readonly h: Float64Array;
  readonly v: Float64Array;
  readonly Jv: Float64Array;
};

type Formula = (
  example: Example,
  at: { readonly step: number; readonly d: number; readonly weights: (kernels: boolean) => number },
) => Readonly<Record<string, number>>;

const rowOf = (values: Float64Array, b: number): Float64Array =>
  values.subarray((b * values.length) / batch, ((b + 1) * values.length) / batch);

/** The means of the terms as the interpreter has them, and as the formula has them. */
const compare = (
  { encoder, decoder, code }: Pair,
  objective: Objective,
  formula: Formula,
  seed: number,
): void => {
  const { step, draws } = right(compile(training(objective, encoder, decoder)));
  const x: Node = { tag: 'data', shape: encoder.input };
  const h: Node = { tag: 'apply', network: encoder, at: x, output: '' };
  const v: Node = { tag: 'draw', name: 'v', distribution: 'sphere', shape: code };
  const xHat: Node = { tag: 'apply', network: decoder, at: h, output: '' };
  const Jv: Node = { tag: 'jvp', network: decoder, at: h, tangent: v, output: '' };
  const parts = calculation({ x, h, v, xHat, Jv }, batch);
  const inputs = new Map([...feed(parts.program, parts.draws, seed), ...feed(step, draws, seed)]);
  const values = interpret(parts.program, inputs);
  const weights = (kernels: boolean): number =>
    [...inputs]
      .filter(
        ([name]) =>
          name.startsWith('decoder/') && step.binders.some((b) => b.name === name && b.kind === 'parameter'),
      )
      .filter(([name]) => !kernels || name.endsWith('/kernel'))
      .reduce((total, [, w]) => total + sumOfSquares(w), 0);
  const perExample = Array.from({ length: batch }, (_, b) => {
    const row = (name: string): Float64Array => rowOf(arrayOf(values, name), b);
    const all = { x: row('x'), xHat: row('xHat'), h: row('h'), v: row('v'), Jv: row('Jv') };
    return formula(all, { step: inputs.get('step')?.[0] ?? 0, d: sizeOf(code), weights });
  });
  const found = interpret(step, inputs);
  const expected = Object.keys(objective).map(
    (name) => [name, perExample.reduce((total, terms) => total + entryOf(terms, name) / batch, 0)] as const,
  );
  for (const [name, value] of [
    ...expected,
    ['loss', expected.reduce((total, [, term]) => total + term, 0)] as const,
  ]) {
    const error = Math.abs(float64At(arrayOf(found, name), 0) - value);
    expect(error, name).toBeLessThan(1e-10 * Math.max(1, Math.abs(value)));
  }
};

const reconstructionOf = ({ x, xHat }: Example): number =>
  sumOfSquares(x.map((value, i) => value - float64At(xHat, i)));

const seed = fc.nat(1e6);

const injective = ({ Jv, v }: Example, eta: number): number => {
  const shortfall = Math.min(Math.sqrt(sumOfSquares(Jv)) / Math.sqrt(sumOfSquares(v)) - eta, 0);
  return shortfall * shortfall;
};

describe('objectives', () => {
  test.prop([pairs, seed])('AE', (pair, s) => {
    compare(pair, ae(pair.encoder, pair.decoder), (e) => ({ reconstruction: reconstructionOf(e) }), s);
  });

  test.prop([pairs, seed, fc.constantFrom('all' as const, 'kernels' as const)])('AE+L2', (pair, s, only) => {
    compare(
      pair,
      aeL2(pair.encoder, pair.decoder, { weight: 0.3, only }),
      (e, { weights }) => ({ reconstruction: reconstructionOf(e), decay: 0.3 * weights(only === 'kernels') }),
      s,
    );
  });

  const eta = fc.constantFrom(0.05, 0.5, 3);
  test.prop([pairs, seed, eta])('InjFlow-ln, eq. (9)', (pair, s, floor) => {
    const objective = injFlowLn(pair.encoder, pair.decoder, { prior: 0.7, eta: hyper('eta', floor) });
    compare(
      pair,
      objective,
      (e, { step, d }) => {
        const mu = 1 + step ** 1.3 / 1000;
        return {
          prior: 0.7 * sumOfSquares(e.h),
          reconstruction: mu * reconstructionOf(e),
          volume: (d / 2) * Math.log(Math.max(sumOfSquares(e.Jv), floor * floor * sumOfSquares(e.v))),
          injectivity: mu * injective(e, floor),
        };
      },
      s,
    );
  });

  test.prop([pairs, seed, eta])('InjFlow, eq. (10)', (pair, s, floor) => {
    const objective = injFlow(pair.encoder, pair.decoder, {
      mu: 5,
      muInjective: 7,
      eta: hyper('eta', floor),
      lambda: hyper('lambda', 0.8),
    });
    compare(
      pair,
      objective,
      (e) => ({
        prior: 0.01 * sumOfSquares(e.h),
        reconstruction: 5 * reconstructionOf(e),
        volume: Math.max(sumOfSquares(e.Jv), floor * floor * sumOfSquares(e.v)) / (2 * 0.8),
        injectivity: 7 * injective(e, floor),
      }),
      s,
    );
  });

  const written = () => {
    const encoder = network('encoder', pipe(input(5), denseLayer(4), elu, denseLayer(2)));
    const decoder = network('decoder', pipe(input(2), denseLayer(4), elu, denseLayer(5)));
    const x = data(5);
    const h = apply(encoder, x);
    const v = draw('v', sphere(2));
    const Jv = jvp(decoder, h, v);
    const floor = hyper('eta', 0.1);
    const mu = schedule.power({ exponent: 1.3, scale: 1e-3 });
    const clamped = max(sqNorm(Jv), mul(square(floor), sqNorm(v)));
    const shared = {
      prior: scale(hyper('prior', 0.01), sqNorm(h)),
      reconstruction: scale(mu, sqNorm(sub(x, apply(decoder, h)))),
      injectivity: scale(mu, square(negPart(sub(div(sqrt(sqNorm(Jv)), sqrt(sqNorm(v))), floor)))),
    };
    return { encoder, decoder, mu, clamped, shared };
  };

  example('InjFlow-ln is the expression that one writes', () => {
    const { encoder, decoder, mu, clamped, shared } = written();
    const found = injFlowLn(encoder, decoder, { mu, muInjective: mu });
    expect(found).toEqual({ ...shared, volume: scale(1, log(clamped)) });
  });

  example('InjFlow is the expression that one writes', () => {
    const { encoder, decoder, mu, clamped, shared } = written();
    const found = injFlow(encoder, decoder, { mu, muInjective: mu });
    expect(found).toEqual({ ...shared, volume: div(clamped, mul(2, hyper('lambda', 1))) });
  });
});

describe('the clamp at η', () => {
  const linear = (name: string): NetworkValue => ({ name, input: [2], layers: [dense(2, false)] });
  const [encoder, decoder]: readonly [Network, Network] = [linear('encoder'), linear('decoder')];
  const eta = 0.5;

  /** Terms and the decoder's gradient for a decoder s·I, so that ‖Jv‖ = s‖v‖. */
  const at = (s: number) => {
    const objective = injFlowLn(encoder, decoder, {
      prior: 0,
      mu: 0,
      muInjective: 1,
      eta: hyper('eta', eta),
    });
    const of = (term: Node) => {
      const { program, context } = elaborateStep(training({ term }, encoder, decoder));
      const given = new Map([
        ...feed(program, [...context.draws.values()], 3),
        ['decoder/0.dense/kernel', Float64Array.of(s, 0, 0, s)] as const,
        ['v', Float64Array.of(1, 1, 1, -1, -1, 1)] as const,
      ]);
      const results = interpret(differentiate(program), given);
      const gradient = arrayOf(results, gradientName('decoder/0.dense/kernel'));
      // The derivative along I: d/ds.
      return { value: arrayOf(results, 'term')[0], slope: float64At(gradient, 0) + float64At(gradient, 3) };
    };
    return { volume: of(objective.volume), injectivity: of(objective.injectivity) };
  };
  const squared = 2;

  example('above, nothing is clamped and nothing is penalised', () => {
    const { volume, injectivity } = at(0.51);
    expect(volume.value).toBeCloseTo(Math.log(0.51 ** 2 * squared), 12);
    expect(volume.slope).toBeCloseTo(2 / 0.51, 12);
    expect(injectivity).toEqual({ value: 0, slope: 0 });
  });

  example('exactly there, the volume still has the slope of ‖Jv‖²', () => {
    const { volume, injectivity } = at(eta);
    expect(volume.value).toBeCloseTo(Math.log(eta ** 2 * squared), 12);
    expect(volume.slope).toBeCloseTo(2 / eta, 12);
    expect(injectivity.value).toBe(0);
    expect(Math.abs(injectivity.slope)).toBe(0);
  });

  example('just below, the volume is constant and the penalty grows', () => {
    const { volume, injectivity } = at(0.49);
    expect(volume.value).toBeCloseTo(Math.log(eta ** 2 * squared), 12);
    expect(volume.slope).toBe(0);
    expect(injectivity.value).toBeCloseTo(0.01 ** 2, 12);
    expect(injectivity.slope).toBeCloseTo(-2 * 0.01, 12);
  });

  example('at Jv = 0 everything is finite', () => {
    const { volume, injectivity } = at(0);
    expect(volume.value).toBeCloseTo(Math.log(eta ** 2 * squared), 12);
    expect(volume.slope).toBe(0);
    expect(injectivity.value).toBe(eta ** 2);
    expect(Number.isFinite(injectivity.slope)).toBe(true);
  });
});
