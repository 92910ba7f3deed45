/** The protocol of the table is the paper's, and a quick one is a part of it that has what the whole one chose. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readArguments } from '../../cli/options/arguments.js';
import { tableOptions, tableRequestOf } from '../../cli/options/table-options.js';
import { planTable } from '../../studies/paper/index.js';
import {
  adam,
  dense,
  experiment,
  flatten,
  hypersOf,
  input,
  network,
  pipe,
  reshape,
  setValues,
} from '../../dsl/index.js';
import { paperTableOf, protocol, type ProtocolRow } from '../../studies/paper/index.js';
import { settingsText } from '../../studies/paper/table-text.js';
import { paperModels } from '../../objectives/index.js';
import { gridSettings } from '../../runs/index.js';
import { right } from '../shared/either.js';

const combinations = (grid: Readonly<Record<string, readonly number[]>>): number =>
  Object.values(grid).reduce((product, { length }) => product * length, 1);

describe('the protocol', () => {
  test('has a row for each model, 43 configurations in all and 17 in a quick table', () => {
    expect(protocol.map(({ name }) => name)).toEqual(Object.keys(paperModels));
    expect(protocol.reduce((sum, { grid }) => sum + combinations(grid), 0)).toBe(43);
    expect(protocol.reduce((sum, { quick }) => sum + combinations(quick), 0)).toBe(17);
  });

  test('a quick search has what the whole table chose', () => {
    const [, section] = atLeast(2, readFileSync('docs/table-digits.md', 'utf8').split(/^## /m));
    const chosen = [...section.matchAll(/^\| (\S+) \|.*\| (.+) \|$/gm)].map(
      (match) => [elementAt(match, 1), elementAt(match, 2)] as const,
    );
    const tried = ({ quick }: ProtocolRow): readonly string[] => gridSettings(quick).map(settingsText);
    const missing = protocol.flatMap((row) =>
      chosen.filter(([name, text]) => name === row.name && !tried(row).includes(text)),
    );
    expect(chosen.slice(2).map(([name]) => name)).toEqual(protocol.map(({ name }) => name));
    expect(missing).toEqual([]);
  });

  const encoder = network('encoder', pipe(input(4, 4, 1), flatten, dense(2)));
  const decoder = network('decoder', pipe(input(2), dense(16), reshape(4, 4, 1)));

  test.each(protocol)(
    '$name has the hyper-parameters that are searched, and a quick search is part of the whole',
    (row) => {
      const spec = experiment({
        ...paperModels[row.name](encoder, decoder),
        optimizer: adam({ rate: 1e-3 }),
        batch: 2,
        steps: 1,
        data: 'digits',
      });
      const grid: Readonly<Record<string, readonly number[]>> = row.grid;
      for (const [name, values] of Object.entries(grid))
        for (const value of values) right(setValues(spec, { [name]: value }));
      for (const [name, values] of Object.entries(row.quick))
        expect(grid[name]).toEqual(expect.arrayContaining([...values]));
      expect(Object.keys(row.quick)).toEqual(Object.keys(row.grid));
    },
  );

  test.each([
    ['mnist', 'MNIST'],
    ['some/where/MNIST/', 'MNIST'],
    ['data/cifar-10-batches-bin', 'CIFAR-10'],
    ['img_align_celeba?size=64', 'CelebA'],
    ['fashion-mnist', undefined],
    ['digits', undefined],
  ])('%s is compared with %s', (reference, name) => {
    expect(paperTableOf(reference)?.name).toBe(name);
  });
});

describe('what is planned', () => {
  const planned = async (...words: readonly string[]) =>
    right(await planTable(right(await tableRequestOf(right(readArguments(words, tableOptions, []))))));

  test('of the digits are 43 configurations from 5 seeds as the paper trains them', async () => {
    const { trials, facts } = await planned();
    expect(trials).toHaveLength(43 * 5);
    expect(facts).toMatchObject({
      sizes: { train: 1199, validation: 299, test: 299 },
      seeds: [0, 1, 2, 3, 4],
      steps: 4000,
      batch: 128,
      draws: 11,
    });
    expect(facts.cuts).toBe(undefined);
    const fixed: Readonly<Record<string, readonly (readonly [string, number])[]>> = {
      VAE: [['sigma', 1]],
      'InjFlow-ln': [['eta', 0.1]],
      InjFlow: [
        ['eta', 0.1],
        ['lambda', 1],
      ],
    };
    for (const { row, trial } of trials) {
      const { batch, optimizer } = trial.spec;
      expect([batch, optimizer]).toEqual([128, adam({ rate: 1e-3 })]);
      expect(trial).toMatchObject({
        heldOut: 299,
        evaluation: { priors: ['gaussian', 'mixture'], components: 10, features: ['classifier', 'pixels'] },
      });
      const given = hypersOf(trial.spec);
      for (const [name, value] of fixed[row] ?? []) expect(given.get(name)).toBe(value);
    }
  });

  test.each([
    [['--quick'], 'a quarter of the steps, 3 seeds in place of 5, 17 of the 43 configurations'],
    [['--quick', '--rows', 'AE,CAE', '--seeds', '5'], 'a quarter of the steps, 3 of the 7 configurations'],
    [['--quick', '--steps', '9', '--seeds', '1'], '17 of the 43 configurations'],
  ])('%j says what it cuts', async (words, cuts) => {
    expect((await planned(...words)).facts.cuts).toBe(`${cuts}, so that the whole table may choose another`);
  });
});
