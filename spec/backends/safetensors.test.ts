/** Weights are read back as they were written; a file that is cut anywhere is a problem. */
import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../../backends/safetensors.js';
import { left, right } from '../shared/either.js';

const tensor = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }).chain((shape) =>
  fc
    .float32Array({
      minLength: shape.reduce((a, b) => a * b, 1),
      maxLength: shape.reduce((a, b) => a * b, 1),
    })
    .map((data): Tensor => ({ shape, data })),
);

const tensors = fc
  .uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), tensor), {
    selector: ([name]) => name,
    maxLength: 5,
  })
  .map((entries) => new Map(entries.filter(([name]) => name !== '__metadata__' && name !== '__proto__')));

test.prop([tensors])('what is encoded is decoded, to the bit', (written) => {
  const bytes = encodeSafetensors(written, { step: '3' });
  // A file comes as a Buffer, which may be a part of a larger one.
  const read = right(decodeSafetensors('x', Buffer.concat([Buffer.alloc(8), bytes]).subarray(8)));
  expect([...read.keys()].sort()).toEqual([...written.keys()].sort());
  for (const [name, { shape, data }] of written) {
    expect(read.get(name)?.shape).toEqual(shape);
    expect(new Uint8Array(read.get(name)?.data.buffer ?? new ArrayBuffer(0))).toEqual(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
  }
});

test('a file cut at any byte is a problem', () => {
  const bytes = encodeSafetensors(
    new Map([
      ['a/kernel', { shape: [2, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6]) }],
      ['b', { shape: [], data: Float32Array.of(7) }],
    ]),
  );
  expect(right(decodeSafetensors('x', bytes)).size).toBe(2);
  for (let end = 0; end < bytes.length; end++) {
    const problems = left(decodeSafetensors('x', bytes.subarray(0, end)));
    expect(problems).toEqual([
      { path: 'x', found: expect.stringMatching(/./), expected: expect.stringMatching(/./) },
    ]);
  }
});
