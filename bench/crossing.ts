/**
 * Where the stochastic volume begins to cost less than the exact one: whole steps for d = 2 … 50 of 2d + 1 dimensions, the
 * surrogate's system by the factor and by conjugate gradients, beside what the compiler's costs say.
 */
import { atLeast, elementAt } from '../dsl/lookup.js';
import { type Compiled, costOf, volumeCost } from 'immersion/compiler';
import type { Backend } from 'immersion/runs';
import { type Clock, quotients, type Reading, summary } from './measure.js';
import { compiledTable, type Table } from './peers/rectangular.js';
import { inFolder, inTurns, ours } from './peers/steppers.js';

/** An alternative to the exact volume at each d: time and costs over those of the exact one. */
type Alternative = {
  readonly measured: Reading;
  /** Products with J of the volume alone, as the compiler compares them. */
  readonly products: number;
  /** Of the whole step. */
  readonly flops: number;
};

export type Crossing = {
  readonly table: Table;
  readonly exact: Reading;
  readonly alternatives: Readonly<Record<'factor' | 'conjugate gradients', Alternative>>;
  /** Products with JᵀJ that an example takes to a relative residual of 1e-6, at most d. */
  readonly rounds: number;
};

const sizes = [2, 5, 10, 20, 50];

const measureAt = async (
  backend: Backend,
  d: number,
  options: { readonly rounds: number; readonly seconds: number; readonly clock: Clock },
): Promise<Crossing> => {
  const table: Table = { name: `d = ${d}`, d, D: 2 * d + 1, batch: 400 };
  const ways = {
    exact: compiledTable(table, 'exact'),
    factor: compiledTable(table, 'stochastic'),
    iterative: compiledTable(table, 'stochastic', d),
  };
  return inFolder(table, async (folder) => {
    const start = (name: string, compiled: Compiled) => ours(backend, name, compiled, folder, options.clock);
    const exact = await start('exact', ways.exact);
    const factor = await start('stochastic, factor', ways.factor);
    const iterative = await start('stochastic, conjugate gradients', ways.iterative);
    const all = [exact, factor, iterative];
    const [base, byFactor, byRounds] = atLeast(3, await inTurns(all, options));
    all.forEach(({ end }) => end());
    const flops = (compiled: Compiled): number => costOf(compiled.step).flops / costOf(ways.exact.step).flops;
    const products = (iterations?: number): number => {
      const { exact: columns, stochastic } = volumeCost(table, 'auto', 1, iterations);
      return (stochastic?.products ?? NaN) / columns;
    };
    return {
      table,
      exact: summary(base),
      rounds: iterative.diagnosis['volume/rounds'] ?? NaN,
      alternatives: {
        factor: {
          measured: summary(quotients(byFactor, base)),
          products: products(),
          flops: flops(ways.factor),
        },
        'conjugate gradients': {
          measured: summary(quotients(byRounds, base)),
          products: products(d),
          flops: flops(ways.iterative),
        },
      },
    };
  });
};

/** The d at which a quotient falls to 1, on straight lines between logarithms. */
const crossingOf = (quotientsOf: readonly { readonly d: number; readonly quotient: number }[]): string => {
  const at = quotientsOf.findIndex(({ quotient }) => quotient <= 1);
  if (at < 0) return `above ${quotientsOf.at(-1)?.d}`;
  if (at === 0) return `at most ${elementAt(quotientsOf, 0).d}`;
  const [before, after] = atLeast(
    2,
    quotientsOf.slice(at - 1, at + 1).map(({ d, quotient }) => ({
      x: Math.log(d),
      y: Math.log(quotient),
    })),
  );
  return Math.exp(before.x + ((after.x - before.x) * before.y) / (before.y - after.y)).toPrecision(2);
};

export const measureCrossing = async (
  backend: Backend,
  options: { readonly rounds: number; readonly seconds: number; readonly clock: Clock },
): Promise<readonly Crossing[]> => {
  const found: Crossing[] = [];
  for (const d of sizes) found.push(await measureAt(backend, d, options));
  return found;
};

const range = ({ median, least, most }: Reading): string =>
  `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;

export const showCrossing = (found: readonly Crossing[]): string => {
  const ways = ['factor', 'conjugate gradients'] as const;
  const crossing = (value: (one: Crossing) => number): string =>
    crossingOf(found.map((one) => ({ d: one.table.d, quotient: value(one) })));
  return ways
    .flatMap((way) => [
      '',
      `**The surrogate by ${way}**, over the exact volume`,
      '',
      `| d | exact, ms | time | FLOPs | products with J | ${way === 'factor' ? '' : 'rounds |'}`.trimEnd(),
      `|--:|--:|--:|--:|--:|${way === 'factor' ? '' : '--:|'}`,
      ...found.map(({ table: { d }, exact, alternatives, rounds }) => {
        const { measured, flops, products } = alternatives[way];
        const end = way === 'factor' ? '' : ` ${rounds.toFixed(1)} |`;
        return `| ${d} | ${exact.median.toFixed(1)} | ${range(measured)} | ${flops.toFixed(2)} | ${products.toFixed(2)} |${end}`;
      }),
      `| crossing | | ${crossing((one) => one.alternatives[way].measured.median)} | ${crossing((one) => one.alternatives[way].flops)} | ${crossing((one) => one.alternatives[way].products)} |${way === 'factor' ? '' : ' |'}`,
    ])
    .join('\n');
};
