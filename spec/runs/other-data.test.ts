/** A run that goes on elsewhere: with data that has moved, and with other data, which it is validated and tested on from then on. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { adam, dense, experiment, input, network, pipe } from '../../dsl/index.js';
import { ae } from '../../objectives/index.js';
import { fit, readRun, resume, type TrainEvent } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { left, right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-other-data-'));
afterAll(() => rmSync(folder, { recursive: true }));

const backend = backends.wasm;
const table = (rows: number, shift: number): string =>
  `height,weight\n${Array.from({ length: rows }, (_, i) => `${100 + shift + (i % 17)},${5 + ((i * 7) % 13) / 10}`).join('\n')}\n`;
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return `${join(folder, name)}?standardize`;
};
const [one, other] = [file('one.csv', table(120, 0)), file('other.csv', table(240, 3))];

const encoder = network('encoder', pipe(input(2), dense(1)));
const decoder = network('decoder', pipe(input(1), dense(2)));
const spec = experiment({
  encoder,
  decoder,
  objective: ae(encoder, decoder),
  optimizer: adam({ rate: 1e-2 }),
  batch: 8,
  steps: 20,
  data: one,
});
const trained = async (name: string): Promise<string> => {
  const out = join(folder, name);
  right(await fit(spec, { out, backend, seed: 3 })).dispose();
  return out;
};
const sizes = (out: string) => right(readRun(out)).settings?.data.sizes;

test('other data is parted as new data is, standardized as the run has it, and remembered', async () => {
  const out = await trained('whole');
  expect(sizes(out)).toEqual({ train: 90, validation: 10, test: 20 });
  expect(left(await resume(out, { steps: 10, backend, data: other }))).toMatchObject([{ path: 'data' }]);
  const before = readFileSync(join(out, 'preprocessing.json'));
  const events: TrainEvent[] = [];
  const more = right(
    await resume(out, {
      steps: 40,
      backend,
      data: other,
      otherData: true,
      onEvent: (event) => void events.push(event),
    }),
  );
  expect(sizes(out)).toEqual({ train: 180, validation: 20, test: 40 });
  expect(more.data.test.size).toBe(40);
  expect(events.filter(({ tag }) => tag === 'test')).toHaveLength(1);
  expect(readFileSync(join(out, 'preprocessing.json')).equals(before)).toBe(true);

  // The same, ended on its way: it goes on with the other data without being told again, to the same bits.
  const ended = await trained('ended');
  const controller = new AbortController();
  const first = right(
    await resume(ended, {
      steps: 40,
      backend,
      data: other,
      otherData: true,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.tag === 'step' && event.step === 33) controller.abort();
      },
    }),
  );
  expect(first.summary).toMatchObject({ end: 'interrupted', steps: 34 });
  const rest = right(await resume(ended, { backend }));
  expect(rest.summary.steps).toBe(60);
  expect((await rest.model.state()).arrays).toEqual((await more.model.state()).arrays);
  [more.model, first.model, rest.model].forEach((model) => model.dispose());
});

test('data that has moved is looked for where it was found last', async () => {
  const out = await trained('moved');
  renameSync(join(folder, 'one.csv'), join(folder, 'elsewhere.csv'));
  expect(left(await resume(out, { steps: 5, backend }))[0]?.hint).toContain('--data');
  const data = `${join(folder, 'elsewhere.csv')}?standardize`;
  right(await resume(out, { steps: 5, backend, data })).model.dispose();
  right(await resume(out, { steps: 5, backend })).model.dispose();
});
