/** Every objective of Jacobians and of Gaussian encoders equals its formula, written with plain loops from the weights on. */
import { atLeast, elementAt, float64At } from '../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import { pipe } from 'fp-ts/lib/function.js';
import { constant, data, type Expr, hyper } from '../../dsl/expressions/expression.js';
import { dense, input } from '../../dsl/layers/layer.js';
import { network } from '../../dsl/network.js';
import {
  bound4, bound5, betaVae, cae, gaussianEncoder, injFlow, injFlowLn, klToStandardNormal, type ProbeOptions, raeGp, sqFrobenius, vae,
} from '../../objectives/index.js'; // prettier-ignore
import { fillDraw } from '../../backends/draws.js';
import { arrayOf, calculate, calculation } from '../shared/expressions.js';
import { feed } from '../shared/feeding.js';
import {
  compare,
  nets,
  type Nets,
  plainEncoder,
  runs,
  seed,
  type Site,
  injectiveSizes,
  sizes,
  type Sizes,
} from './formulas.js';
import {
  across,
  along,
  meanOf,
  minus,
  type Perceptron,
  perceptron,
  squareOf,
  type Vector,
} from '../shared/perceptron.js';
import { type Arrays, interpret } from '../shared/outputs.js';

/** Hutchinson's estimate for a Jacobian, as each option says. */
type Estimate = {
  readonly options: ProbeOptions;
  readonly of: (net: Perceptron, at: Vector, probes: (size: number) => readonly Vector[]) => number;
};

const difference = (net: Perceptron, at: Vector, v: Vector, epsilon: number): Vector =>
  minus(net.value(at.map((z, i) => z + epsilon * elementAt(v, i))), net.value(at)).map((y) => y / epsilon);

const forward: Estimate['of'] = (net, at, probes) =>
  meanOf(probes(at.length).map((v) => squareOf(along(net.jacobian(at), v))));

const reverse: Estimate['of'] = (net, at, probes) =>
  meanOf(probes(net.value(at).length).map((w) => squareOf(across(net.jacobian(at), w))));

const estimates: fc.Arbitrary<Estimate> = fc
  .record({
    k: fc.integer({ min: 1, max: 3 }),
    probe: fc.constantFrom('normal' as const, 'sphere' as const, 'rademacher' as const),
  })
  .chain(({ k, probe }) =>
    fc.constantFrom<Estimate>(
      {
        options: { probes: k, probe },
        of: (net, at, probes) => (at.length <= net.value(at).length ? forward : reverse)(net, at, probes),
      },
      { options: { probes: k, probe, jacobian: 'forward' }, of: forward },
      { options: { probes: k, probe, jacobian: 'reverse' }, of: reverse },
      {
        options: { probes: k, probe, jacobian: 0.01 },
        of: (net, at, probes) => meanOf(probes(at.length).map((v) => squareOf(difference(net, at, v, 0.01)))),
      },
    ),
  );

