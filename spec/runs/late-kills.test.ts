/** A run that is lost after its last step, before all is done that is done then, is brought to its end and to no other. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadData } from '../../data/index.js';
import { type PolicyOptions, readRun, resume, trainRun } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { linear, linesOf } from '../shared/command.js';
import { left, right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-late-'));
afterAll(() => rmSync(folder, { recursive: true }));

const backend = backends.wasm;
const data = right(await loadData('digits')());
const spec = { ...linear(8, 8), steps: 12, validation: { every: 2 } };
/** The loss falls, so by this it never gets better. */
const wrongWay = { by: 'loss', better: 'more' } as const;

test.each([
  ['of its number', {}, 12, 12],
  [
    'before early stopping, with the weights of another step',
    { criterion: wrongWay, stopping: { ...wrongWay, patience: 2, least: 0 }, restoreBest: true },
    4,
    0,
  ],
] as const)('by the last step %s', async (name, policy: PolicyOptions, taken, leaves) => {
  const trained = (out: string, isLost: boolean) =>
    trainRun(spec, {
      data,
      backend,
      seed: 1,
      policy,
      keep: { name: 'late', out },
      onEvent: (event) => {
        if (event.tag === 'test' && isLost) throw new Error('lost');
      },
    });
  const [whole, lost] = [join(folder, `whole ${name}`), join(folder, `lost ${name}`)];
  right(await trained(whole, false)).model.dispose();
  await expect(trained(lost, true)).rejects.toThrow('lost');
  rmSync(join(lost, 'weights.safetensors'));
  expect(right(readRun(lost)).settings?.finished).toBe(undefined);

  const { model, summary } = right(await resume(lost, { data, backend }));
  model.dispose();
  expect(summary).toMatchObject({ steps: taken, step: leaves, test: { step: leaves } });
  expect(right(readRun(lost)).settings?.finished).toBe(taken);
  const record = (out: string): readonly string[] =>
    linesOf(readFileSync(join(out, 'record.jsonl'), 'utf8')).map((line) =>
      line.replace(/"seconds":[^,}]*/, ''),
    );
  expect(record(lost)).toEqual(record(whole));
  const bytes = (out: string, file: string): Buffer => readFileSync(join(out, file));
  for (const file of ['weights.safetensors', 'examples.safetensors'])
    expect(bytes(lost, file).equals(bytes(whole, file))).toBe(true);
  if (taken === spec.steps)
    expect(left(await resume(lost, { data, backend }))).toMatchObject([{ found: '12 of 12 steps taken' }]);
  expect(existsSync(join(lost, 'lock'))).toBe(false);
});
