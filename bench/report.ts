/** What a benchmark found, as a table. */
import { elementAt } from '../dsl/lookup.js';
import type { Clock, Reading } from './measure.js';
import type { Call, Kind } from './profile.js';

export type Result = {
  readonly date: string;
  readonly backend: string;
  readonly node: string;
  readonly tfjs: string;
  readonly processor: string;
  readonly command: string;
  /** Channels, as a fraction of the paper's. */
  readonly width: number;
  readonly batch: number;
  readonly rounds: number;
  readonly clock: Clock;
  readonly subjects: readonly {
    readonly name: string;
    readonly flops: number;
    readonly seconds: Reading;
  }[];
  /** Rate of the InjFlow-ln step over that of tfjs's matrix product, and over ours. */
  readonly ofMatmul: Reading;
  readonly ofOurMatmul: Reading;
  readonly againstAutoencoder: {
    readonly times: Reading;
    readonly flops: number;
    /** Ratio of times over ratio of FLOPs: 1 when InjFlow costs exactly what it computes. */
    readonly excess: Reading;
  };
  readonly kinds: readonly Kind[];
  readonly calls: readonly Call[];
};

const giga = (value: number): string => (value / 1e9).toFixed(value < 1e10 ? 2 : 1);
const range = ({ median, least, most }: Reading, digits: number): string =>
  `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;

const table = (rows: readonly (readonly string[])[]): string => {
  const widths = elementAt(rows, 0).map((_, i) => Math.max(...rows.map((row) => elementAt(row, i).length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(elementAt(widths, i)) : cell.padStart(elementAt(widths, i))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

const rate = (flops: number, milliseconds: number): string =>
  flops === 0 ? '' : giga((flops / milliseconds) * 1000);

const cut = (text: string): string => (text.length <= 110 ? text : `${text.slice(0, 109)}…`);

export const report = (result: Result): string => {
  const total = result.kinds.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const share = (milliseconds: number): string => `${((100 * milliseconds) / total).toFixed(1)} %`;
  const { times, flops, excess } = result.againstAutoencoder;
  return [
    `${result.date}, ${result.backend}, tfjs ${result.tfjs}, Node ${result.node}, ${result.processor}`,
    `MNIST networks of the paper at ${result.width} of their width, batch ${result.batch}; medians of ${result.rounds} rounds in turns (least–most)`,
    result.command,
    '',
    table([
      ['', 'GFLOP', `seconds (${result.clock})`, 'GFLOP/s'],
      ...result.subjects.map(({ name, flops: own, seconds }) => [
        name,
        giga(own),
        range(seconds, 3),
        giga(own / seconds.median),
      ]),
    ]),
    '',
    table([
      ['InjFlow-ln step over matmul 1024, tfjs, GFLOP/s', range(result.ofMatmul, 2)],
      ['InjFlow-ln step over matmul 1024, ours, GFLOP/s', range(result.ofOurMatmul, 2)],
      ['InjFlow-ln step over AE step, time', range(times, 2)],
      ['InjFlow-ln step over AE step, FLOPs', flops.toFixed(2)],
      ['the one over the other (at most 1.15)', range(excess, 2)],
    ]),
    '',
    'where the InjFlow-ln step spends its time (each call: the least of 7, wall)',
    table([
      ['', 'calls', 'ms', '', 'GFLOP', 'GFLOP/s'],
      ...result.kinds.map(({ kind, calls, milliseconds, flops: own }) => [
        kind,
        String(calls),
        milliseconds.toFixed(1),
        share(milliseconds),
        own === 0 ? '' : giga(own),
        rate(own, milliseconds),
      ]),
    ]),
    '',
    'its ten dearest calls',
    ...result.calls.map(
      ({ call, milliseconds, flops: own }) =>
        `${milliseconds.toFixed(1).padStart(8)} ms ${rate(own, milliseconds).padStart(6)}${own === 0 ? '        ' : ' GFLOP/s'}  ${cut(call)}`,
    ),
  ].join('\n');
};
