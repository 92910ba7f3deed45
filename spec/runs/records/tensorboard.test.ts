/** Event files: frames and checksums by the format's own figures, and what TensorBoard itself reads of a run. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeExperiment } from '../../../dsl/index.js';
import { eventsOf, isStep, isValidation } from '../../../runs/index.js';
import { maskedChecksum } from '../../../runs/records/tensorboard/event-file.js';
import { linear, run } from '../../shared/command.js';
import { right } from '../../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-tensorboard-'));
const out = join(folder, 'run');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The CRC-32C behind its mask. */
const checksum = (text: string): number => {
  const turned = (maskedChecksum(Buffer.from(text)) - 0xa282ead8) >>> 0;
  return ((turned << 15) | (turned >>> 17)) >>> 0;
};

test('a checksum is the CRC-32C of RFC 3720', () => {
  expect(checksum('123456789')).toBe(0xe3069283);
  expect(checksum('\0'.repeat(32))).toBe(0x8a9136aa);
});

/** A Python that has PyPI's tensorboard; that of the exports has, since TensorFlow depends on it. */
const python = process.env['IMMERSION_PYTHON'];

test.runIf(process.env['IMMERSION_REQUIRE_NATIVE'] === '1')(
  'TensorBoard is there to read what was written',
  () => {
    expect(python).toBeDefined();
  },
);

describe.skipIf(python === undefined)(
  'TensorBoard (IMMERSION_PYTHON names an interpreter that has it) reads',
  () => {
    let read: Readonly<
      Record<
        string,
        {
          readonly scalars: Readonly<Record<string, readonly (readonly [number, number])[]>>;
          readonly images: Readonly<Record<string, readonly (readonly [number, number, number])[]>>;
          readonly histograms: Readonly<Record<string, readonly (readonly [number, number])[]>>;
        }
      >
    > = {};

    beforeAll(async () => {
      const spec = join(folder, 'spec.json');
      writeFileSync(spec, JSON.stringify(right(encodeExperiment(linear(8, 8)))));
      const words = ['--tensorboard', '--backend', 'wasm'];
      expect((await run('train', spec, ...words, '--out', out)).code).toBe(0);
      expect((await run('resume', out, '--steps', '3', ...words)).code).toBe(0);
      const script = [
        'import json, sys, os',
        'from tensorboard.backend.event_processing import event_accumulator as e',
        'result = {}',
        'for name in os.listdir(sys.argv[1]):',
        '  a = e.EventAccumulator(os.path.join(sys.argv[1], name), size_guidance={k: 0 for k in e.DEFAULT_SIZE_GUIDANCE})',
        '  a.Reload()',
        '  tags = a.Tags()',
        '  result[name] = dict(',
        '    scalars={t: [(s.step, s.value) for s in a.Scalars(t)] for t in tags["scalars"]},',
        '    images={t: [(s.step, s.width, s.height) for s in a.Images(t)] for t in tags["images"]},',
        '    histograms={t: [(s.step, s.histogram_value.num) for s in a.Histograms(t)] for t in tags["histograms"]})',
        'print(json.dumps(result))',
      ].join('\n');
      const ended = spawnSync(python ?? 'python3', ['-c', script, join(out, 'tensorboard')], {
        encoding: 'utf8',
      });
      expect(ended.stderr.includes('Traceback') ? ended.stderr : '').toBe('');
      read = JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '{}');
    }, 120_000);

    test('every step and every validation with the figures of the record, also where a run goes on', async () => {
      expect(readdirSync(join(out, 'tensorboard', 'train'))).toHaveLength(2);
      const events = await eventsOf(out);
      const single = (value: number): number => Math.fround(value);
      expect(read['train']?.scalars['loss']).toEqual(
        events.filter(isStep).map(({ step, loss }) => [step + 1, single(loss)]),
      );
      expect(read['validation']?.scalars['terms/reconstruction']).toEqual(
        events.filter(isValidation).map(({ step, terms }) => [step, single(terms['reconstruction'] ?? NaN)]),
      );
      expect(Object.keys(read['train']?.scalars ?? {})).toEqual(
        expect.arrayContaining(['optimizer/rate', 'optimizer/gradient norm', 'unweighted/reconstruction']),
      );
      expect(read['test']?.scalars['loss']).toHaveLength(2);
    });

    test('pictures and the distribution of every array of weights', () => {
      const { images, histograms } = read['validation'] ?? {};
      expect(images?.['samples/standard']?.at(0)).toEqual([0, 8 * 9 - 1, 8 * 9 - 1]);
      expect(Object.keys(images ?? {})).toHaveLength(3);
      const kernel = Object.keys(histograms ?? {}).find(
        (name) => name.includes('decoder') && name.includes('kernel'),
      );
      expect(histograms?.[kernel ?? '']?.at(0)).toEqual([0, 3 * 64]);
    });
  },
);

test('a folder that cannot hold event files is said, and training goes on', async () => {
  const spec = join(folder, 'spec.json');
  writeFileSync(spec, JSON.stringify(right(encodeExperiment(linear(8, 8)))));
  expect((await run('train', spec, '--backend', 'wasm', '--out', join(folder, 'other'))).code).toBe(0);
  writeFileSync(join(folder, 'other', 'tensorboard'), 'a file');
  const { code, stderr } = await run(
    'resume',
    join(folder, 'other'),
    '--steps',
    '2',
    '--tensorboard',
    '--backend',
    'wasm',
  );
  expect(code).toBe(0);
  expect(stderr.join('\n')).toMatch(/nothing more for TensorBoard: .*tensorboard/);
  expect(readFileSync(join(folder, 'other', 'tensorboard'), 'utf8')).toBe('a file');
});
