/** A backend that was named and fails ends the run, and what it says leads on: what is kept, and the command that goes on with it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { problem } from '../../dsl/index.js';
import { resume, type TrainEvent, trainRun } from '../../runs/index.js';
import { nameIn } from '../../runs/records/backends.js';
import { backends } from '../shared/backends.js';
import { left, right } from '../shared/either.js';
import { data, expectNear, failing, fives, lossesOf, spec, STEPS } from '../shared/failing-runs.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-named-'));
afterAll(() => rmSync(folder, { recursive: true }));

const events: TrainEvent[] = [];
const options = { data, seed: 5, onEvent: (event: TrainEvent) => void events.push(event) };
const keepIn = (out: string) => ({ name: 'run', out: join(folder, out), root: folder });

right(await trainRun(spec, { ...options, backend: backends.cpu })).model.dispose();
const whole = lossesOf(events);

describe('a backend that was named', () => {
  test('and fails ends the run, which resume takes up on another one', async () => {
    const out = join(folder, 'named');
    const keep = keepIn('named');
    events.length = 0;
    const backend = failing(backends.wasm, { at: 9 });
    const [said] = left(await trainRun(spec, { ...options, backend, keep }));
    expect(said?.hint).toMatch(/^the run is kept to step 9: immersion resume .*named --backend auto$/);
    const first = [...events];
    const { model, summary } = right(
      await resume(out, { data, onEvent: options.onEvent, backend: backends.cpu }),
    );
    model.dispose();
    expect(summary.ran).toEqual([
      { step: 0, backend: nameIn(backends.wasm) },
      { step: 9, backend: 'cpu' },
    ]);
    expectNear(lossesOf([...first, ...events.slice(first.length)]), whole);
    expect(readFileSync(join(out, 'run.json'), 'utf8')).toContain('"backend": "cpu"');
  });

  test.each([
    ['its first step', { at: 0 }],
    ['the first checkpoint', { reads: 1 }],
  ])('and fails at %s has kept no step, and begins again on another one', async (when, mishap) => {
    const name = `named, fails at ${when}`;
    const out = join(folder, name);
    const keep = keepIn(name);
    const backend = failing(backends.wasm, { ...mishap, isGone: true });
    const [said] = left(await trainRun(spec, { ...options, backend, keep }));
    expect(said?.hint).toMatch(
      /^no step is kept: immersion resume '.*named, fails at .*' --backend auto begins again$/,
    );
    const { model, summary } = right(await resume(out, { data, backend: backends.cpu }));
    model.dispose();
    expect(summary).toMatchObject({ steps: STEPS, ran: [{ step: 0, backend: 'cpu' }] });
  });

  test('and fails after the last step is kept to its last checkpoint', async () => {
    const backend = failing(backends.cpu, { reads: 6 });
    const kept = { keep: keepIn('named last'), policy: fives };
    const [said] = left(await trainRun(spec, { ...options, backend, ...kept }));
    expect(said?.hint).toContain('the run is kept to step 20: ');
  });

  test('and fails where nothing is kept is what is told', async () => {
    const backend = failing(backends.wasm, { at: 3 });
    expect(left(await trainRun(spec, { ...options, backend }))).toEqual([
      problem('wasm step', 'no memory left', 'enough memory'),
    ]);
  });
});
