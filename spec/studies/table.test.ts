/** The table: its figures are those that a hand computes, and a small one runs from end to end. */
import { atLeast } from '../../dsl/lookup.js';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { problem } from '../../dsl/index.js';
import {
  agreements,
  claims,
  compare,
  rowOf,
  type TableFacts,
  tableMarkdown,
  tableOf,
  tablePage,
  type TableTrial,
} from '../../studies/paper/index.js';
import type { Figures } from '../../runs/index.js';
import { json, run } from '../shared/command.js';

const score = 'frechet/pixels';

/** A trial whose scores are all made of one number. */
const trial = (
  row: TableTrial['row'],
  settings: TableTrial['settings'],
  seed: number,
  value: number,
  validation = value,
): TableTrial => {
  const measures: Figures = {
    [`validation/mixture/${score}`]: validation,
    [`test/reconstructions/${score}`]: value / 2,
    [`test/gaussian/${score}`]: value + 1 + seed / 10,
    [`test/mixture/${score}`]: value,
  };
  const result = {
    backend: 'wasm',
    provenance: { date: '2026-01-31', processor: 'one', versions: {} },
    steps: 1,
    missing: [],
    skipped: 0,
    seconds: 1,
    memory: 1,
    loss: 0,
    validation: {},
    measures,
  };
  return { row, settings, seed, folder: `trials/${row}-${seed}`, outcome: { _tag: 'Right', right: result } };
};

const failing = (row: TableTrial['row'], settings: TableTrial['settings'], seed: number): TableTrial => ({
  ...trial(row, settings, seed, 0),
  outcome: { _tag: 'Left', left: [problem('objective', 'NaN', 'a finite loss')] },
});

/** AE 3, 4, 5; InjFlow with prior 0 at 1, 3, 2, chosen by validation though prior 1 has better test scores. */
const trials: readonly TableTrial[] = [
  ...[3, 4, 5].map((value, seed) => trial('AE', {}, seed, value)),
  ...[1, 3, 2].map((value, seed) => trial('InjFlow', { prior: 0 }, seed, value, 1)),
  ...[0, 0, 0].map((value, seed) => trial('InjFlow', { prior: 1 }, seed, value, 2)),
  ...[0, 1].map((seed) => trial('InjFlow', { prior: 2 }, seed, 0, 0)),
  failing('InjFlow', { prior: 2 }, 2),
  failing('CAE', { contraction: 1 }, 0),
];

const facts: TableFacts = {
  command: 'immersion table --data digits',
  data: 'digits',
  sizes: { train: 10, validation: 3, test: 3 },
  shape: [8, 8, 1],
  networks: ['<perceptrons>'],
  seeds: [0, 1, 2],
  steps: 1,
  batch: 2,
  draws: 4,
  backend: 'wasm',
  processor: '2 × a processor',
  versions: { immersion: '1.2.3' },
  date: '2026-01-31',
  trainingSeconds: 9,
};

