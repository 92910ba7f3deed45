/** A kept result is one of the same data and the same program: what a trial reads is pinned by its content. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect, test as example } from 'vitest';
import { digestOf, pathOf } from '../../../data/index.js';
import { encodeExperiment } from '../../../dsl/index.js';
import { evaluationCodec, plainEvaluation } from '../../../evaluation/index.js';
import { digestsOf, encodeTrial, inputOf, fingerprintOf, type Trial } from '../../../runs/index.js';
import { json, linear, run } from '../../shared/command.js';
import { left, right } from '../../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-fingerprint-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = fc.tuple(fc.constantFrom('a', 'b', 'c/d', 'c/e'), fc.string({ maxLength: 3 }));
const files = fc.uniqueArray(file, { maxLength: 4, selector: ([name]) => name });
type Files = readonly (readonly [string, string])[];

const written = (all: Files): string => {
  const path = mkdtempSync(join(folder, 'files-'));
  for (const [name, text] of all) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
};

const sorted = (all: Files): string => JSON.stringify([...all].sort(([a], [b]) => (a < b ? -1 : 1)));

test.prop([files, files])(
  'two folders have one digest where they hold the same, and only there',
  async (a, b) => {
    const [first, second] = [written(a), written([...b].reverse())];
    const same = right(await digestOf(first)()) === right(await digestOf(`${second}/`)());
    expect(same).toBe(sorted(a) === sorted(b));
    const [here] = a;
    if (here !== undefined)
      expect(right(await digestOf(join(first, here[0]))())).toBe(
        right(await digestOf(join(written([['other', here[1]]]), 'other'))()),
      );
  },
);

example('hidden files do not count, and what is not there is a problem', async () => {
  const path = written([['a', '1']]);
  const before = right(await digestOf(path)());
  writeFileSync(join(path, '.DS_Store'), 'x');
  expect(right(await digestOf(path)())).toBe(before);
  expect(left(await digestOf(join(path, 'b'))())[0]).toMatchObject({ found: 'no such file' });
});

example('what a link leads to counts, and one that leads back ends', async () => {
  const [elsewhere, path] = [written([['d', '1']]), written([['a', '1']])];
  symlinkSync(elsewhere, join(path, 'c'));
  symlinkSync(path, join(path, 'back'));
  const linked = right(await digestOf(path)());
  expect(linked).toBe(right(await digestOf(written([['a', '1'], ['c/d', '1']]))())); // prettier-ignore
  writeFileSync(join(elsewhere, 'd'), '2');
  expect(right(await digestOf(path)())).not.toBe(linked);
});

example('only what is on disk is an input', () => {
  expect(['digits', 'circle?kappa=2', 'table.csv?labels=a', 'a/b'].flatMap(inputOf)).toEqual([
    'table.csv',
    'a/b',
  ]);
  expect(pathOf('digits')).toBe(undefined);
});

const csv = join(folder, 'table.csv');
const rows = (factor: number): string =>
  Array.from({ length: 80 }, (_, row) =>
    [...Array(64).keys()].map((i) => factor * Math.sin(row + i)).join(','),
  ).join('\n');
const flat = { ...linear(8, 8), data: `${csv}?holdOut=4` };
const spec = join(folder, 'spec.json');
const shapeless = JSON.stringify(right(encodeExperiment(flat)));
// A row of a table has the shape [64].
writeFileSync(spec, shapeless.replaceAll('[8,8,1]', '[64]'));

describe('a sweep', () => {
  example('goes on with the same file, and begins anew where its content is another', async () => {
    const sweep = () =>
      run('sweep', spec, '--backend', 'wasm', '--steps', '2', '--out', join(folder, 'out'), '--json');
    writeFileSync(csv, rows(1));
    const first = await sweep();
    expect(first.stderr).not.toContain('1 of 1 were done before');
    expect(first.code).toBe(0);
    renameSync(csv, `${csv}.moved`);
    writeFileSync(csv, rows(1));
    const same = await sweep();
    expect(same.stderr).toContain('1 of 1 were done before');
    expect(same.stdout).toBe(first.stdout);
    writeFileSync(csv, rows(2));
    const other = await sweep();
    expect(other.stderr).not.toContain('1 of 1 were done before');
    const figures = (text: string): unknown => Object(Object(json(text).trials)[0]).result.measures;
    expect(figures(other.stdout)).not.toEqual(figures(first.stdout));
  });
});

describe('a trial', () => {
  const trialAt = async (
    fingerprint: (found: NonNullable<Trial<unknown>['fingerprint']>) => Trial<unknown>['fingerprint'],
  ): Promise<string> => {
    writeFileSync(csv, rows(1));
    const found = fingerprintOf([csv], await digestsOf([csv, join(folder, 'nowhere.csv')]));
    const made = fingerprint(found);
    const trial = {
      spec: { ...linear(8, 8), steps: 1 },
      settings: {},
      seed: 0,
      heldOut: 0.2,
      backend: 'wasm',
      device: 'auto',
      evaluation: plainEvaluation,
      ...(made === undefined ? {} : { fingerprint: made }),
    };
    const path = join(mkdtempSync(join(folder, 'trial-')), 'trial.json');
    writeFileSync(path, JSON.stringify(right(encodeTrial(evaluationCodec)(trial))));
    return path;
  };

  example('runs where all is as it was pinned, or nothing is pinned', async () => {
    expect((await run('trial', await trialAt((fingerprint) => fingerprint))).code).toBe(0);
    expect((await run('trial', await trialAt(() => undefined))).code).toBe(0);
  });

  example('says what is not, and keeps no result of it', async () => {
    const path = await trialAt((fingerprint) => ({ ...fingerprint, version: '0.0.0' }));
    writeFileSync(csv, rows(3));
    const { code, stderr } = await run('trial', path);
    expect(code).toBe(1);
    expect(stderr).toEqual([
      expect.stringMatching(
        /^immersion: found version \d+\.\d+\.\d+, expected 0\.0\.0, as when the trial was made$/,
      ),
      expect.stringMatching(
        /table\.csv: found content [0-9a-f]{12}…, expected [0-9a-f]{12}…, .*\(start the sweep again\)$/,
      ),
    ]);
    expect(json(readFileSync(join(dirname(path), 'result.json'), 'utf8')).ok).toBe(false);
  });
});
