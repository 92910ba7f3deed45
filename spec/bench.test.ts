/** `npm run bench`: it says what there is, and a wrong word is one line. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { measurements, overview, usageOf } from '../bench/measurements.js';
import { type Measured, rows, speedTable, verdictOf } from '../bench/speed/rows.js';
import { root } from './shared/command.js';

const bench = (...words: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=immersion-source', '--import', 'tsx', join('bench', 'main.ts'), ...words],
    { cwd: root, encoding: 'utf8' },
  );
  return { code: status, out: stdout.trimEnd(), err: stderr.trimEnd() };
};

describe('the table of speed', () => {
  const nothing = 'it was not reached';
  const measured: Measured = {
    ...{ rate: 100, mlp: nothing, mnist16: nothing, mnist128: nothing, eighth: nothing, oneThread: nothing },
    ...{ rectangular: nothing, threads: nothing, ready: nothing },
    start: { cc: [1, 2, 1], before: [4, 4, 5] },
  };
  test('has a line for each row, measured or not', () => {
    const lines = speedTable(measured, () => 1).split('\n');
    expect(lines.length).toBe(rows.length + 2);
    expect(lines.find((line) => line.startsWith("| `npm start`'s training"))).toBe(
      "| `npm start`'s training, cc | wasm in tfjs's memory | 3 | 5 | 4.00 (2.00–5.00) | met | 1 |",
    );
    expect(lines.at(-1)).toContain('| not measured: it was not reached |');
  });
  test('tells what was wanted from what was found', () => {
    const [first] = rows;
    const last = rows.at(-1);
    if (first === undefined || last === undefined) throw new Error('no rows');
    expect([1.9, 2, 3].map((value) => verdictOf(first, value))).toEqual(['missed', 'met', 'aim']);
    expect([4.1, 4, 2].map((value) => verdictOf(last, value))).toEqual(['missed', 'met', 'aim']);
  });
});

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
