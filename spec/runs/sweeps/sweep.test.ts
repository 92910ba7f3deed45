/** A sweep is data, its trials are the product of what varies, and what is done is not done again. */
import { atLeast, elementAt } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { type Dataset, inMemory, loadData } from '../../../data/index.js';
import { anyString } from '../../../dsl/codec/primitive.js';
import { problem } from '../../../dsl/index.js';
import {
  contentKey,
  decodeOutcome,
  decodeSweep,
  decodeTrial,
  type Distribution,
  encodeOutcome,
  encodeSweep,
  encodeTrial,
  holdOut,
  type Outcome,
  scoredInMemory,
  type Sweep,
  trialsOf,
} from '../../../runs/index.js';
import { linear } from '../../shared/command.js';
import { left, right } from '../../shared/either.js';

const spec = linear(8, 8);

const name = fc.constantFrom('eta', 'prior', 'optimizer.rate', 'networks.encoder.layers[1].units', 'lambda');
// JSON has no −0.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x));
const value = fc.oneof(number, fc.string());
const ordered = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 1, max: 999 }))
  .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const distribution: fc.Arbitrary<Distribution> = fc.oneof(
  fc
    .tuple(fc.constantFrom('uniform', 'logUniform', 'integer'), ordered)
    .map(([tag, ends]) => ({ tag, ...ends })),
  fc.array(value, { minLength: 1, maxLength: 3 }).map((of) => ({ tag: 'choice' as const, of })),
);
const axis = fc.uniqueArray(value, { minLength: 1, maxLength: 3, selector: (one) => JSON.stringify(one) });

/** Without its specification, which would fill a page where a property fails. */
const search: fc.Arbitrary<Omit<Sweep<string>, 'spec'>> = fc.record({
  settings: fc.dictionary(name, value, { maxKeys: 2 }),
  grid: fc.dictionary(name, axis, { maxKeys: 3 }),
  random: fc.dictionary(name, distribution, { maxKeys: 2 }),
  samples: fc.integer({ min: 1, max: 4 }),
  searchSeed: fc.nat(),
  seeds: fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 3 }),
  heldOut: fc.double({ min: 0, max: 0.99, noNaN: true }),
  backend: fc.constantFrom('auto', 'wasm'),
  device: fc.constantFrom('auto', 'cpu'),
  evaluation: fc.string(),
});

const asText = (json: unknown): unknown => JSON.parse(JSON.stringify(json));

/** The same JSON with the fields of every object in the opposite order. */
const reordered = (json: unknown): unknown =>
  Array.isArray(json)
    ? json.map(reordered)
    : typeof json === 'object' && json !== null
      ? Object.fromEntries(
          Object.entries(json)
            .reverse()
            .map(([key, one]) => [key, reordered(one)]),
        )
      : json;

describe('as data', () => {
  test.prop([search], { numRuns: 30 })('a sweep and its trials come back from their JSON', (one) => {
    const sweep = { ...one, spec };
    const json = asText(right(encodeSweep(anyString)(sweep)));
    const back = right(decodeSweep(anyString)(json));
    expect(asText(right(encodeSweep(anyString)(back)))).toEqual(json);
    expect({ ...back, spec: null }).toEqual({ ...sweep, spec: null });
    const [trial] = atLeast(1, trialsOf(sweep));
    const trialJson = asText(right(encodeTrial(anyString)(trial)));
    expect({ ...right(decodeTrial(anyString)(trialJson)), spec: null }).toEqual({ ...trial, spec: null });
  });

  test.prop([search], { numRuns: 30 })(
    'the same content has the same key, whatever the order of fields',
    (one) => {
      const sweep = { ...one, spec };
      const keys = trialsOf(sweep).map((trial) => {
        const json = asText(right(encodeTrial(anyString)(trial)));
        expect(contentKey(reordered(json))).toBe(contentKey(json));
        return contentKey(json);
      });
      const contents = trialsOf(sweep).map(({ settings, seed }) => contentKey({ settings, seed }));
      expect(new Set(keys).size).toBe(new Set(contents).size);
    },
  );

  const figures = fc.dictionary(fc.string(), fc.double());
  const problems = fc
    .tuple(fc.string(), fc.string(), fc.string())
    .map(([path, found, expected]) => problem(path, found, expected));
  const outcome: fc.Arbitrary<Outcome> = fc.oneof(
    fc
      .record({
        backend: fc.string(),
        provenance: fc.record({
          date: fc.string(),
          processor: fc.string(),
          versions: fc.dictionary(fc.string(), fc.string()),
        }),
        steps: fc.nat(),
        skipped: fc.nat(),
        seconds: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
        memory: fc.integer({ min: 1 }),
        loss: fc.double(),
        validation: figures,
        measures: figures,
        missing: fc.array(problems, { maxLength: 2 }),
      })
      .map((result): Outcome => ({ _tag: 'Right', right: result })),
    fc.array(problems, { minLength: 1, maxLength: 2 }).map((left): Outcome => ({ _tag: 'Left', left })),
  );
  test.prop([outcome])('an outcome comes back from its JSON, infinities and NaN too', (one) => {
    const json: unknown = asText(encodeOutcome('key', one));
    const negativeZero = (_: string, number: unknown): unknown => (Object.is(number, -0) ? 0 : number);
    const plain = (value: unknown): string =>
      JSON.stringify(value, (key, number: unknown) =>
        typeof number === 'number' && !Number.isFinite(number) ? String(number) : negativeZero(key, number),
      );
    expect(plain(right(decodeOutcome('key', json)))).toBe(plain(one));
    expect(right(decodeOutcome('another', json))).toBe(undefined);
  });

  test('what is wrong with a trial is named by its path', () => {
    const json = right(encodeTrial(anyString)(elementAt(trialsOf(right(decodeSweep(anyString)(small))), 0)));
    const broken = { ...Object(json), seed: -1, sed: 2, settings: { eta: true } };
    expect(
      left(decodeTrial(anyString)(broken))
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['sed', 'seed', 'settings.eta']);
    expect(
      left(decodeTrial(anyString)({ ...Object(json), spec: { ...Object(small.spec), batch: 0 } })),
    ).toEqual([problem('spec.batch', '0', 'a positive integer')]);
    expect(left(decodeTrial(anyString)(7))).toEqual([problem('trial', '7', 'a trial')]);
    const backwards = { ...small, random: { eta: { tag: 'logUniform', from: 0, to: -1 } } };
    expect(left(decodeSweep(anyString)(backwards)).map(({ path }) => path)).toEqual([
      'random.eta.to',
      'random.eta.from',
    ]);
  });
});

