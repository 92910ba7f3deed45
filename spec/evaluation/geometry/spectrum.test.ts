/** Functions of a spectrum of singular values: rank, condition, the volume term and its bounds, and summaries of many values. */
import { elementAt, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { describe, expect, test as example } from 'vitest';
import {
  boundsOf,
  conditionNumber,
  effectiveRank,
  isRankDeficient,
  logVolume,
  singularValues,
} from '../../../evaluation/index.js';
import { isDegenerate } from '../../../evaluation/geometry/singular-values.js';
import { quantile, summaryOf } from '../../../evaluation/summary.js';
import { fillDraw } from '../../../backends/draws.js';
import { spectrumChart } from '../../../evaluation/page/spectrum-chart.js';
import { smoothValuesIn } from '../../../laws/arbitrary/values.js';
import { close } from '../../shared/near.js';

const seed = fc.nat(1e6);

describe('singular values', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 9 }), seed);

  test.prop([sizes])('are those of the whole matrix, zeros where it is wide', ([count, size, s]) => {
    const columns = smoothValuesIn([-1, 1], count * size, s, 'columns');
    const { diagonal } = new SingularValueDecomposition(
      new Matrix([...Array(count).keys()].map((k) => [...columns.subarray(k * size, (k + 1) * size)])),
      { autoTranspose: true },
    );
    const expected = [...diagonal, ...Array<number>(count).fill(0)].slice(0, count).sort((a, b) => b - a);
    close(singularValues(columns, count), expected, 1e-12);
  });

  test.prop([sizes])('see a column that repeats another', ([count, size, s]) => {
    fc.pre(count > 1 && size >= count);
    const columns = smoothValuesIn([-1, 1], count * size, s, 'columns');
    columns.copyWithin(0, (count - 1) * size);
    const spectrum = singularValues(columns, count);
    expect(float64At(spectrum, count - 1)).toBeLessThan(1e-14 * float64At(spectrum, 0) * size);
    expect(isDegenerate(spectrum, size)).toBe(true);
    expect(isRankDeficient(columns, count, spectrum)).toBe(true);
  });

  test.prop([sizes, fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 9, maxLength: 9 })])(
    'are of full rank whatever the units of the rows are',
    ([count, size, s], powers) => {
      const columns = smoothValuesIn([-1, 1], count * size, s, 'columns').map(Math.fround);
      fc.pre(size >= count && !isDegenerate(singularValues(columns, count), size));
      const scaled = columns.map((x, at) => x * 2 ** elementAt(powers, at % size));
      expect(isRankDeficient(scaled, count, singularValues(scaled, count))).toBe(false);
    },
  );

  example('of nothing are zero', () => {
    expect([...singularValues(new Float64Array(6), 2)]).toEqual([0, 0]);
  });

  const spectra = fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 8 });

  test.prop([spectra])('have a rank from 1 to d, and d where all are equal', (values) => {
    const s = Float64Array.from(values).sort().reverse();
    const d = s.length;
    expect(effectiveRank(s)).toBeGreaterThanOrEqual(1 - 1e-12);
    expect(effectiveRank(s)).toBeLessThanOrEqual(d + 1e-12);
    expect(conditionNumber(s)).toBeGreaterThanOrEqual(1);
    expect(effectiveRank(s.fill(2))).toBeCloseTo(d, 10);
  });

  example('that are zero add no rank', () => {
    expect(effectiveRank(Float64Array.of(3, 3, 0, 0))).toBeCloseTo(2, 12);
    expect(conditionNumber(Float64Array.of(3, 0))).toBe(Infinity);
  });
});