describe('the aggregation', () => {
  const table = tableOf(trials, [score], facts);

  test('chooses by validation among configurations that ended well for every seed', () => {
    const row = rowOf(
      'InjFlow',
      trials.filter((one) => one.row === 'InjFlow'),
      `validation/mixture/${score}`,
    );
    expect(row.chosen).toMatchObject({ settings: { prior: 0 }, validation: 1, of: 2 });
    expect(row.notes).toEqual(['prior 2: seed 2 failed: objective: found NaN, expected a finite loss']);
  });

  test('leaves a gap where nothing ended well', () => {
    expect(table.rows.map(({ name, chosen }) => [name, chosen !== undefined])).toEqual([
      ['AE', true],
      ['CAE', false],
      ['InjFlow', true],
    ]);
    expect(tableMarkdown(table)).toContain('| CAE | – | – | – | none (see the notes) |');
  });

  test('gives means, standard errors and paired intervals that are right', () => {
    // 3, 4, 5 has mean 4 and standard error 1/√3; 1, 3, 2 has mean 2.
    expect(tableMarkdown(table)).toContain(
      '| AE | 2.00 ± 0.29 | 5.10 ± 0.64 | 4.00 ± 0.58 | nothing to choose |',
    );
    // −2, −1, −3: mean −2, standard error 1/√3, t₂ = 4.30265.
    const claim = { lower: { row: 'InjFlow', of: 'mixture' }, higher: { row: 'AE', of: 'mixture' } } as const;
    const { difference, holds } = compare(table.rows, claim, score);
    expect(difference?.mean).toBeCloseTo(-2, 12);
    expect(difference?.standardError).toBeCloseTo(1 / Math.sqrt(3), 12);
    expect(difference?.interval?.[0]).toBeCloseTo(-2 - 4.30265 / Math.sqrt(3), 4);
    expect(holds).toBe('undecided');
    expect(tableMarkdown(table)).toContain(
      '| InjFlow GMM < AE GMM | −2.00 ± 0.58 | −4.48 … 0.48 | undecided |',
    );
    expect(
      compare(table.rows, { lower: claim.lower, higher: { row: 'InjFlow', of: 'gaussian' } }, score).holds,
    ).toBe('yes');
    expect(
      compare(
        table.rows,
        { lower: { row: 'AE', of: 'gaussian' }, higher: { row: 'AE', of: 'mixture' } },
        score,
      ).holds,
    ).toBe('no');
    expect(
      compare(table.rows, { lower: { row: 'CAE', of: 'mixture' }, higher: claim.lower }, score).difference,
    ).toBe(undefined);
  });

  test('counts the pairs that are ordered as in the paper', () => {
    // InjFlow below AE everywhere in the paper.
    expect(agreements(table.rows, 'mixture', score)).toEqual(
      ['MNIST', 'CIFAR-10', 'CelebA'].map((name) => ({ with: name, pairs: 1, alike: 1, tau: 1 })),
    );
  });

  test('states 13 comparisons of flows and 7 of priors, of those that there are rows for', () => {
    expect(claims).toHaveLength(2 * 6 + 1 + 7);
    expect(table.comparisons[score]).toHaveLength(5);
  });

  test('shows the paper’s figures beside ours where the data is the same', () => {
    const same = tableMarkdown(tableOf(trials, [score], { ...facts, data: 'mnist' }));
    expect(same).toContain(
      '| AE | 2.00 ± 0.29 | 5.10 ± 0.64 | 4.00 ± 0.58 | 8.69 | 43.4 | 12.14 | nothing to choose |',
    );
  });

  test('says where the penalties of the flows end, here and in the paper', () => {
    const text = tableMarkdown(tableOf(trials, [score], { ...facts, steps: 4001 }));
    expect(text).toContain(
      "in the end 5 (ν = 1) or 49.2 (ν = 1.3); after the paper's 100,000 steps they are 101 (ν = 1) or 3163 (ν = 1.3).",
    );
    const without = trials.filter(({ row }) => row !== 'InjFlow');
    expect(tableMarkdown(tableOf(without, [score], facts))).not.toContain('penalties');
  });

  test('shows volumes, bounds and injectivity, and log-densities where the true ones are known', () => {
    const measured = (more: Figures): string =>
      tableMarkdown(
        tableOf(
          [1, 2].map((seed) => {
            const one = trial('AE', {}, seed, 1);
            if (one.outcome?._tag !== 'Right') throw new Error('no result');
            const measures = {
              ...one.outcome.right.measures,
              ...more,
              'test/volume': -seed,
              'test/violations': 1,
            };
            return { ...one, outcome: { ...one.outcome, right: { ...one.outcome.right, measures } } };
          }),
          [score],
          facts,
        ),
      );
    const usual = measured({ 'test/excess/linear': 3 });
    expect(usual).toContain('| AE | −1.50 ± 0.50 | – | – | 3 |\n');
    expect(usual).toContain('| AE | 1 | – | – | – | – |');
    expect(measured({ 'test/logDensity': -7, 'test/trueLogDensity': -8 })).toContain(
      '| AE | −1.50 ± 0.50 | – | – | – | −7 | −8 |\n',
    );
  });

  test('makes a page that refers to nothing outside itself', () => {
    const uri = 'data:image/png;base64,AAAA';
    const pictures = {
      originals: uri,
      rows: [{ row: 'AE', mixture: uri, gaussian: uri, reconstructions: uri }],
    };
    const page = tablePage(table, pictures);
    expect(page).toContain('&lt;perceptrons&gt;');
    expect(page).toContain('4.00 ± 0.58');
    expect([...page.matchAll(/<img src="([^"]*)"/g)].map(([, source]) => source)).toEqual([
      uri,
      uri,
      uri,
      uri,
    ]);
    expect(page).not.toMatch(/https?:|<script|<link|@import|url\(|undefined/);
  });
});

