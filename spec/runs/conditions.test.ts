/** A decoder that is told more than a code: by the fields of a data set, or by what is given beside codes. */
import { afterAll, expect, test } from 'vitest';
import {
  adam,
  apply,
  concat,
  data,
  dense,
  experiment,
  field,
  fill,
  input,
  network,
  objective,
  pipe,
  sqNorm,
  sub,
  through,
} from '../../dsl/index.js';
import { fit } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { right } from '../shared/either.js';

const encoder = network('encoder', pipe(input(3), dense(2)));
const decoder = network('decoder', { z: [2], label: [], at: [2] }, ({ z, label, at }) =>
  through('net', concat(concat(z, fill(label, 1)), at), dense(3)),
);
const x = data(3);
const label = field('label');
const made = apply(decoder, { z: apply(encoder, x), label, at: field('at', 2) });

const size = 40;
const examples = Float32Array.from({ length: 3 * size }, (_, i) => Math.sin(i));
const fields = {
  label: { shape: [], type: 'float', values: Float32Array.from({ length: size }, (_, i) => i % 3) },
  at: { shape: [2], type: 'float', values: Float32Array.from({ length: 2 * size }, (_, i) => Math.cos(i)) },
} as const;
const set = { name: 'told', shape: [3], size, examples, fields };

const model = right(
  await fit(
    experiment({
      encoder,
      decoder,
      objective: objective({ reconstruction: sqNorm(sub(x, made)) }),
      optimizer: adam({ rate: 1e-2 }),
      batch: 8,
      steps: 20,
      data: 'told',
    }),
    { data: { train: set, test: set }, backend: backends.wasm, seed: 1 },
  ),
);
afterAll(model.dispose);

test('one value is for all codes, or there is one for each', async () => {
  const codes = Float32Array.from({ length: 6 }, (_, i) => i / 6);
  const alike = await model.decode(codes, { fields: { label: 2, at: [0.5, 1] } });
  expect(await model.decode(codes, { fields: { label: [2, 2, 2], at: [0.5, 1, 0.5, 1, 0.5, 1] } })).toEqual(
    alike,
  );
  const other = await model.decode(codes, { fields: { label: [2, 1, 2], at: [0.5, 1] } });
  expect(other.subarray(0, 3)).toEqual(alike.subarray(0, 3));
  expect(other.subarray(3, 6)).not.toEqual(alike.subarray(3, 6));
});

test('a data set is reconstructed by its own fields', async () => {
  const codes = await model.encode(set);
  const told = { label: fields.label.values, at: fields.at.values };
  expect(await model.reconstruct(set)).toEqual(await model.decode(codes, { fields: told }));
});

test('samples are drawn under what is given', async () => {
  const given = { label: 1, at: [0, 0] };
  const samples = await model.sample(4, { seed: 3, fields: given });
  expect(samples).toHaveLength(12);
  expect(await model.sample(4, { seed: 3, fields: { ...given, label: 2 } })).not.toEqual(samples);
});

test('what is not told, told in excess, or told of another number of rows is a problem', async () => {
  const codes = new Float32Array(4);
  await expect(model.decode(codes)).rejects.toMatchObject({
    problem: {
      path: 'fields.label',
      found: 'nothing',
      expected: 'a number for all examples, or for each of 2',
    },
  });
  await expect(model.decode(codes, { fields: { label: 1, att: [1, 2] } })).rejects.toMatchObject({
    problem: { path: 'fields.att', hint: 'did you mean "at"?' },
  });
  await expect(model.decode(codes, { fields: { label: 1, at: [1, 2, 3] } })).rejects.toMatchObject({
    problem: { path: 'fields.at', found: '3 numbers' },
  });
  await expect(model.encode(codes.subarray(0, 3), { fields: { label: 1 } })).rejects.toMatchObject({
    problem: { path: 'fields.label', expected: 'none: encode reads no field' },
  });
});
