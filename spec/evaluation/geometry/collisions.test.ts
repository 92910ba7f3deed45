/** The search for collisions finds those of decoders that have them, and in others the least stretch that there is. */
import { atLeast, elementAt, float32At, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import type { NetworkValue } from '../../../dsl/network.js';
import type { Layer } from '../../../dsl/layers/layer.js';
import { searchCollisions, singularValues } from '../../../evaluation/index.js';
import { boxOf, project } from '../../../evaluation/geometry/pair-descent.js';
import { nearestPairs, pairsOf } from '../../../evaluation/geometry/pairs.js';
import { activation, dense } from '../../arbitrary/network.js';
import { smoothValuesIn } from '../../arbitrary/values.js';
import { backends } from '../../shared/backends.js';
import { left, right } from '../../shared/either.js';
import { modelOf, type Weights } from '../../shared/models.js';

const seed = fc.nat(1e6);

const decoderOf = async (d: number, size: number, layers: readonly Layer[], weights: Weights) => {
  const encoder: NetworkValue = { name: 'encoder', input: [size], layers: [dense(d)] };
  return modelOf(encoder, { name: 'decoder', input: [d], layers }, { weights });
};

const codesOf = (d: number, count: number, s: number): Float32Array =>
  Float32Array.from(smoothValuesIn([-2, 2], d * count, s, 'codes'));

/** g(z) = (a(z₁), a(z₂), …) twice over, with an even function a(z) = f(z) + f(−z): z and its reflections coincide. */
const even = (d: number, name: 'softplus' | 'relu') => {
  const unit = (k: number, sign: number): number[] =>
    Array.from({ length: d }, (_, i) => (i === k ? sign : 0));
  const rows = Array.from({ length: d }, (_, k) => [...unit(k, 1), ...unit(k, -1)]);
  const sums = [...rows.keys(), ...rows.keys()].map((k) => [...unit(k, 1), ...unit(k, 0.5)]);
  return decoderOf(d, 2 * d, [dense(2 * d, false), activation(name), dense(2 * d, false)], {
    'decoder/0.dense/kernel': rows.flat(),
    'decoder/2.dense/kernel': sums.flat(),
  });
};

describe('the search', () => {
  test.prop([fc.integer({ min: 1, max: 4 }), fc.constantFrom('softplus' as const, 'relu' as const), seed], {
    numRuns: 8,
  })('finds codes that an even decoder does not tell apart', async (d, name, s) => {
    const model = await even(d, name);
    const found = right(await searchCollisions(model, codesOf(d, 40, s)));
    expect(found.coinciding).toBeGreaterThan(0);
    const [best] = atLeast(1, found.pairs);
    expect(best.dataDistance).toBeLessThanOrEqual(1e-3 * found.typicalDistance);
    // Reflections: each coordinate is the other's or its opposite.
    best.codes[0].forEach((z, i) =>
      expect(Math.abs(Math.abs(z) - Math.abs(elementAt(best.codes[1], i)))).toBeLessThan(0.05),
    );
    model.dispose();
  });

  test.prop([fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 3 }), seed], { numRuns: 8 })(
    'finds no collision of an injective linear decoder, and its least singular value',
    async (d, extra, s) => {
      const columns = smoothValuesIn([-1, 1], d * (d + extra), s, 'kernel');
      const spectrum = singularValues(columns, d);
      fc.pre(float64At(spectrum, d - 1) > 0.02 * float64At(spectrum, 0));
      const model = await decoderOf(d, d + extra, [dense(d + extra, false)], {
        'decoder/0.dense/kernel': columns,
      });
      const found = right(
        await searchCollisions(model, codesOf(d, 40, s), { iterations: 300, tolerance: 1e-3 }),
      );
      expect(found.coinciding).toBe(0);
      const least = float64At(spectrum, d - 1) * found.separation;
      expect(elementAt(found.pairs, 0).dataDistance).toBeGreaterThan(0.999 * least);
      expect(elementAt(found.pairs, 0).dataDistance).toBeLessThan(1.02 * least);
      model.dispose();
    },
  );

  test.prop([seed], { numRuns: 8 })(
    'reports what it found: distances, separation, improvement, in order',
    async (s) => {
      const layers = [dense(12), activation('tanh'), dense(6)];
      const model = await decoderOf(3, 6, layers, {});
      const codes = codesOf(3, 30, s);
      const found = right(
        await searchCollisions(model, codes, { separation: 1.5, pairs: 4, iterations: 20 }),
      );
      expect(found).toMatchObject({ separation: 1.5, searched: 30 });
      expect(found.pairs).toHaveLength(4);
      const { low, high } = boxOf(codes, 3);
      for (const {
        codes: [a, b],
        latentDistance,
        dataDistance,
        startDistance,
      } of found.pairs) {
        const images = await model.decode(Float32Array.of(...a, ...b));
        const apart = Math.hypot(
          ...Array.from({ length: 6 }, (_, i) => float32At(images, i) - float32At(images, 6 + i)),
        );
        expect(dataDistance).toBeCloseTo(apart, 4);
        expect(latentDistance).toBeCloseTo(Math.hypot(...a.map((z, i) => z - elementAt(b, i))), 5);
        expect(latentDistance).toBeGreaterThan(1.5 - 1e-5);
        expect(dataDistance).toBeLessThanOrEqual(startDistance + 1e-5);
        [...a, ...b].forEach((z, i) => {
          expect(z).toBeGreaterThanOrEqual(float64At(low, i % 3));
          expect(z).toBeLessThanOrEqual(float64At(high, i % 3));
        });
      }
      const distances = found.pairs.map((pair) => pair.dataDistance);
      expect(distances).toEqual([...distances].sort((a, b) => a - b));
      model.dispose();
    },
  );

  example('leaves no array behind and gives the same for the same codes', async () => {
    const before = backends.wasm.liveCount();
    const model = await even(2, 'softplus');
    const once = await searchCollisions(model, codesOf(2, 20, 1));
    expect(await searchCollisions(model, codesOf(2, 20, 1))).toEqual(once);
    model.dispose();
    expect(backends.wasm.liveCount()).toBe(before);
  });

  example('needs codes that differ', async () => {
    const model = await even(2, 'relu');
    for (const codes of [Float32Array.of(1, 2), new Float32Array(8).fill(1), Float32Array.of(1, NaN, 2, 3)])
      expect(left(await searchCollisions(model, codes))).toMatchObject([{ path: 'codes' }]);
    expect(left(await searchCollisions(model, codesOf(2, 9, 0), { separation: 99 }))).toHaveLength(1);
    model.dispose();
  });
});