const small = {
  schemaVersion: 1,
  spec: Object(right(encodeSweep(anyString)({ ...emptySweep(), spec }))).spec,
  evaluation: 'e',
};

function emptySweep(): Omit<Sweep<string>, 'spec'> {
  const search = { settings: {}, grid: {}, random: {}, samples: 1, searchSeed: 0, seeds: [0] };
  return { ...search, heldOut: 0, backend: 'auto', device: 'auto', evaluation: 'e' };
}

const sweepOf = (change: Partial<Sweep<string>>): Sweep<string> => ({ ...emptySweep(), spec, ...change });

describe('the trials', () => {
  test.prop([search])('of a grid are its product with the seeds, each once', (one) => {
    const sweep = { ...one, spec };
    const trials = trialsOf({ ...sweep, random: {} });
    const sizes = Object.values(sweep.grid).map(({ length }) => length);
    expect(trials).toHaveLength(sizes.reduce((a, b) => a * b, sweep.seeds.length));
    const seen = trials.map(({ settings, seed }) => JSON.stringify([settings, seed]));
    expect(new Set(seen).size).toBe(trials.length);
    for (const { settings, seed } of trials) {
      expect(sweep.seeds).toContain(seed);
      for (const [key, one] of Object.entries(settings)) {
        if (Object.hasOwn(sweep.grid, key)) expect(sweep.grid[key]).toContain(one);
        else expect(one).toBe(sweep.settings[key]);
      }
    }
  });

  const draws = (sweep: Sweep<string>, key: string): readonly unknown[] =>
    trialsOf(sweep).map(({ settings }) => settings[key]);

  test.prop([distribution, distribution, fc.nat(), fc.integer({ min: 1, max: 20 })])(
    'of a search lie where they are drawn; more samples and other names change none',
    (one, other, searchSeed, samples) => {
      const base = sweepOf({ random: { eta: one }, samples, searchSeed });
      const drawn = draws(base, 'eta');
      expect(drawn).toHaveLength(samples);
      for (const eta of drawn) {
        if (one.tag === 'choice') expect(one.of).toContain(eta);
        else {
          expect(eta).toBeGreaterThanOrEqual(one.from);
          expect(eta).toBeLessThanOrEqual(one.to);
          if (one.tag === 'integer') expect(Number.isInteger(eta)).toBe(true);
        }
      }
      const more = sweepOf({ random: { prior: other, eta: one }, samples: samples + 3, searchSeed });
      expect(draws(more, 'eta').slice(0, samples)).toEqual(drawn);
    },
  );

  test('a logarithmic search covers its decades alike', () => {
    const random = { eta: { tag: 'logUniform' as const, from: 1e-4, to: 1 } };
    const etas = draws(sweepOf({ random, samples: 4000 }), 'eta').map(Number);
    for (const decade of [1e-4, 1e-3, 1e-2, 1e-1]) {
      const share = etas.filter((eta) => eta >= decade && eta < 10 * decade).length / etas.length;
      expect(share).toBeGreaterThan(0.22);
      expect(share).toBeLessThan(0.28);
    }
  });
});

describe('held out', () => {
  test.prop([fc.double({ min: 0.01, max: 0.9, noNaN: true })], { numRuns: 10 })(
    'training and validation examples are those of the training data, each once',
    async (part) => {
      const split = right(await loadData('digits')());
      const { train, validation, test: last } = right(await scoredInMemory(right(holdOut(split, part))));
      expect(validation.size).toBe(Math.round(part * split.train.size));
      expect(last).toBe(split.test);
      expect(validation.name).toContain('validation');
      const rows = (set: Dataset): readonly string[] =>
        Array.from({ length: set.size }, (_, i) => set.examples.subarray(i * 64, (i + 1) * 64).join());
      expect([...rows(right(await inMemory(train)())), ...rows(validation)].sort()).toEqual(
        [...rows(split.train)].sort(),
      );
    },
  );

  test('nothing, or less than an example', async () => {
    const split = right(await loadData('digits')());
    expect(right(holdOut(split, 0))).toEqual({ ...split, validation: split.test });
    expect(elementAt(left(holdOut(split, 1e-9)), 0).path).toBe('validation');
  });
});
