/** Work that takes long is heard of, once, and work that does not is not. */
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openPrograms } from '../../backends/open.js';
import { patiently } from '../../backends/patience.js';
import { compile } from '../../compiler/index.js';
import { resultsOf } from '../../compiler/ir/program.js';
import { initialState } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { linear } from '../shared/command.js';
import { right } from '../shared/either.js';

test('whoever waits for longer than a second hears of it', async () => {
  let heard = 0;
  const hear = (): void => void heard++;
  expect(await patiently(() => Promise.resolve(1), hear)).toBe(1);
  await expect(patiently(() => Promise.reject(new Error('no')), hear)).rejects.toThrow('no');
  expect(heard).toBe(0);
  await patiently(() => setTimeout(1200), hear);
  expect(heard).toBe(1);
});

test('the first run of a program that takes long is said, and no other', async () => {
  const compiled = right(compile(linear(2, 2)));
  const { step, encode } = compiled;
  const state = new Map([...initialState(compiled, 0).arrays].map(([name, { data }]) => [name, data]));
  const slow = {
    ...backends.wasm,
    name: 'slow',
    open: async () => ({
      run: async (name: string) => {
        await setTimeout(name === step.name ? 1100 : 0);
        return resultsOf<Float32Array>([], () => new Float32Array());
      },
      read: async () => new Map(),
      dispose: () => undefined,
    }),
  };
  const lines: string[] = [];
  const programs = new Map([step, encode].map((one) => [one.name, one]));
  const instance = await openPrograms(slow, programs, state, (line) => lines.push(line));
  for (const name of [encode.name, step.name, step.name]) await instance.run(name, new Map());
  expect(lines).toEqual(['slow compiles "step" for its first run, which takes longest']);
});
