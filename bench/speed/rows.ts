/** The rows of the table of speed: what is compared with what, what is wanted, and how the ratio comes out of what the measurements found. */
import { elementAt } from '../../dsl/lookup.js';
import { quotients, type Reading, summary } from '../measure.js';
import type { PeersResult, WorkloadResult } from '../peers/report.js';
import type { Ready } from '../ready/by-net.js';

/** The part of `bench -- rectangular --json` that is read here. */
export type RectangularResult = {
  readonly results: readonly {
    readonly table: { readonly d: number };
    readonly rows: readonly {
      readonly method: string;
      readonly way?: string;
      readonly timesOurs?: Reading;
    }[];
  }[];
};

/** The part of `bench -- threads --json`. */
export type ThreadsResult = {
  readonly results: readonly {
    readonly name: string;
    readonly by: readonly { readonly faster: Reading }[];
  }[];
};

/** What each measurement found, or why it found nothing. */
export type Measured = {
  /** 10⁹ FLOP/s of products of matrices, the fastest backend's. */
  readonly rate: number | string;
  readonly mlp: PeersResult | string;
  readonly mnist16: PeersResult | string;
  readonly mnist128: PeersResult | string;
  readonly eighth: PeersResult | string;
  readonly oneThread: PeersResult | string;
  readonly rectangular: RectangularResult | string;
  readonly threads: ThreadsResult | string;
  readonly ready: { readonly byNet: readonly Ready[] } | string;
  /** Seconds of training on cc, and on wasm before, in turns. */
  readonly start: { readonly cc: readonly number[]; readonly before: readonly number[] } | string;
};

export type Row = {
  readonly work: string;
  readonly against: string;
  /** Ratios are to be at least that; seconds at most. */
  readonly wanted: readonly [least: number, aim: number];
  readonly unit: '' | 's';
  readonly measurement: keyof Measured;
  readonly found: (measured: Measured) => Reading | string;
};

const isText = (value: unknown): value is string => typeof value === 'string';

const workloadOf = (result: PeersResult | string, at = 0): WorkloadResult | string =>
  isText(result) ? result : elementAt(result.workloads, at);

type Timed = { readonly name: string; readonly readings: readonly number[] };

const timedOf = ({ peers }: WorkloadResult, holds: (name: string) => boolean): readonly Timed[] =>
  peers.flatMap(({ name, readings = [] }) =>
    holds(name) && readings.length > 0 ? [{ name, readings }] : [],
  );

const isOurs = (name: string): boolean => ['cc', 'native', 'wasm', 'webgpu'].includes(name);
const isBefore = (name: string): boolean => name.startsWith('wasm of ');

const fastest = (all: readonly Timed[]): Timed | undefined =>
  all.toSorted((a, b) => summary(a.readings).median - summary(b.readings).median)[0];

const over = (theirs: Timed | undefined, own: Timed | undefined): Reading | string =>
  theirs === undefined || own === undefined
    ? 'one of the two was not timed'
    : summary(
        quotients(
          theirs.readings.slice(0, own.readings.length),
          own.readings.slice(0, theirs.readings.length),
        ),
      );

/** The best of all peers over the best of ours. */
const best = (result: PeersResult | string): Reading | string => {
  const workload = workloadOf(result);
  if (isText(workload)) return workload;
  return over(
    fastest(timedOf(workload, (name) => !isOurs(name) && !isBefore(name))),
    fastest(timedOf(workload, isOurs)),
  );
};

const named = (result: PeersResult | string, theirs: (name: string) => boolean, own: string, at = 0) => {
  const workload = workloadOf(result, at);
  if (isText(workload)) return workload;
  return over(timedOf(workload, theirs)[0], timedOf(workload, (name) => name === own)[0]);
};

const ofRate = ({ rate, mlp }: Measured): Reading | string => {
  const workload = workloadOf(mlp);
  if (isText(workload)) return workload;
  if (isText(rate)) return rate;
  const [cc] = timedOf(workload, (name) => name === 'cc');
  if (cc === undefined) return 'cc was not timed';
  const least = workload.flops.injFlowLn / (rate * 1e6);
  return summary(cc.readings.map((milliseconds) => least / milliseconds));
};

const flow =
  (d: number, method: string, way: string) =>
  ({ rectangular }: Measured): Reading | string => {
    if (isText(rectangular)) return rectangular;
    const found = rectangular.results
      .find(({ table }) => table.d === d)
      ?.rows.find((row) => row.method === method && row.way === way)?.timesOurs;
    return found ?? 'not timed';
  };

const shared =
  (begins: string) =>
  ({ threads }: Measured): Reading | string =>
    isText(threads)
      ? threads
      : (threads.results.find(({ name }) => name.startsWith(begins))?.by.at(-1)?.faster ?? 'not timed');

