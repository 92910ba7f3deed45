/** `npm run bench`: it says what there is, and a wrong word is one line. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { measurements, overview, usageOf } from '../bench/measurements.js';
import { root } from './shared/command.js';

const bench = (...words: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=immersion-source', '--import', 'tsx', join('bench', 'main.ts'), ...words],
    { cwd: root, encoding: 'utf8' },
  );
  return { code: status, out: stdout.trimEnd(), err: stderr.trimEnd() };
};

describe('the measurements', () => {
  test('are listed, all or one', () => {
    expect(bench('--help')).toEqual({ code: 0, out: overview(), err: '' });
    expect(bench('compile', '--help')).toEqual({ code: 0, out: usageOf('compile'), err: '' });
  }, 60_000);

  test.each([
    [['nonsense'], `bench: found "nonsense", expected ${Object.keys(measurements).join(', ')}`],
    [['--rounds', 'x'], 'bench: --rounds: found x, expected a number above 0'],
    [
      ['compile', '--depths', '4,a'],
      'bench: --depths: found 4,a, expected whole numbers above 0, separated by commas',
    ],
    [
      ['compile', '--fast'],
      "bench: options: found Unknown option '--fast', expected --json, --depths, --nets, --backends, --clock",
    ],
  ])(
    'called with %j say what is wrong in one line',
    (words, line) => {
      expect(bench(...words)).toEqual({ code: 1, out: '', err: line });
    },
    60_000,
  );
});
