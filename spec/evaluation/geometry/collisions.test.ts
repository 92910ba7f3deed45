/** The search for collisions finds those of decoders that have them, and in others the least stretch that there is. */
import { atLeast, elementAt, float32At, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import type { NetworkValue } from '../../../dsl/network.js';
import type { Layer } from '../../../dsl/layers/layer.js';
import { searchCollisions, singularValues } from '../../../evaluation/index.js';
import { boxOf, project } from '../../../evaluation/geometry/pair-descent.js';
import { nearestPairs, pairsOf } from '../../../evaluation/geometry/pairs.js';
import { activation, dense } from '../../../laws/arbitrary/network.js';
import { smoothValuesIn } from '../../../laws/arbitrary/values.js';
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
      const size = d + extra;
      const model = await decoderOf(d, size, [dense(size, false)], { 'decoder/0.dense/kernel': columns });
      const found = right(
        await searchCollisions(model, codesOf(d, 40, s), { iterations: 300, tolerance: 1e-3 }),
      );
      // In units of the codes and of the images.
      const inUnits = columns.map(
        (x, at) =>
          (x * elementAt(found.codeUnits, Math.floor(at / size))) / elementAt(found.imageUnits, at % size),
      );
      const spectrum = singularValues(inUnits, d);
      fc.pre(float64At(spectrum, d - 1) > 0.02 * float64At(spectrum, 0));
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
      const { codeUnits, imageUnits } = found;
      for (const {
        codes: [a, b],
        latentDistance,
        dataDistance,
        startDistance,
      } of found.pairs) {
        const images = await model.decode(Float32Array.of(...a, ...b));
        const apart = Math.hypot(
          ...imageUnits.map((unit, i) => (float32At(images, i) - float32At(images, 6 + i)) / unit),
        );
        expect(dataDistance).toBeCloseTo(apart, 3);
        expect(latentDistance).toBeCloseTo(
          Math.hypot(...a.map((z, i) => (z - elementAt(b, i)) / elementAt(codeUnits, i))),
          5,
        );
        expect(latentDistance).toBeGreaterThan(1.5 - 1e-5);
        expect(dataDistance).toBeLessThanOrEqual(startDistance + 1e-5);
        [...a, ...b].forEach((z, i) => {
          expect(z).toBeGreaterThanOrEqual(float64At(low, i % 3) - 1e-6);
          expect(z).toBeLessThanOrEqual(float64At(high, i % 3) + 1e-6);
        });
      }
      const distances = found.pairs.map((pair) => pair.dataDistance);
      expect(distances).toEqual([...distances].sort((a, b) => a - b));
      model.dispose();
    },
  );

  test.prop([seed, fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 7, maxLength: 7 })], {
    numRuns: 8,
  })(
    'finds the same whatever the units of codes and images are, to the bit for powers of 2',
    async (s, powers) => {
      const [first, last] = [smoothValuesIn([-1, 1], 36, s, 'first'), smoothValuesIn([-1, 1], 48, s, 'last')];
      const search = async (code: readonly number[], image: readonly number[]) => {
        const model = await decoderOf(3, 4, [dense(12, false), activation('tanh'), dense(4, false)], {
          'decoder/0.dense/kernel': first.map((w, at) => w / elementAt(code, Math.floor(at / 12))),
          'decoder/2.dense/kernel': last.map((w, at) => w * elementAt(image, at % 4)),
        });
        const codes = codesOf(3, 30, s).map((z, at) => z * elementAt(code, at % 3));
        const found = right(await searchCollisions(model, codes, { pairs: 4, iterations: 20 }));
        model.dispose();
        return found;
      };
      const factors = powers.map((power) => 2 ** power);
      const [code, image] = [factors.slice(0, 3), factors.slice(3)];
      const [once, scaled] = [await search([1, 1, 1], [1, 1, 1, 1]), await search(code, image)];
      expect(scaled).toEqual({
        ...once,
        codeUnits: once.codeUnits.map((unit, i) => unit * elementAt(code, i)),
        imageUnits: once.imageUnits.map((unit, i) => unit * elementAt(image, i)),
        pairs: once.pairs.map((pair) => ({
          ...pair,
          codes: pair.codes.map((z) => z.map((x, i) => x * elementAt(code, i))),
        })),
      });
    },
  );

  example('does not take two codes for one that differ in a column of small numbers', async () => {
    const model = await decoderOf(2, 2, [dense(2, false)], { 'decoder/0.dense/kernel': [1e4, 0, 0, 1] });
    const found = right(await searchCollisions(model, codesOf(2, 40, 3), { iterations: 300 }));
    expect(found.coinciding).toBe(0);
    // As far apart as the codes are: deviations of two columns, ‖z₁ − z₂‖ in them.
    expect(elementAt(found.pairs, 0).dataDistance / found.separation).toBeCloseTo(1, 3);
    model.dispose();
  });

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
    expect(
      Math.hypot(float32At(found, 0) - float32At(found, 2), float32At(found, 1) - float32At(found, 3)),
    ).toBeGreaterThan(separation * (1 - 1e-5));
    found.forEach((value, i) => expect(Math.abs(value)).toBeLessThanOrEqual(i % 2 === 0 ? 2 : 1));
    expect(project(found, region)).toEqual(found);
  });
});
