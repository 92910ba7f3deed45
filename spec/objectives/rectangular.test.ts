/** The objectives of rectangular flows equal their formulas, written with plain loops from the weights on, on examples and on noisy ones. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe } from 'vitest';
import { constant } from '../../dsl/index.js';
import { normal } from '../../dsl/expressions/draw.js';
import { add, draw, type Expr, scale } from '../../dsl/expressions/expression.js';
import {
  freeForm,
  noisyManifold,
  rectangularExact,
  rectangularStochastic,
  twoStep,
} from '../../objectives/index.js';
import { compare, nets, plainEncoder, runs, seed, type Site } from './formulas.js';
import { across, along, dotOf, meanOf, minus, squareOf, type Vector } from '../shared/perceptron.js';

/** Jacobians of full rank: neither the hidden layer nor the data is narrower than the code. */
const sizes = fc
  .record({ d: fc.integer({ min: 1, max: 3 }), more: fc.nat(2), wider: fc.integer({ min: 1, max: 3 }) })
  .map(({ d, more, wider }) => ({ d, D: d + more, width: d + wider }));

const beta = 30;
const weight = 0.4;

/** What an objective sees: the example, or the example and noise of this deviation. */
const sigmas = fc.constantFrom(0, 0.2);

const optionsOf = (sigma: number, D: number) => ({
  beta,
  ...(sigma === 0
    ? {}
    : {
        augment: (x: Expr<readonly [number]>) =>
          add(x, scale(sigma, draw('jitter', normal<readonly [number]>(D)))),
      }),
});

/** Of one example: what is seen, its code, the decoder's Jacobian there as rows, and the terms that no volume is in. */
const seen = (site: Site, sigma: number) => {
  const [noise] = atLeast(1, sigma === 0 ? [site.x.map(() => 0)] : site.probes('jitter', site.x.length));
  const x = site.x.map((value, i) => value + sigma * elementAt(noise, i));
  const z = plainEncoder(site).value(x);
  return {
    x,
    z,
    J: site.decoder.jacobian(z),
    reconstruction: beta * squareOf(minus(x, site.decoder.value(z))),
    negLogPrior: squareOf(z) / 2 + (z.length / 2) * Math.log(2 * Math.PI),
  };
};

/** ½ ln det JᵀJ as the logarithms of the heights of J's columns above those before them (Gram and Schmidt, twice). */
const logVolume = (J: readonly Vector[]): number => {
  const columns = elementAt(J, 0).map((_, i) => J.map((row) => elementAt(row, i)));
  const above = (v: Vector, units: readonly Vector[]): Vector =>
    units.reduce((rest, e) => {
      const along = dotOf(rest, e);
      return rest.map((value, k) => value - along * elementAt(e, k));
    }, v);
  const { total } = columns.reduce<{ total: number; units: readonly Vector[] }>(
    ({ total, units }, column) => {
      const rest = above(above(column, units), units);
      const height = Math.sqrt(squareOf(rest));
      return { total: total + Math.log(height), units: [...units, rest.map((value) => value / height)] };
    },
    { total: 0, units: [] },
  );
  return total;
};

describe('rectangular flows', () => {
  test.prop([sizes, sigmas, seed], runs)('exact', (size, sigma, s) => {
    const { encoder, decoder } = nets(size.D, size.d, size.width);
    const objective = rectangularExact(encoder, decoder, { ...optionsOf(sigma, size.D), weight });
    compare(size, encoder, decoder, objective, (site) => {
      const { J, reconstruction, negLogPrior } = seen(site, sigma);
      return { reconstruction, prior: weight * negLogPrior, volume: weight * logVolume(J) };
    }, s); // prettier-ignore
  });

  test.prop([sizes, sigmas, fc.constantFrom(0.05, 0.5, 3), seed], runs)(
    'with noise around the manifold',
    (size, sigma, noise, s) => {
      const { encoder, decoder } = nets(size.D, size.d, size.width);
      const { beta: _, ...augment } = optionsOf(sigma, size.D);
      const objective = noisyManifold(encoder, decoder, { ...augment, logNoise: constant(Math.log(noise)) });
      compare(size, encoder, decoder, objective, (site) => {
        const { J, z, reconstruction, negLogPrior } = seen(site, sigma);
        const scaled = J.map((row) => row.map((value) => value / noise));
        const unit = z.map((_value, i) => z.map((__, j) => (i === j ? 1 : 0)));
        return {
          reconstruction: reconstruction / beta / (2 * noise ** 2),
          prior: negLogPrior,
          volume: logVolume([...scaled, ...unit]),
          noise: size.D * Math.log(noise) + ((size.D - size.d) / 2) * Math.log(2 * Math.PI),
        };
      }, s); // prettier-ignore
    },
  );

  test.prop([sizes, sigmas, fc.integer({ min: 1, max: 3 }), seed], runs)(
    'stochastic: while it trains the volume is half the square of a probe',
    (size, sigma, probes, s) => {
      const { encoder, decoder } = nets(size.D, size.d, size.width);
      const options = { ...optionsOf(sigma, size.D), weight, probes };
      compare(size, encoder, decoder, rectangularStochastic(encoder, decoder, options), (site) => {
        const { reconstruction, negLogPrior } = seen(site, sigma);
        const volume = (weight * meanOf(site.probes('epsilon', size.d).map(squareOf))) / 2;
        return { reconstruction, prior: weight * negLogPrior, volume };
      }, s); // prettier-ignore
    },
  );

  test.prop([sizes, sigmas, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 2, max: 5 }), seed], runs)(
    'two-step: one term in each phase, and the last one stays',
    (size, sigma, period, phases, s) => {
      const { encoder, decoder } = nets(size.D, size.d, size.width);
      const options = { ...optionsOf(sigma, size.D), period, phases };
      compare(size, encoder, decoder, twoStep(encoder, decoder, options), (site) => {
        const { reconstruction, negLogPrior } = seen(site, sigma);
        const isFirst = Math.min(Math.floor(site.step / period), phases - 1) % 2 === 0;
        return isFirst ? { reconstruction, prior: 0 } : { reconstruction: 0, prior: negLogPrior };
      }, s); // prettier-ignore
    },
  );

  test.prop([sizes, sigmas, fc.integer({ min: 1, max: 3 }), seed], runs)(
    'free-form: −mean of vᵀ·f′·g′·v, f the encoder and g the decoder',
    (size, sigma, probes, s) => {
      const { encoder, decoder } = nets(size.D, size.d, size.width);
      const options = { ...optionsOf(sigma, size.D), weight, probes };
      compare(size, encoder, decoder, freeForm(encoder, decoder, options), (site) => {
        const { x, J, reconstruction, negLogPrior } = seen(site, sigma);
        const back = plainEncoder(site).jacobian(x);
        const products = site.probes('v', size.d).map((v) => dotOf(across(back, v), along(J, v)));
        return { reconstruction, prior: weight * negLogPrior, surrogate: -weight * meanOf(products) };
      }, s); // prettier-ignore
    },
  );
});
