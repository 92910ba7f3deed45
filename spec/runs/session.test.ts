/** A session takes no state that does not fit, and says so where it is used after everything was given back. */
import { afterAll, describe, expect, test } from 'vitest';
import { compile } from '../../compiler/index.js';
import { initialState, createSession } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { linear } from '../shared/command.js';
import { right } from '../shared/either.js';

const compiled = right(compile(linear(8, 8)));
const state = initialState(compiled, 0);
const [name = '', array = { shape: [], data: new Float32Array() }] =
  [...state.arrays].find(([key]) => key.startsWith('encoder') && key.includes('kernel')) ?? [];
const before = backends.wasm.liveCount();
afterAll(() => expect(backends.wasm.liveCount()).toBe(before));

describe('a state', () => {
  test.each([
    [
      'of a transposed array',
      { shape: array.shape.toReversed(), data: array.data },
      /^state of encoder.*: found \[3,64\], expected \[64,3\]$/,
    ],
    [
      'of a shorter array',
      { shape: array.shape, data: array.data.subarray(1) },
      /: found 191 numbers, expected 192, an array of shape \[64, 3\]$/,
    ],
  ])('%s is refused', async (_, wrong, message) => {
    const arrays = new Map(state.arrays).set(name, wrong);
    await expect(createSession(compiled, backends.wasm, { ...state, arrays })).rejects.toThrow(message);
  });

  test('that lacks an array is refused', async () => {
    const arrays = new Map([...state.arrays].filter(([key]) => key !== name));
    await expect(createSession(compiled, backends.wasm, { ...state, arrays })).rejects.toThrow(
      /found nothing/,
    );
  });
});

test('after it was disposed, which may be twice, a session says so', async () => {
  const session = await createSession(compiled, backends.wasm, state);
  const examples = new Float32Array(32 * 64);
  await session.step(examples);
  session.dispose();
  session.dispose();
  const said = /^model: found a model that was disposed, expected one that was not/;
  await expect(session.step(examples)).rejects.toThrow(said);
  await expect(session.encode(examples)).rejects.toThrow(said);
  await expect(session.state()).rejects.toThrow(said);
});
