/** Examples that are read by row train and evaluate as examples in memory do, bit for bit; validation parts are taken out of training. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { encode } from 'fast-png';
import { afterAll, describe, expect } from 'vitest';
import {
  type Dataset,
  inMemory,
  labelsOf,
  read,
  select,
  type Source,
  type Split,
} from '../../data/dataset.js';
import { loadData } from '../../data/load.js';
import { openData } from '../../data/source.js';
import { withValidation } from '../../data/validation.js';
import {
  adam,
  dense,
  experiment,
  flatten,
  input,
  network,
  pipe,
  reshape,
  showProblem,
} from '../../dsl/index.js';
import { type Evaluation, measure, plainEvaluation } from '../../evaluation/index.js';
import { ae } from '../../objectives/index.js';
import { holdOut, prepareRun, type TrainEvent } from '../../runs/index.js';
import { scoredInMemory } from '../../runs/run/hold-out.js';
import { backends } from '../shared/backends.js';
import { left, right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-streaming-'));
afterAll(() => rmSync(folder, { recursive: true }));

const digits = right(await loadData('digits')());

/** The first 60 digits as a file of floats and as pictures. */
const first = select(
  digits.train,
  'first',
  Array.from({ length: 60 }, (_, row) => row),
);
const npy = join(folder, 'digits.npy');
const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (60, 8, 8), }".padEnd(117) + '\n';
writeFileSync(
  npy,
  Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
    Buffer.from(header),
    Buffer.from(first.examples.buffer),
  ]),
);
for (let row = 0; row < 60; row++) {
  const data = Uint8Array.from(first.examples.subarray(64 * row, 64 * (row + 1)), (value) =>
    Math.round(value * 255),
  );
  writeFileSync(
    join(folder, `${String(row).padStart(2, '0')}.png`),
    encode({ width: 8, height: 8, channels: 1, data }),
  );
}

const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(3)));
const decoder = network('decoder', pipe(input(3), dense(64), reshape(8, 8, 1)));
const spec = experiment({
  encoder,
  decoder,
  objective: ae(encoder, decoder),
  optimizer: adam({ rate: 1e-3 }),
  batch: 8,
  steps: 14,
  data: 'x',
  validation: { every: 7 },
});

const trained = async (data: { readonly train: Source; readonly test: Source }) => {
  const run = right(await prepareRun(spec, { data, backend: backends.wasm, seed: 2 }));
  const events: TrainEvent[] = [];
  for await (const event of run.events) events.push(event);
  const state = await run.fitted.state();
  run.fitted.dispose();
  return { events: events.map((event) => ({ ...event, seconds: 0 })), arrays: state.arrays };
};

describe.each([
  ['a file of floats', npy],
  ['a folder of pictures', folder],
])('%s', (_, reference) => {
  test('trains as in memory, bit for bit', async () => {
    const stored = right(await openData(reference)());
    expect('examples' in stored.train).toBe(false);
    expect(await trained(stored)).toEqual(await trained(right(await loadData(reference)())));
  });

  test('is encoded and scored as in memory, bit for bit', async () => {
    const evaluation: Evaluation = {
      ...plainEvaluation,
      metrics: ['frechet'],
      features: ['pixels'],
      priors: ['gaussian', 'mixture'],
      components: 2,
      jacobians: 4,
    };
    const figuresOf = async (split: Split<Source>) => {
      const data = right(await scoredInMemory(right(holdOut(split, 0.2))));
      const { fitted } = right(await prepareRun(spec, { data, backend: backends.wasm, seed: 2 }));
      const { figures } = right(await measure(evaluation, { fitted, data, seed: 2 }));
      const codes = await fitted.encode(data.train);
      fitted.dispose();
      return { figures, codes };
    };
    const found = await figuresOf(right(await openData(reference)()));
    expect(found).toEqual(await figuresOf(right(await loadData(reference)())));
    expect(Object.keys(found.figures)).toContain('validation/mixture/frechet/pixels');
  });

  const both = (async () => ({
    stored: right(await openData(reference)()).train,
    loaded: right(await loadData(reference)()).train,
  }))();

  test.prop([fc.array(fc.nat(49), { maxLength: 12 })])('reads any rows as memory has them', async (rows) => {
    const { stored, loaded } = await both;
    const into = new Float32Array(64 * rows.length);
    right(await read(stored, rows, into)());
    expect(into).toEqual(select(loaded, 'rows', rows).examples);
    expect(right(await inMemory(select(stored, 'rows', rows))()).examples).toEqual(into);
  });
});

test('the pictures are the digits they were made from', async () => {
  const { train } = right(await loadData(folder)());
  expect(train.examples.subarray(0, 64 * 5)).toEqual(first.examples.subarray(0, 64 * 5));
});

test('what can no longer be read ends training with a problem', async () => {
  const path = join(folder, 'cut.npy');
  writeFileSync(
    path,
    Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
      Buffer.from(header),
      Buffer.from(first.examples.buffer),
    ]),
  );
  const stored = right(await openData(path)());
  truncateSync(path, 5000);
  await expect(trained(stored)).rejects.toMatchObject({
    problem: { path, found: expect.stringMatching(/^the end of the file at byte \d+$/) },
  });
});

describe('a validation part', () => {
  test.prop([fc.integer({ min: 1, max: 59 }), fc.integer()])(
    'and what is left are the training set',
    (part, seed) => {
      const marked: Dataset = {
        ...first,
        examples: Float32Array.from({ length: 60 }, (_, row) => row),
        shape: [1],
      };
      const split = right(withValidation({ train: marked, test: marked }, { part, seed }));
      expect(split.validation.size).toBe(part);
      expect(labelsOf(split.validation)?.length).toBe(part);
      expect([...split.validation.examples, ...split.train.examples].sort((a, b) => a - b)).toEqual([
        ...marked.examples,
      ]);
      expect(right(withValidation({ train: marked, test: marked }, { part, seed })).validation).toEqual(
        split.validation,
      );
      // What is there already stays.
      expect(right(withValidation(split, { part: 0.5, seed: seed + 1 }))).toEqual(split);
    },
  );

  test('is another one for another seed, a tenth unless said, and never everything', () => {
    const held = (seed: number) => right(withValidation(digits, { seed }));
    expect(held(0).validation.size).toBe(150);
    expect(held(0).validation.name).toBe('digits (validation)');
    expect(held(0).validation.examples).not.toEqual(held(1).validation.examples);
    for (const part of [0, -1, 1498, 2.5, NaN])
      expect(left(withValidation(digits, { part })).map(showProblem)[0]).toMatch(/^validation: found/);
  });
});