describe('the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'immersion-table-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('makes a small table, and makes it again without training', async () => {
    const out = join(folder, 'table');
    const args = [
      'table',
      '--rows',
      'VAE,AE',
      '--steps',
      '20',
      '--seeds',
      '1',
      '--features',
      'pixels',
      '--backend',
      'wasm',
      '--out',
      out,
    ];
    const first = await run(...args, '--json');
    expect(first.stderr.at(-1)).toMatch(/^the table is in /);
    expect(first.code).toBe(0);
    const result = json(first.stdout);
    expect(result).toMatchObject({
      ok: true,
      table: {
        scores: ['frechet/pixels'],
        facts: {
          command: 'immersion table --rows VAE,AE --steps 20 --seeds 1 --features pixels --backend wasm',
          steps: 20,
        },
        rows: [
          { name: 'VAE', notes: [] },
          { name: 'AE', notes: [] },
        ],
      },
    });
    expect(readdirSync(out).sort()).toEqual(['table.html', 'table.json', 'table.md', 'trials']);
    const page = readFileSync(join(out, 'table.html'), 'utf8');
    expect([...page.matchAll(/<img src="data:image\/png/g)]).toHaveLength(2 * 3 + 1);
    const again = await run(...args);
    expect(again.stderr).toContain('2 of 2 were done before');
    expect(again.stdout).toBe(readFileSync(join(out, 'table.md'), 'utf8'));

    // Results that were made elsewhere are said to be from there.
    const provenance = { date: '2025-12-31', processor: '64 × another', versions: { immersion: '0.0.9' } };
    const [path] = atLeast(
      1,
      readdirSync(join(out, 'trials')).map((key) => join(out, 'trials', key, 'result.json')),
    );
    const kept = json(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...kept, result: { ...Object(kept.result), provenance } }));
    const { facts } = Object(json((await run(...args, '--json')).stdout).table);
    expect(facts.date).toMatch(/^2025-12-31 to \d{4}-\d\d-\d\d$/);
    expect(facts.processor.split(', ')).toContain('64 × another');
    expect(facts.versions.immersion.split(', ')).toContain('0.0.9');
  });

  test.each([
    [['--rows', 'AE,CEA'], /^--rows: found "CEA", expected some of VAE, .*did you mean/],
    [
      ['--features', 'pixel'],
      /^features: found "pixel", expected pixels, raw, classifier, .*did you mean "pixels"/,
    ],
    [
      ['--data', 'circle', '--features', 'classifier'],
      /^features: found no labels in circle.*\(use "pixels"\)$/,
    ],
    [['--seeds', '0'], /^--seeds: found "0", expected a positive integer$/],
    [['--data', 'digitz'], /^data: found "digitz".*did you mean "digits"/],
    [
      ['--spec', 'examples/mnist.ts'],
      /encoder\.input: found \[28,28,1\], expected \[8,8,1\], the shape of the examples$/,
    ],
  ])('%j is one line and exit code 1', async (words, line) => {
    const { code, stderr } = await run('table', ...words, '--out', join(folder, 'never'));
    expect(stderr).toEqual([expect.stringMatching(line)]);
    expect(code).toBe(1);
    expect(readdirSync(folder)).not.toContain('never');
  });
});
