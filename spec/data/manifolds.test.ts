/** Generators: their points lie on their manifolds, their densities integrate to one, their Jacobians are the derivatives, and one seed gives one set. */
import { elementAt, float64At, internalError } from '../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { generate } from '../../data/manifolds/generate.js';
import {
  distance,
  expectation,
  logDensity,
  logVolume,
  logVolumeOf,
  type Manifold,
  optimalNll,
} from '../../data/manifolds/manifold.js';
import {
  circle,
  generators,
  linear,
  sine,
  sphere,
  sprites,
  swissRoll,
  torus,
} from '../../data/manifolds/index.js';
import { loadData } from '../../data/load.js';
import { sizeOf } from '../../dsl/shape.js';
import { left, right } from '../shared/either.js';

/** A point of the domain from numbers on [0, 1], away from its ends. */
const within = ({ domain }: Manifold, at: readonly number[]): number[] =>
  domain.map(([from, to], i) => from + (to - from) * (0.01 + 0.98 * elementAt(at, i % at.length)));

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const inDomain = fc.array(unit, { minLength: 4, maxLength: 4 });

const all = generators.map(({ name, fromReference }) => ({
  name,
  manifold: right(fromReference({ name, given: new Map() })),
}));

describe.each(all)('$name', ({ manifold }) => {
  test.prop([inDomain], { numRuns: 25 })('its Jacobian is the derivative of its chart', (at) => {
    const z = within(manifold, at);
    const jacobian = manifold.jacobian(z);
    const { dimension: d } = manifold;
    z.forEach((_, axis) => {
      const step = 1e-5;
      const moved = (by: number) => manifold.embed(z.map((value, i) => (i === axis ? value + by : value)));
      const [up, down] = [moved(step), moved(-step)];
      up.forEach((value, row) => {
        const expected = (value - float64At(down, row)) / (2 * step);
        expect(Math.abs(float64At(jacobian, row * d + axis) - expected)).toBeLessThan(
          1e-6 * (1 + Math.abs(expected)) + 1e-7,
        );
      });
    });
  });

  test('what it draws lies in its domain and on the manifold', () => {
    const { examples, latents, shape, size } = generate(manifold, { count: 50, seed: 3 });
    const { dimension: d, domain } = manifold;
    const width = sizeOf(shape);
    expect([examples.length, latents.length]).toEqual([size * width, size * d]);
    for (let row = 0; row < size; row++) {
      const z = latents.subarray(row * d, (row + 1) * d);
      z.forEach((value, i) => {
        expect(value).toBeGreaterThanOrEqual(elementAt(domain, i)[0]);
        expect(value).toBeLessThanOrEqual(elementAt(domain, i)[1]);
      });
      const point = examples.subarray(row * width, (row + 1) * width);
      expect(point).toEqual(Float32Array.from(manifold.embed(z)));
      const far = distance(manifold, point);
      if (far !== undefined) expect(far).toBeLessThan(1e-6);
      expect(Number.isFinite(logDensity(manifold, z))).toBe(true);
    }
  });

  test('a larger set begins with the smaller one, and other seeds and parts differ', () => {
    const one = generate(manifold, { count: 5, seed: 1 }).examples;
    expect(generate(manifold, { count: 9, seed: 1 }).examples.subarray(0, one.length)).toEqual(one);
    expect(generate(manifold, { count: 5, seed: 2 }).examples).not.toEqual(one);
    expect(generate(manifold, { count: 5, seed: 1, part: 'test' }).examples).not.toEqual(one);
  });

  test('its latent density integrates to one', () => {
    const volume = manifold.domain.reduce((product, [from, to]) => product * (to - from), 1);
    // Of four latents there is no quadrature; they are uniform.
    const mass =
      expectation(manifold, () => 1) ?? Math.exp(manifold.logLatentDensity([0, 0, 0.4, 0])) * volume;
    expect(mass).toBeCloseTo(1, 6);
  });

  test.skipIf(optimalNll(manifold) === undefined)(
    'the mean of log p over what it draws is that of its density',
    () => {
      const nll = optimalNll(manifold) ?? internalError('no optimum');
      const count = 4000;
      const { latents } = generate(manifold, { count, seed: 5 });
      const { dimension: d } = manifold;
      const values = Array.from(
        { length: count },
        (_, row) => -logDensity(manifold, latents.subarray(row * d, (row + 1) * d)),
      );
      const mean = values.reduce((sum, value) => sum + value, 0) / count;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
      expect(Math.abs(mean - nll)).toBeLessThan(5 * Math.sqrt(variance / count) + 1e-9);
    },
  );
});