const firstStep =
  (backend: string) =>
  ({ ready }: Measured): Reading | string => {
    if (isText(ready)) return ready;
    const steps = ready.byNet[0]?.steps[backend];
    return steps === undefined || isText(steps) ? (steps ?? 'not timed') : summary([steps.first.wall]);
  };

const ratio = (
  work: string,
  against: string,
  wanted: Row['wanted'],
  measurement: Row['measurement'],
  found: Row['found'],
): Row => ({ work, against, wanted, unit: '', measurement, found });

const MLP = 'InjFlow-ln step, perceptrons 16-64-64-4, batch 256, cc';

export const rows: readonly Row[] = [
  ratio(MLP, 'JAX, jit', [2, 3], 'mlp', ({ mlp }) => named(mlp, (name) => name === 'jax', 'cc')),
  ratio(MLP, "its FLOPs at the machine's rate for products", [0.45, 0.7], 'rate', ofRate),
  ratio(
    "the paper's MNIST net, batch 16, our best backend",
    'the best of all peers',
    [1, 1.05],
    'mnist16',
    (all) => best(all.mnist16),
  ),
  ratio(
    'the same, batch 128',
    'a TensorFlow graph, tangent by hand, the fastest peer',
    [1, 1.05],
    'mnist128',
    (all) => best(all.mnist128),
  ),
  ratio(
    'an eighth of its width, batch 64, our best backend',
    'the best of all peers',
    [1.3, 1.6],
    'eighth',
    (all) => best(all.eighth),
  ),
  ...[10, 21].flatMap((d) =>
    ['exact', 'stochastic'].flatMap((method) => [
      ratio(
        `rectangular step, d = ${d}, ${method}`,
        'PyTorch, vmap of jvp',
        [2, 3],
        'rectangular',
        flow(d, method, 'vmap'),
      ),
      ratio('the same', 'PyTorch, tangent by hand', [4, 6], 'rectangular', flow(d, method, 'hand')),
    ]),
  ),
  ratio('wasm on two threads, convolutions', 'one thread', [1.7, 1.9], 'threads', shared('MNIST')),
  ratio('wasm on two threads, perceptrons', 'one thread', [1.3, 1.5], 'threads', shared('perceptrons')),
  ...['perceptrons', 'an eighth of the MNIST net'].map((name, at) =>
    ratio(`wasm on one thread, ${name}`, "wasm in tfjs's memory", [1, 1.2], 'oneThread', (all) =>
      named(all.oneThread, isBefore, 'wasm', at),
    ),
  ),
  ratio("`npm start`'s training, cc", "wasm in tfjs's memory", [3, 5], 'start', ({ start }) =>
    isText(start) ? start : summary(quotients(start.before, start.cc)),
  ),
  ...(
    [
      ['wasm', [2, 1]],
      ['cc', [4, 2]],
    ] as const
  ).map(([backend, wanted]): Row => ({
    work: `first step after compile, the paper's MNIST net, batch 16, ${backend}${backend === 'cc' ? ' with nothing kept' : ''}`,
    against: '–',
    wanted,
    unit: 's',
    measurement: 'ready',
    found: firstStep(backend),
  })),
];

/** Whether what was wanted is there: the aim, the least, or neither. */
export const verdictOf = ({ wanted: [least, aim], unit }: Row, value: number): 'aim' | 'met' | 'missed' => {
  const reaches = (wanted: number): boolean => (unit === 's' ? value <= wanted : value >= wanted);
  return reaches(aim) ? 'aim' : reaches(least) ? 'met' : 'missed';
};

const precise = (x: number): string => x.toFixed(x < 10 ? 2 : 1);

const rangeOf = ({ median, least, most }: Reading, unit: string): string =>
  least === most
    ? `${precise(median)}${unit}`
    : `${precise(median)} (${precise(least)}–${precise(most)})${unit}`;

/** Markdown, a line a row, with the numbers of the commands that are listed below it. */
export const speedTable = (measured: Measured, numberOf: (measurement: keyof Measured) => number): string =>
  [
    '| work | against | at least | aim | measured | | by |',
    '| --- | --- | ---: | ---: | ---: | --- | ---: |',
    ...rows.map((row) => {
      const { work, against, unit, measurement, wanted, found } = row;
      const value = found(measured);
      const space = unit === '' ? '' : ` ${unit}`;
      const [shown, verdict] = isText(value)
        ? [`not measured: ${value.replaceAll('|', '/')}`, '']
        : [rangeOf(value, space), verdictOf(row, value.median)];
      const [least, aim] = wanted.map((one) => `${unit === 's' ? '≤ ' : ''}${one}${space}`);
      return `| ${work} | ${against} | ${least} | ${aim} | ${shown} | ${verdict} | ${numberOf(measurement)} |`;
    }),
  ].join('\n');
