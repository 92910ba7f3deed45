/** Random numbers are a function of their key, and follow their distributions. */
import { atLeast, elementAt, float32At } from '../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { deriveKey, fillWords, philox, uniforms } from '../../dsl/random.js';
import type { DistributionName } from '../../dsl/expressions/draw.js';
import { type DrawShape, fillDraw } from '../../backends/draws.js';
import { standardNormal } from '../../backends/normals.js';
import { eachExample } from '../../backends/wasm/philox.js';
import { dot, meanOf, rowsOf } from '../shared/moments.js';

const distributions: readonly DistributionName[] = [
  'normal',
  'sphere',
  'rademacher',
  'uniform',
  'orthonormal',
];

const draw = (
  distribution: DistributionName,
  shape: DrawShape,
  key: { seed?: number; name?: string; step?: number } = {},
): Float32Array => {
  const into = new Float32Array(shape.examples * shape.probes * shape.size);
  fillDraw(distribution, shape, { seed: 1, name: 'v', step: 0, ...key }, into);
  return into;
};

describe('words of many streams at once', () => {
  test.prop(
    {
      key: fc.tuple(fc.integer(), fc.integer()),
      step: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      first: fc.integer({ min: 0, max: 2 ** 31 }),
      examples: fc.integer({ min: 1, max: 300 }),
      probes: fc.integer({ min: 1, max: 9 }),
      words: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 16_000, max: 20_000 })),
    },
    { numRuns: 30 },
  )('are those of each stream', (streams) => {
    const { key, step, first, probes, words } = streams;
    const examples = words > 100 ? 2 : streams.examples;
    const seen: number[] = [];
    const expected = new Uint32Array(words);
    eachExample({ ...streams, examples }, (drawn, at, stride, example) => {
      seen.push(example);
      for (let probe = 0; probe < probes; probe++) {
        fillWords(key, [probe, first + example, step], expected);
        const start = at + probe * stride;
        expect(
          Buffer.from(drawn.slice(start, start + words).buffer).equals(Buffer.from(expected.buffer)),
        ).toBe(true);
      }
    });
    expect(seen).toEqual(Array.from({ length: examples }, (_, i) => i));
  });
});

describe('Philox4x32-10', () => {
  // Random123, tests/kat_vectors.
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('counter %j under key %j', (counter, key, known) => {
    expect([...philox(key, counter)]).toEqual(known);
  });

  test.prop([fc.nat(70), fc.nat(70), fc.nat()])(
    'a longer fill of a stream starts with the shorter one',
    (count, more, step) => {
      const short = new Uint32Array(count);
      const long = new Uint32Array(count + more);
      fillWords([1, 2], [3, 4, step], short);
      fillWords([1, 2], [3, 4, step], long);
      expect(long.slice(0, count)).toEqual(short);
      if (count > 3) expect([...short.slice(0, 4)]).toEqual([...philox([1, 2], [0, 3, 4, step])]);
    },
  );

  test('uniforms fill [0, 1) evenly', () => {
    const values = uniforms([1, 2], [0, 0, 0], 20000);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(meanOf(values, (u) => u)).toBeCloseTo(1 / 2, 2);
    expect(meanOf(values, (u) => u * u)).toBeCloseTo(1 / 3, 2);
  });
});

describe('keys', () => {
  test.prop([
    fc.double({ noNaN: true }),
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true }),
    fc.string({ unit: 'binary' }),
  ])('are equal for equal seeds and paths only', (seed, path, otherSeed, otherPath) => {
    const same = seed === otherSeed && path === otherPath;
    expect(JSON.stringify(deriveKey(seed, path)) === JSON.stringify(deriveKey(otherSeed, otherPath))).toBe(
      same,
    );
    expect(deriveKey(seed, path)).toEqual(deriveKey(seed, path));
  });

  test('tell apart paths that differ by a zero byte, by length or by a block', () => {
    const paths = [
      '',
      '\0',
      '\0\0',
      'a',
      'a\0',
      'a'.repeat(15),
      'a'.repeat(16),
      'a'.repeat(17),
      'a'.repeat(32),
      'ä',
      '∂',
    ];
    const keys = paths.flatMap((path) =>
      [0, 1, -1, 2 ** 32, 2 ** 53 - 1, 0.5].map((seed) => deriveKey(seed, path).join()),
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(deriveKey(-0, 'a')).toEqual(deriveKey(0, 'a'));
  });
});

describe('the normal quantile', () => {
  // Python's statistics.NormalDist().inv_cdf((w + 0.5) / 2**32).
  test.each([
    [0, -6.337957754553789],
    [1, -6.166429517819749],
    [12345, -4.535422762090429],
    [2 ** 20, -3.4871039765916896],
    [2 ** 28, -1.5341205434059566],
    [2 ** 30, -0.6744897498297384],
    [2 ** 31 - 1, -2.9180993729166234e-10],
    [2 ** 31 + 2 ** 30, 0.6744897505624251],
  ])('of word %i', (word, known) => {
    expect(Math.abs(standardNormal(word) / known - 1)).toBeLessThan(1e-15);
  });

  test.prop([fc.integer({ min: 0, max: 2 ** 32 - 2 })])('is odd and grows', (word) => {
    expect(standardNormal(2 ** 32 - 1 - word)).toBe(-standardNormal(word));
    expect(standardNormal(word + 1)).toBeGreaterThan(standardNormal(word));
  });

  test('has these bits', () => {
    expect([
      ...new Uint32Array(
        draw('normal', { examples: 2, probes: 1, size: 3 }, { seed: 7, name: 'probe', step: 5 }).buffer,
      ),
    ]).toMatchInlineSnapshot(`
      [
        1015740343,
        3174373959,
        1034328651,
        1070694539,
        1067613624,
        3203606532,
      ]
    `);
  });
});