describe('closed forms', () => {
  test.prop([fc.double({ min: 0.1, max: 50, noNaN: true })])(
    'the circle has the golden optimal NLL, and a radius adds its logarithm',
    (radius) => {
      expect(optimalNll(right(circle.make({ radius })))).toBeCloseTo(1.627401 + Math.log(radius), 6);
    },
  );

  test('the density of the circle lies between the golden bounds', () => {
    const manifold = right(circle.make());
    expect(logDensity(manifold, [Math.PI / 2])).toBeCloseTo(-1.07379, 5);
    expect(logDensity(manifold, [-Math.PI / 2])).toBeCloseTo(-3.07379, 5);
  });

  test.prop([fc.double({ min: 0, max: 300, noNaN: true }), unit])(
    'the von Mises quantile is the inverse of the integrated density',
    (kappa, at) => {
      const u = 0.001 + 0.998 * at;
      const manifold = right(circle.make({ kappa, mean: 0 }));
      const [angle] = [float64At(manifold.latents([u]), 0)];
      const below: Manifold = { ...manifold, domain: [[-Math.PI, angle]] };
      expect(expectation(below, () => 1)).toBeCloseTo(u, 8);
    },
  );

  test('uniform densities are one over the area', () => {
    const area = 4 * Math.PI * 9;
    expect(logDensity(right(sphere.make({ kappa: 0, radius: 3 })), [0.3, 1])).toBeCloseTo(
      -Math.log(area),
      12,
    );
    expect(optimalNll(right(circle.make({ kappa: 0, radius: 2 })))).toBeCloseTo(Math.log(4 * Math.PI), 12);
  });

  test('the area of a torus is 4π²Rr', () => {
    const manifold = right(torus.make({ hole: 2, minor: 0.7, kappa: 0 }));
    const area = expectation(manifold, (z) =>
      Math.exp(logVolume(manifold, z) - manifold.logLatentDensity(z)),
    );
    expect(area).toBeCloseTo(4 * Math.PI ** 2 * 2.7 * 0.7, 9);
  });

  test('the optimal NLL of a Gaussian on a subspace is (d/2)(1 + ln 2π) + ½ log det WᵀW', () => {
    const manifold = right(linear.make({ dimension: 2, codimension: 3 }));
    const expected = 1 + Math.log(2 * Math.PI) + logVolume(manifold, [0, 0]);
    expect(optimalNll(manifold)).toBeCloseTo(expected, 9);
  });

  test('a flat sine curve is a standard normal', () => {
    const entropy = 0.5 * (1 + Math.log(2 * Math.PI));
    expect(optimalNll(right(sine.make({ amplitude: 0 })))).toBeCloseTo(entropy, 12);
  });

  test('the Swiss roll is as long as its spiral', () => {
    const manifold = right(swissRoll.make({ height: 1, scale: 1 }));
    const spiral = (t: number): number => 0.5 * (t * Math.sqrt(1 + t * t) + Math.asinh(t));
    const area = expectation(manifold, (z) =>
      Math.exp(logVolume(manifold, z) - manifold.logLatentDensity(z)),
    );
    expect(area).toBeCloseTo(spiral(4.5 * Math.PI) - spiral(1.5 * Math.PI), 9);
  });

  test('½ log det JᵀJ of the golden linear decoder, and of a singular one', () => {
    expect(logVolumeOf([1, 0, 0, 2, 1, 1], 2)).toBeCloseTo(1.09861, 5);
    expect(logVolumeOf([1, 2, 2, 4, 3, 6], 2)).toBe(-Infinity);
  });
});

describe('sprites', () => {
  const manifold = right(sprites.make());

  test.prop([inDomain], { numRuns: 50 })(
    'are pictures from 0 to 1 whose border is dark and whose volume is finite',
    (at) => {
      const z = within(manifold, at);
      const picture = manifold.embed(z);
      expect(picture.every((value) => value > 0 && value < 1)).toBe(true);
      expect(Math.max(...picture)).toBeGreaterThan(0.8);
      for (let i = 0; i < 16; i++)
        for (const border of [i, 240 + i, 16 * i, 16 * i + 15]) expect(picture[border]).toBeLessThan(0.25);
      expect(Number.isFinite(logVolume(manifold, z))).toBe(true);
    },
  );
});

describe('references', () => {
  test('a generator takes its settings and the size of each part', async () => {
    const data = right(await loadData('circle?kappa=3&radius=2&count=12&test=5&validation=3&seed=4')());
    expect([data.train.size, data.test.size, data.validation?.size]).toEqual([12, 5, 3]);
    expect(data.train.examples).toEqual(
      generate(right(circle.make({ kappa: 3, radius: 2 })), { count: 12, seed: 4 }).examples,
    );
    expect(data.manifold?.name).toBe('circle');
    expect(data.train.latents?.length).toBe(12);
  });

  test('mistakes are problems, all at once', async () => {
    expect(left(await loadData('circle?kapa=1&radius=-1&count=x')())).toEqual([
      { path: 'circle?radius', found: '"-1"', expected: 'a number from 1e-9 to 1000000000' },
      {
        path: 'circle',
        found: 'the setting "kapa"',
        expected: 'one of kappa, mean, radius, count, test, validation, seed',
        hint: 'did you mean "kappa"?',
      },
      { path: 'circle?count', found: '"x"', expected: 'an integer from 1 to 16777216' },
    ]);
    expect(elementAt(left(await loadData('toros')()), 0).hint).toBe('did you mean "torus"?');
    expect(left(circle.make({ kappa: NaN }))[0]).toMatchObject({ path: 'circle?kappa', found: 'NaN' });
  });
});