describe('pairs', () => {
  test.prop([fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 6 }), seed])(
    'that are nearest have no code in common and no nearer pair of unused codes',
    (count, most, s) => {
      const codes = codesOf(2, count, s);
      const pairs = pairsOf(codes, 2, codesOf(3, count, s + 1), 3);
      expect(pairs).toHaveLength((count * (count - 1)) / 2);
      const chosen = nearestPairs(pairs, most);
      expect(chosen).toHaveLength(Math.min(most, Math.floor(count / 2)));
      const used = chosen.flatMap(({ first, second }) => [first, second]);
      expect(new Set(used).size).toBe(used.length);
      expect(elementAt(chosen, 0).dataDistance).toBe(
        Math.min(...pairs.map(({ dataDistance }) => dataDistance)),
      );
    },
  );

  test.prop([
    fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 4, maxLength: 4 }),
    fc.double({ min: 0.1, max: 2.4, noNaN: true }),
  ])('are projected into their region, and stay where they are inside it', (pair, separation) => {
    const region = { separation, low: Float64Array.of(-2, -1), high: Float64Array.of(2, 1) };
    const found = project(pair, region);
    fc.pre(found !== null);
    if (found === null) return;
    expect(
      Math.hypot(float32At(found, 0) - float32At(found, 2), float32At(found, 1) - float32At(found, 3)),
    ).toBeGreaterThan(separation * (1 - 1e-5));
    found.forEach((value, i) => expect(Math.abs(value)).toBeLessThanOrEqual(i % 2 === 0 ? 2 : 1));
    expect(project(found, region)).toEqual(found);
  });
});
