/** What commands say fits the terminal that it is for, and nothing is left out. */
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { dispatch } from '../../cli/commands.js';
import { aligned, columnsOf, wrapped } from '../../cli/terminal/width.js';

afterEach(() => vi.restoreAllMocks());

const words = (lines: readonly string[]): string => lines.join(' ').split(/\s+/).filter(Boolean).join(' ');

describe('a line', () => {
  const text = fc.array(fc.stringMatching(/^\S{1,20}$/), { maxLength: 30 }).map((all) => all.join(' '));

  test('is wrapped between words, the rest further in', () => {
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 30, max: 100 }),
        fc.integer({ min: 0, max: 8 }),
        (line, columns, in_) => {
          const lines = wrapped(line, columns, in_);
          expect(lines.filter((one) => one.length > columns)).toEqual([]);
          expect(words(lines)).toBe(words([line]));
          expect(lines.slice(1).every((one) => one.search(/\S/) === in_)).toBe(true);
        },
      ),
    );
  });

  test('that fits stays what it is', () => {
    expect(wrapped('  a  b', 80, 4)).toEqual(['  a  b']);
    expect(wrapped('', 80)).toEqual(['']);
  });

  test('of one long word stays whole', () => {
    expect(wrapped(`the run is in ${'a'.repeat(90)}`, 80, 2)).toEqual([
      'the run is in',
      `  ${'a'.repeat(90)}`,
    ]);
  });
});

test('a cell that is too long goes on below itself', () => {
  const rows = [
    ['0', 'coupling of the last half', '12 k'],
    ['1', 'dense', '3'],
  ];
  expect(aligned(rows, { isRight: (i) => i === 2, flexible: 1, columns: 24 })).toEqual([
    '0  coupling of the  12 k',
    '   last half',
    '1  dense               3',
  ]);
});

test.each([
  [{ isTTY: true, columns: 120 }, 120],
  [{ isTTY: true, columns: 10 }, 40],
  [{ isTTY: true, columns: 0 }, 80],
  [{ columns: 120 }, 80],
  [{}, 80],
])('%j has %i columns', (stream, columns) => {
  expect(columnsOf(stream)).toBe(columns);
});

const commands = [
  ...['start', 'train', 'resume', 'evaluate', 'encode', 'sample', 'report', 'runs', 'sweep', 'table'],
  ...['trial', 'data', 'explain', 'export', 'doctor', 'completion', 'help', ''],
];

describe.each([
  { isTTY: true, columns: 80 },
  { isTTY: true, columns: 120 },
  { isTTY: false, columns: undefined },
])('on a stdout that is %j', ({ isTTY, columns }) => {
  test.each(commands)('help %s fits', async (command) => {
    let written = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => ((written += String(chunk)), true));
    const { stdout } = process;
    vi.stubGlobal(
      'process',
      Object.create(process, {
        stdout: { value: Object.create(stdout, { isTTY: { value: isTTY }, columns: { value: columns } }) },
      }),
    );
    expect(await dispatch(['help', ...(command === '' ? [] : [command])])).toBe(0);
    vi.unstubAllGlobals();
    // eslint-disable-next-line no-control-regex
    const lines = written.replaceAll(/\x1b\[\d+m/g, '').split('\n');
    expect(lines.filter((line) => line.length > (columns ?? 80))).toEqual([]);
  });
});
