/** What the guards of a step cost where none of them acts: whole steps of the authors' tables with their guards and without, in turns. */
import { atLeast } from '../dsl/lookup.js';
import type { Compiled } from 'immersion/compiler';
import type { Backend } from 'immersion/runs';
import { type Clock, quotients, type Reading, summary } from './measure.js';
import { compiledTable, type Table } from './peers/rectangular.js';
import { inFolder, inTurns, ours } from './peers/steppers.js';

/** A step of a table one way. */
export type Guarded = {
  readonly table: string;
  readonly way: string;
  readonly milliseconds: Reading;
  /** Time with guards over time without. */
  readonly quotient: Reading;
  /** The greatest share of the batch that a guard acted on at the first step. */
  readonly acted: number;
};

/** The same step without what it says of its guards: a graph runs what its outputs need. */
const withoutGuards = (compiled: Compiled): Compiled => ({
  ...compiled,
  step: { ...compiled.step, outputs: compiled.step.outputs.filter(({ kind }) => kind !== 'guard') },
});

export const measureGuards = async (
  backend: Backend,
  tables: readonly Table[],
  options: { readonly rounds: number; readonly seconds: number; readonly clock: Clock },
): Promise<readonly Guarded[]> => {
  const found: Guarded[] = [];
  for (const table of tables) {
    const ways = {
      exact: compiledTable(table, 'exact'),
      'stochastic, factor': compiledTable(table, 'stochastic'),
      'stochastic, conjugate gradients': compiledTable(table, 'stochastic', table.d),
    };
    for (const [way, compiled] of Object.entries(ways))
      found.push(
        await inFolder(table, async (folder) => {
          const start = (one: Compiled) => ours(backend, way, one, folder, options.clock);
          const [guarded, free] = [await start(compiled), await start(withoutGuards(compiled))];
          const [own, other] = atLeast(2, await inTurns([guarded, free], options));
          [guarded, free].forEach(({ end }) => end());
          const acted = Math.max(0, ...Object.values(guarded.guards));
          const reading = { milliseconds: summary(own), quotient: summary(quotients(own, other)) };
          return { table: table.name, way, acted, ...reading };
        }),
      );
  }
  return found;
};

export const showGuards = (found: readonly Guarded[]): string =>
  [
    '',
    '| table | volume | ms a step | times without guards | acted on |',
    '|---|---|--:|--:|--:|',
    ...found.map(({ table, way, milliseconds, quotient: { median, least, most }, acted }) => {
      const times = `${median.toFixed(3)} (${least.toFixed(3)}–${most.toFixed(3)})`;
      return `| ${table} | ${way} | ${milliseconds.median.toFixed(1)} | ${times} | ${acted} |`;
    }),
  ].join('\n');
