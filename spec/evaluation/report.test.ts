/** The report page shows every term and picture, and refers to nothing outside itself. */
import { atLeast, elementAt, float64At } from '../../dsl/lookup.js';
import { decode } from 'fast-png';
import { fc, test } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { loadData } from '../../data/index.js';
import { adam, dense, experiment, flatten, input, network, pipe, reshape, sigmoid } from '../../dsl/index.js';
import { fitGaussian, type Geometry, geometryOf, reportPage } from '../../evaluation/index.js';
import { curvesOf } from '../../evaluation/page/curve.js';
import { pictureUri } from '../../evaluation/picture.js';
import { linearTicks, logTicks } from '../../evaluation/page/chart.js';
import { numberText } from '../../evaluation/page/text.js';
import { injFlow } from '../../objectives/index.js';
import { prepareRun, type TrainEvent } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { right } from '../shared/either.js';

const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(3)));
const decoder = network('decoder', pipe(input(3), dense(64), sigmoid, reshape(8, 8, 1)));
const spec = experiment({
  encoder,
  decoder,
  objective: injFlow(encoder, decoder),
  optimizer: adam({ rate: 1e-3 }),
  batch: 64,
  steps: 12,
  data: 'digits',
  validation: { every: 6 },
});

const events: TrainEvent[] = [];
let page = '';
let geometry: Geometry;
let dispose = (): void => undefined;

beforeAll(async () => {
  const data = right(await loadData('digits')());
  const run = right(await prepareRun(spec, { data, backend: backends.wasm }));
  for await (const event of run.events) events.push(event);
  geometry = right(await geometryOf(run.fitted, data.test));
  page = await reportPage(run.fitted, data, events, {
    name: 'a <name> & more',
    seed: 0,
    backend: 'wasm',
    versions: { immersion: '1.2.3' },
    geometry,
  });
  dispose = run.fitted.dispose;
}, 60_000);
afterAll(() => dispose());

const uris = (): readonly string[] =>
  [...page.matchAll(/src="(data:[^"]*)"/g)].map((match) => elementAt(match, 1));

