/** Progress for people tells rates that there are: those of this process's own steps. */
import { describe, expect, test } from 'vitest';
import { createProgress } from '../../../runs/records/progress.js';
import type { StepEvent } from '../../../runs/index.js';
import { linear } from '../../shared/command.js';

const step = (at: number, seconds: number): StepEvent => ({
  tag: 'step',
  step: at,
  loss: 1,
  terms: {},
  gradientNorm: 1,
  rate: 1e-3,
  committed: true,
  seconds,
});

/** Lines of steps from one on, ten in a second, after so many seconds. */
const linesFrom = (first: number, steps: number, before: number, isTTY: boolean): readonly string[] => {
  const written: string[] = [];
  const screen = { isTTY, columns: 200, write: (text: string) => written.push(text) };
  const { onEvent, end } = createProgress(screen, { ...linear(8, 8), steps });
  for (let at = first; at < steps; at++) onEvent(step(at, before + (at - first + 1) / 10));
  end();
  return written.filter((text) => text.trim() !== '');
};

const ratesOf = (lines: readonly string[]): readonly number[] =>
  lines.flatMap((line) => [...line.matchAll(/(\S+) steps\/s/g)].map(([, rate]) => Number(rate)));

describe.each([true, false])('on a terminal: %s', (isTTY) => {
  test.each([
    ['begins', 0, 100, 0],
    ['goes on', 57, 100, 3600],
    ['goes on near its end', 98, 100, 3600],
  ])('a run that %s has the rate of its steps from the first line on', (_, first, steps, before) => {
    const lines = linesFrom(first, steps, before, isTTY);
    const rates = ratesOf(lines);
    expect(rates.length).toBeGreaterThan(0);
    for (const rate of rates) expect(rate).toBeCloseTo(10, 0);
    expect(lines.at(-1)).toContain(`${steps}/${steps}`);
  });

  test('one step more is said without a rate', () => {
    const lines = linesFrom(99, 100, 3600, isTTY);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('100/100');
    expect(ratesOf(lines)).toEqual([]);
  });
});

test('a run that goes on says no tenth that was over before', () => {
  expect(linesFrom(57, 100, 3600, false).map((line) => line.trim().split(' ')[0])).toEqual([
    '60%',
    '70%',
    '80%',
    '90%',
    '100%',
  ]);
});