describe('objectives of Jacobians', () => {
  test.prop([sizes, estimates, seed], runs)('CAE', (size, estimate, s) => {
    const { encoder, decoder }: Nets = nets(size.D, size.d, size.width);
    compare(size, encoder, decoder, cae(encoder, decoder, { ...estimate.options, weight: 0.3 }), (site) => {
      const net = plainEncoder(site);
      return {
        reconstruction: squareOf(minus(site.x, site.decoder.value(net.value(site.x)))),
        contraction: 0.3 * estimate.of(net, site.x, (n) => site.probes('v', n)),
      };
    }, s); // prettier-ignore
  });

  test.prop([sizes, estimates, seed], runs)('RAE-GP', (size, estimate, s) => {
    const { encoder, decoder }: Nets = nets(size.D, size.d, size.width);
    compare(size, encoder, decoder, raeGp(encoder, decoder, { ...estimate.options, prior: 0.2, weight: 0.7 }), (site) => {
      const h = plainEncoder(site).value(site.x);
      return {
        reconstruction: squareOf(minus(site.x, site.decoder.value(h))),
        prior: 0.1 * squareOf(h),
        gradientPenalty: 0.7 * estimate.of(site.decoder, h, (n) => site.probes('v', n)),
      };
    }, s); // prettier-ignore
  });

  test.prop([injectiveSizes, estimates, seed, fc.constantFrom(0.5, 1, 4)], runs)(
    'bound (4) and bound (5)',
    (size, estimate, s, lambda) => {
      const { encoder, decoder }: Nets = nets(size.D, size.d, size.width);
      const shared = (site: Site) => {
        const h = plainEncoder(site).value(site.x);
        return {
          prior: 0.2 * squareOf(h),
          reconstruction: (1 + site.step ** 1.3 / 1000) * squareOf(minus(site.x, site.decoder.value(h))),
          squared: estimate.of(site.decoder, h, (n) => site.probes('v', n)),
        };
      };
      const options = { ...estimate.options, prior: 0.2 };
      compare(size, encoder, decoder, bound4(encoder, decoder, { ...options, lambda: constant(lambda) }), (site) => {
      const { squared, ...terms } = shared(site);
      return { ...terms, volume: squared / (2 * lambda) + (site.d / 2) * (Math.log(lambda) - 1) };
    }, s); // prettier-ignore
      compare(size, encoder, decoder, bound5(encoder, decoder, options), (site) => {
      const { squared, ...terms } = shared(site);
      return { ...terms, volume: (site.d / 2) * Math.log(squared / site.d) };
    }, s); // prettier-ignore
    },
  );

  test.prop([injectiveSizes, fc.constantFrom<'forward' | number>('forward', 0.01), seed])(
    'InjFlow and InjFlow-ln, by forward products and by eq. (8)',
    (size, jacobian, s) => {
      const { encoder, decoder }: Nets = nets(size.D, size.d, size.width);
      const shared = (site: Site) => {
        const h = plainEncoder(site).value(site.x);
        const [v] = atLeast(1, site.probes('v', site.d));
        const Jv =
          jacobian === 'forward'
            ? along(site.decoder.jacobian(h), v)
            : difference(site.decoder, h, v, jacobian);
        const mu = 1 + site.step ** 1.3 / 1000;
        return {
          clamped: Math.max(squareOf(Jv), 0.25 * squareOf(v)),
          prior: 0.01 * squareOf(h),
          reconstruction: mu * squareOf(minus(site.x, site.decoder.value(h))),
          injectivity: mu * Math.min(Math.sqrt(squareOf(Jv) / squareOf(v)) - 0.5, 0) ** 2,
        };
      };
      const options = { jacobian, eta: hyper('eta', 0.5) };
      compare(size, encoder, decoder, injFlowLn(encoder, decoder, options), (site) => {
      const { clamped, ...terms } = shared(site);
      return { ...terms, volume: (site.d / 2) * Math.log(clamped) };
    }, s); // prettier-ignore
      compare(size, encoder, decoder, injFlow(encoder, decoder, options), (site) => {
      const { clamped, ...terms } = shared(site);
      return { ...terms, volume: clamped / 2 };
    }, s); // prettier-ignore
    },
  );
});

describe('objectives of Gaussian encoders', () => {
  /** Distortion and KL divergence of one example. */
  const parts = (site: Site) => {
    const [mean, logVariance] = atLeast(
      2,
      ['mean', 'logVariance'].map((head) =>
        perceptron(site.arrays, 'encoder/0.dense', `encoder/2.heads/${head}/0.dense`).value(site.x),
      ),
    );
    const [epsilon] = atLeast(1, site.probes('epsilon', site.d));
    const z = mean.map((m, i) => m + Math.exp(elementAt(logVariance, i) / 2) * elementAt(epsilon, i));
    return {
      distortion: squareOf(minus(site.x, site.decoder.value(z))) / 2,
      kl: mean.reduce(
        (total, m, i) =>
          total + (Math.exp(elementAt(logVariance, i)) + m * m - 1 - elementAt(logVariance, i)) / 2,
        0,
      ),
    };
  };

  test.prop([sizes, seed, fc.constantFrom(0.05, 0.5, 1)], runs)(
    'VAE, and β-VAE as σ² times it',
    (size, s, sigma) => {
      const { encoder: plain, decoder } = nets(size.D, size.d, size.width);
      const encoder = gaussianEncoder(plain);
      compare(size, encoder, decoder, vae(encoder, decoder, { sigma: constant(sigma) }), (site) => {
      const { distortion, kl } = parts(site);
      return { reconstruction: distortion / sigma ** 2, kl };
    }, s); // prettier-ignore
      compare(size, encoder, decoder, betaVae(encoder, decoder, { beta: sigma ** 2 }), (site) => {
      const { distortion, kl } = parts(site);
      return { reconstruction: distortion, kl: sigma ** 2 * kl };
    }, s); // prettier-ignore
    },
  );

  /** KL(N(mean, diag e^logVariance) ‖ N(0, I)) as the language has it. */
  const kl = (mean: Vector, logVariance: Vector): number => {
    const d = mean.length;
    const m: Expr<readonly [number]> = { tag: 'slice', of: data(2 * d), begin: [0], size: [d] };
    const s: Expr<readonly [number]> = { tag: 'slice', of: data(2 * d), begin: [d], size: [d] };
    const given = new Map([['data', Float64Array.of(...mean, ...logVariance)]]);
    return float64At(calculate({ kl: klToStandardNormal(m, s, d) }, { given })('kl'), 0);
  };

  example('the divergence of N((1, 1), I) is 1', () => expect(kl([1, 1], [0, 0])).toBe(1));

  const number = fc.double({ min: -2, max: 2, noNaN: true });
  test.prop([number, number])('the divergence is the integral of q ln(q/p)', (mean, logVariance) => {
    const deviation = Math.exp(logVariance / 2);
    const [count, reach] = [4000, 12];
    const integral = Array.from({ length: count }, (_, i) => {
      const t = (2 * reach * (i + 0.5)) / count - reach;
      const z = mean + deviation * t;
      return (
        (Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI)) *
        ((-t * t) / 2 - logVariance / 2 + (z * z) / 2) *
        ((2 * reach) / count)
      );
    }).reduce((a, b) => a + b, 0);
    expect(kl([mean], [logVariance])).toBeCloseTo(integral, 9);
  });
});