const pixels = (uri: string) => decode(Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64'));

describe('the page', () => {
  test('has a curve for every term and for the loss', () => {
    const captions = [...page.matchAll(/<figure class="panel"><figcaption>([^<]*)</g)].map(
      ([, name]) => name,
    );
    expect(captions).toEqual([
      'loss, weights of the last step',
      'prior',
      'reconstruction, unweighted',
      'injectivity, unweighted',
      'volume',
      'singular values',
    ]);
    expect(page).toContain('reconstruction = μ·‖x − decoder(encoder(x))‖²'.slice(0, 18));
  });

  test('says what the decoder does to space', () => {
    const rows = new Map(
      [...page.matchAll(/<th scope="row"[^>]*>([^<]*)<\/th><td class="number[^>]*>([^<]*)</g)].map(
        ([, k, v]) => [k, v],
      ),
    );
    expect(rows.get('½ log det JᵀJ, mean')).toBe(`${numberText(geometry.volume.mean)} nats`);
    expect(rows.get('bound (5), (d/2) ln(‖J‖²/d), by')).toBe(
      `${numberText(geometry.tightness.frobenius)} nats`,
    );
    expect(rows.get('bound (4) at λ = 1, by')).toBe(`${numberText(geometry.tightness.linear)} nats`);
    expect(rows.get('spread of the codes')).toBe(numberText(geometry.reencoding.spread));
    expect(page).toContain('at the codes of 256 examples');
    expect(page.match(/class="median"/g)).toHaveLength(3);
  });

  test('holds pictures that decode to the shape of the data', () => {
    // Samples of three priors, originals with their reconstructions, interpolations, a traversal of each latent.
    expect(uris()).toHaveLength(3 * 36 + 2 * 20 + 4 * 9 + 3 * 9);
    for (const uri of uris())
      expect(pixels(uri)).toMatchObject({ width: 8, height: 8, channels: 1, depth: 8 });
  });

  test('refers to nothing outside itself and runs no script', () => {
    expect(page).not.toMatch(/https?:|<script|<link|@import|url\(/);
    for (const [, target] of page.matchAll(/(?:src|href)="([^"]*)"/g))
      expect(target).toMatch(/^data:image\/png;/);
  });

  test('escapes what users name', () => {
    expect(page).toContain('a &lt;name&gt; &amp; more');
    expect(page).not.toContain('<name>');
  });

  test('says the seed, the backend, the versions and no number that is none', () => {
    for (const text of ['Backend wasm', 'immersion 1.2.3', '12 steps of 64 examples on digits']) {
      expect(page).toContain(text);
    }
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });
});

test.prop([fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 12, maxLength: 12 })])(
  'a picture keeps every byte',
  (bytes) => {
    const uri = pictureUri(
      Float32Array.from(bytes, (byte) => byte / 255),
      [2, 2, 3],
    );
    expect([...pixels(uri).data]).toEqual(bytes);
  },
);

describe('the Gaussian', () => {
  const d = 3;
  const source = right(
    fitGaussian(
      Float32Array.from({ length: 300 }, (_, i) => Math.sin(i * i) + (i % d)),
      d,
    ),
  );

  test('fitted to its own samples is nearly itself', () => {
    const again = right(fitGaussian(source.sample(40_000, 1), d));
    for (let i = 0; i < d; i++) {
      expect(again.mean[i]).toBeCloseTo(float64At(source.mean, i), 1);
      for (let j = 0; j < d; j++) {
        expect(again.covariance.get(i, j)).toBeCloseTo(source.covariance.get(i, j), 1);
      }
    }
  });

  test('has a lower triangular factor whose product with its transpose is the covariance', () => {
    const product = source.factor.mmul(source.factor.transpose());
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) {
        expect(product.get(i, j)).toBeCloseTo(source.covariance.get(i, j), 12);
        if (j > i) expect(source.factor.get(i, j)).toBe(0);
      }
    }
  });

  test('is fitted to codes in a plane, and to one code', () => {
    const flat = Float32Array.from({ length: 300 }, (_, i) => (i % d === 2 ? 0 : Math.cos(i * i)));
    expect(right(fitGaussian(flat, d)).sample(2, 0).every(Number.isFinite)).toBe(true);
    expect([...right(fitGaussian(Float32Array.of(1, 2, 3), d)).sample(1, 0)].map(Math.round)).toEqual([
      1, 2, 3,
    ]);
  });

  test('refuses codes that are not finite', () => {
    expect(fitGaussian(Float32Array.of(1, NaN, 3), d)).toMatchObject({ _tag: 'Left' });
    expect(fitGaussian(new Float32Array(), d)).toMatchObject({ _tag: 'Left' });
  });
});

describe('curves', () => {
  test('long runs are thinned, keep their extremes and pass over what is not finite', () => {
    const long = Array.from({ length: 20_000 }, (_, step): TrainEvent => {
      const value = step === 7000 ? 99 : step === 12_345 ? -99 : step === 3 ? NaN : Math.sin(step);
      const common = { gradientNorm: 1, rate: 1, committed: true, seconds: step };
      return { tag: 'step', step, loss: value, terms: { only: value }, ...common };
    });
    const [curve, ...others] = atLeast(1, curvesOf(long));
    expect(others).toEqual([]);
    expect(curve.raw.length).toBeLessThanOrEqual(600);
    expect(Math.max(...curve.raw.map(({ value }) => value))).toBe(99);
    expect(Math.min(...curve.raw.map(({ value }) => value))).toBe(-99);
    expect(curve.smooth.every(({ value }) => Number.isFinite(value))).toBe(true);
  });

  const value = fc.double({ min: 1e-6, max: 1e6, noNaN: true });

  test.prop([value, value])('ticks lie between the ends of their axis and are few', (a, b) => {
    const [low, high] = [Math.min(a, b), Math.max(a, b)];
    fc.pre(high / low > 1.01);
    for (const ticks of [linearTicks(low, high, 5), logTicks(low, high)]) {
      expect(ticks.length).toBeLessThanOrEqual(10);
      for (const tick of ticks) {
        expect(tick).toBeGreaterThanOrEqual(low - 1e-6 * (high - low));
        expect(tick).toBeLessThanOrEqual(high + 1e-6 * (high - low));
      }
    }
  });

  test.each([
    [0, '0'],
    [0.4437, '0.444'],
    [-12.34, '−12.3'],
    [5130.4, '5130'],
    [3.14e-7, '3.1·10⁻⁷'],
    [1e-5, '10⁻⁵'],
    [2e12, '2·10¹²'],
    [-1e-5, '−10⁻⁵'],
  ])('%d is written %s', (number, text) => {
    expect(numberText(number)).toBe(text);
  });
});