describe.each(distributions)('%s', (distribution) => {
  const shapes = fc.record({
    examples: fc.integer({ min: 1, max: 6 }),
    probes: fc.integer({ min: 1, max: 5 }),
    size: fc.integer({ min: 1, max: 9 }),
  });

  test.prop([shapes, fc.integer({ min: 1, max: 6 }), fc.integer(), fc.nat(2 ** 31)])(
    'an example does not depend on the batch size',
    (shape, fewer, seed, step) => {
      const all = draw(distribution, shape, { seed, step });
      const examples = Math.min(fewer, shape.examples);
      expect(draw(distribution, { ...shape, examples }, { seed, step })).toEqual(
        all.slice(0, examples * shape.probes * shape.size),
      );
    },
  );

  test.prop([shapes, fc.integer({ min: 1, max: 5 })])(
    'a probe does not depend on the number of probes',
    (shape, fewer) => {
      const probes = Math.min(fewer, shape.probes);
      const all = draw(distribution, { ...shape, examples: 1 });
      expect(draw(distribution, { ...shape, examples: 1, probes })).toEqual(
        all.slice(0, probes * shape.size),
      );
    },
  );

  test('seed, name, step, example and probe each change the numbers', () => {
    const shape = { examples: 2, probes: 2, size: 64 };
    const draws = [{}, { seed: 2 }, { name: 'w' }, { step: 1 }].map((key) => draw(distribution, shape, key));
    const rows = draws.flatMap((values) => rowsOf(values, 64).map((row) => row.join()));
    expect(new Set(rows).size).toBe(16);
  });

  test('a size of zero is left alone', () => {
    expect(draw(distribution, { examples: 2, probes: 3, size: 0 }).length).toBe(0);
  });

  test('has mean, variance and fourth moment of its law', () => {
    const size = 10;
    const values = draw(distribution, { examples: 4000, probes: 2, size });
    // E v⁴ on the sphere |v|² = d is 3d/(d+2).
    const onSphere = [0, 1, (3 * size) / (size + 2)];
    const known = {
      normal: [0, 1, 3],
      sphere: onSphere,
      rademacher: [0, 1, 1],
      uniform: [1 / 2, 1 / 3, 1 / 5],
      orthonormal: onSphere,
    }[distribution];
    // 80,000 values: these are at least four standard errors.
    expect(Math.abs(meanOf(values, (v) => v) - elementAt(known, 0))).toBeLessThan(0.015);
    expect(Math.abs(meanOf(values, (v) => v ** 2) - elementAt(known, 1))).toBeLessThan(0.02);
    expect(Math.abs(meanOf(values, (v) => v ** 4) - elementAt(known, 2))).toBeLessThan(0.15);
  });

  test('neighbours are uncorrelated', () => {
    const values = draw(distribution, { examples: 8000, probes: 1, size: 10 });
    const mean = meanOf(values, (v) => v);
    for (const lag of [1, 10]) {
      const products = values.slice(lag).map((value, i) => (value - mean) * (float32At(values, i) - mean));
      expect(Math.abs(meanOf(products, (v) => v))).toBeLessThan(0.02);
    }
  });
});

describe('distributions', () => {
  test.prop([fc.integer({ min: 1, max: 300 }), fc.integer()])('the sphere has |v|² = d', (size, seed) => {
    const v = draw('sphere', { examples: 1, probes: 1, size }, { seed });
    expect(Math.abs(dot(v, v) / size - 1)).toBeLessThan(2e-7);
    if (size === 1) expect(Math.abs(float32At(v, 0))).toBe(1);
  });

  test.prop([fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 60 }), fc.integer()])(
    'orthonormal frames have orthogonal rows with |v|² = d, and start anew after d rows',
    (size, probes, seed) => {
      const rows = rowsOf(draw('orthonormal', { examples: 1, probes, size }, { seed }), size);
      rows.forEach((row, i) => {
        expect(Math.abs(dot(row, row) / size - 1)).toBeLessThan(1e-6);
        for (let j = i - (i % size); j < i; j++)
          expect(Math.abs(dot(row, elementAt(rows, j)) / size)).toBeLessThan(1e-6);
      });
    },
  );

  test('a frame in the plane turns both ways equally often', () => {
    const frames = rowsOf(draw('orthonormal', { examples: 4000, probes: 2, size: 2 }), 4);
    expect(
      Math.abs(
        meanOf(
          frames.map((frame) => {
            const [a, b, c, d] = atLeast(4, [...frame]);
            return Math.sign(a * d - b * c);
          }),
          (sign) => sign,
        ),
      ),
    ).toBeLessThan(0.07);
  });

  test('Rademacher values are ±1 and uniform ones in [0, 1)', () => {
    expect(new Set(draw('rademacher', { examples: 10, probes: 1, size: 70 }))).toEqual(new Set([1, -1]));
    expect(draw('uniform', { examples: 1000, probes: 1, size: 70 }).every((u) => u >= 0 && u < 1)).toBe(true);
  });

  test('normals reach ten million a second', () => {
    const shape = { examples: 1000, probes: 1, size: 784 };
    draw('normal', shape);
    const start = performance.now();
    draw('normal', shape);
    // A tenth of the aim, so that a busy machine does not fail it.
    expect(784 / (performance.now() - start)).toBeGreaterThan(1);
  });
});