describe('Hutchinson', () => {
  /** Draws as training makes them, in float64. */
  const drawn = (
    tag: 'normal' | 'sphere' | 'rademacher' | 'orthonormal',
    probes: number,
    size: number,
    s: number,
  ): Float64Array => {
    const into = new Float32Array(probes * size);
    fillDraw(tag, { examples: 1, probes, size }, { seed: s, name: 'v', step: 0 }, into);
    return Float64Array.from(into);
  };

  const estimate = (
    size: Sizes,
    options: ProbeOptions,
    v: Float64Array,
    s: number,
  ): { readonly found: number; readonly exact: number } => {
    const { decoder } = nets(size.D, size.d, size.width);
    const squared = sqFrobenius(decoder, data(size.d), [size.D], options);
    const { program, draws } = calculation({ squared });
    const arrays: Arrays = new Map([...feed(program, draws, s), ['v', v] as const]);
    const net = perceptron(arrays, 'decoder/0.dense', 'decoder/2.dense');
    const J = net.jacobian([...arrayOf(arrays, 'data')]);
    return {
      found: float64At(arrayOf(interpret(program, arrays), 'squared'), 0),
      exact: J.reduce((total, row) => total + squareOf(row), 0),
    };
  };

  test.prop([sizes, seed, fc.constantFrom('forward' as const, 'reverse' as const)], runs)(
    'an orthonormal frame of all directions gives ‖J‖²_F itself',
    (size, s, jacobian) => {
      const n = jacobian === 'forward' ? size.d : size.D;
      const { found, exact } = estimate(
        size,
        { probes: 'exact', jacobian },
        drawn('orthonormal', n, n, s),
        s,
      );
      expect(Math.abs(found - exact)).toBeLessThan(1e-5 * Math.max(1e-3, exact));
    },
  );

  const probes = 3000;
  test.prop(
    [
      sizes,
      seed,
      fc.constantFrom('normal' as const, 'sphere' as const, 'rademacher' as const),
      fc.constantFrom('forward' as const, 'reverse' as const),
    ],
    { numRuns: 20 },
  )('many probes give it in the mean', (size, s, probe, jacobian) => {
    const n = jacobian === 'forward' ? size.d : size.D;
    const { found, exact } = estimate(size, { probes, probe, jacobian }, drawn(probe, probes, n, s), s);
    // Var ‖Jv‖² ≤ 2‖JᵀJ‖²_F ≤ 2‖J‖⁴_F for each of the three.
    expect(Math.abs(found - exact)).toBeLessThan(6 * Math.sqrt(2 / probes) * exact + 1e-12);
  });
});

describe('the bounds of the linear decoder [[1,0],[0,2],[1,1]]', () => {
  const encoder = network('encoder', pipe(input(3), dense(2)));
  const decoder = network('decoder', pipe(input(2), dense(3, { bias: false })));
  const volumeOf = (objective: { readonly volume: Expr<readonly []> }): number => {
    const frame = Float64Array.of(1, 1, 1, -1);
    const given = new Map([
      ['decoder/0.dense/kernel', Float64Array.of(1, 0, 1, 0, 2, 1)],
      ['v', frame],
    ]);
    return float64At(calculate({ volume: objective.volume }, { given })('volume'), 0);
  };
  const exact = { probes: 'exact' } as const;
  example('(5) is 1.25276', () => expect(volumeOf(bound5(encoder, decoder, exact))).toBeCloseTo(1.25276, 5));
  example('(4) is 2.5 at λ = 1', () =>
    expect(volumeOf(bound4(encoder, decoder, exact))).toBeCloseTo(2.5, 12),
  );
  example('(4) is 1.25276 at its best λ, 3.5', () =>
    expect(volumeOf(bound4(encoder, decoder, { ...exact, lambda: constant(3.5) }))).toBeCloseTo(1.25276, 5),
  );
});