describe('bounds', () => {
  const spectrum = fc
    .array(fc.double({ min: -12, max: 6, noNaN: true }), { minLength: 1, maxLength: 20 })
    .map((logs) => Float64Array.from(logs, Math.exp).sort().reverse());
  const lambda = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
  const atMost = (a: number, b: number): void =>
    expect(a).toBeLessThanOrEqual(b + 1e-10 * Math.max(1, Math.abs(b)));

  test.prop([spectrum, lambda])('volume ≤ sphere ≤ bound (5) ≤ bound (4), for any spectrum', (s, l) => {
    const { sphere, frobenius, linear } = boundsOf(s, l);
    atMost(logVolume(s), sphere);
    atMost(sphere, frobenius);
    atMost(frobenius, linear);
  });

  test.prop([spectrum, fc.double({ min: 0.01, max: 100, noNaN: true })])(
    'a decoder that is c times larger has d·ln c more of each',
    (s, c) => {
      const [before, after] = [
        boundsOf(s, 1),
        boundsOf(
          s.map((value) => c * value),
          c * c,
        ),
      ];
      const more = s.length * Math.log(c);
      expect(after.sphere - before.sphere).toBeCloseTo(more, 8);
      expect(after.frobenius - before.frobenius).toBeCloseTo(more, 8);
      expect(after.linear - before.linear).toBeCloseTo(more, 3);
    },
  );

  test.prop([fc.double({ min: 0, max: 1e3, noNaN: true }), fc.double({ min: 1e-3, max: 1e3, noNaN: true })])(
    'in two dimensions the sphere has 2 ln((s₁ + s₂)/2)',
    (a, b) => {
      const s = Float64Array.of(Math.max(a, b), Math.min(a, b));
      expect(boundsOf(s, 1).sphere).toBeCloseTo(2 * Math.log((a + b) / 2), 10);
    },
  );

  test.prop([fc.integer({ min: 1, max: 200 }), fc.double({ min: 0.01, max: 10, noNaN: true })])(
    'all are tight where all singular values are equal, the last at λ = s²',
    (d, value) => {
      const s = new Float64Array(d).fill(value);
      for (const bound of Object.values(boundsOf(s, value * value)))
        expect(Math.abs(bound - logVolume(s))).toBeLessThan(1e-10 * d * (1 + Math.abs(Math.log(value))));
    },
  );

  example('the sphere has the mean over probes', () => {
    const s = Float64Array.of(3, 1.5, 1, 0.4, 0.01);
    const probes = new Float32Array(5 * 40_000);
    fillDraw('sphere', { examples: 40_000, probes: 1, size: 5 }, { seed: 1, name: 'v', step: 0 }, probes);
    const sums = new Float64Array(40_000);
    probes.forEach(
      (v, i) =>
        (sums[Math.floor(i / 5)] = float64At(sums, Math.floor(i / 5)) + (float64At(s, i % 5) * v) ** 2 / 5),
    );
    const found = sums.reduce((total, square) => total + 2.5 * Math.log(square), 0) / 40_000;
    expect(Math.abs(boundsOf(s, 1).sphere - found)).toBeLessThan(0.03);
  });

  example('are those of the golden decoder [[1,0],[0,2],[1,1]]', () => {
    const s = singularValues([1, 0, 1, 0, 2, 1], 2);
    expect(logVolume(s)).toBeCloseTo(1.09861, 5);
    expect(boundsOf(s, 1).sphere).toBeCloseTo(1.17865, 5);
    expect(boundsOf(s, 1).frobenius).toBeCloseTo(1.25276, 5);
    expect(boundsOf(s, 1).linear).toBeCloseTo(2.5, 10);
    expect(boundsOf(s, 3.5).linear).toBeCloseTo(1.25276, 5);
  });

  example('of a decoder without full rank are finite but for the volume; of none, −∞', () => {
    const flat = Float64Array.of(2, 0);
    expect(logVolume(flat)).toBe(-Infinity);
    expect(boundsOf(flat, 1).sphere).toBeCloseTo(0, 10);
    expect(boundsOf(Float64Array.of(0, 0), 1).sphere).toBe(-Infinity);
  });
});

test.prop([
  fc.array(fc.double({ noNaN: true, min: -9, max: 9 }), { minLength: 1 }),
  fc.double({ min: 0, max: 1, noNaN: true }),
])('a quantile lies between the extremes and grows with its level', (values, level) => {
  const ascending = Float64Array.from(values).sort();
  expect(quantile(ascending, 0)).toBe(float64At(ascending, 0));
  expect(quantile(ascending, 1)).toBe(float64At(ascending, ascending.length - 1));
  expect(quantile(ascending, level)).toBeGreaterThanOrEqual(quantile(ascending, level / 2) - 1e-12);
});

describe('the drawing of a spectrum', () => {
  const value = fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1e6, noNaN: true }));
  const spectra = fc
    .integer({ min: 1, max: 130 })
    .chain((d) => fc.array(fc.array(value, { minLength: d, maxLength: d }), { minLength: 1, maxLength: 5 }))
    .map((points) => elementAt(points, 0).map((_, i) => summaryOf(points.map((s) => elementAt(s, i)))));
  const eta = fc.double({ min: 1e-3, max: 10, noNaN: true });

  test.prop([spectra, eta])('lies inside its frame, whatever the values', (spectrum, threshold) => {
    const drawing = spectrumChart(spectrum, threshold);
    expect(drawing).not.toMatch(/NaN|Infinity|undefined/);
    expect(drawing.match(/class="half"/g)).toHaveLength(spectrum.length);
    for (const [, y, height = '0'] of drawing.matchAll(/ y="([-\d.]+)"(?: height="([-\d.]+)")?/g)) {
      expect(Number(y)).toBeGreaterThanOrEqual(0);
      expect(Number(y) + Number(height)).toBeLessThanOrEqual(261);
    }
  });

  example('is higher for what is greater, and shows the threshold only where it matters', () => {
    const spectrum = [4, 2, 1].map((middle) => summaryOf([middle, middle * 1.1]));
    const tops = [...spectrumChart(spectrum, 0.5).matchAll(/class="half"[^>]* y="([\d.]+)"/g)].map(([, y]) =>
      Number(y),
    );
    expect(tops).toEqual([...tops].sort((a, b) => a - b));
    expect(spectrumChart(spectrum, 0.5)).toContain('η = 0.5');
    expect(spectrumChart(spectrum, 1e-4)).not.toContain('η');
  });
});
