/** The peers' measurements as a table. */
import type { Clock, Reading } from '../measure.js';
import type { Agreement } from './compare.js';

export type PeerResult = {
  readonly name: string;
  readonly title: string;
  readonly group: 'native' | 'wasm';
  readonly milliseconds?: Reading;
  /** The medians of its rounds. */
  readonly readings?: readonly number[];
  /** Its time over that of our backend of the same group, round by round: above 1 where ours is faster. */
  readonly timesOurs?: Reading;
  readonly agreement?: Agreement;
  readonly versions?: Readonly<Record<string, string>>;
  /** Why it was not timed. */
  readonly refused?: string;
};

export type WorkloadResult = {
  readonly name: string;
  readonly batch: number;
  readonly flops: { readonly injFlowLn: number; readonly ae: number };
  readonly peers: readonly PeerResult[];
};

export type PeersResult = {
  readonly date: string;
  readonly processor: string;
  readonly node: string;
  readonly threads: number;
  readonly rounds: number;
  readonly clock: Clock;
  readonly command: string;
  readonly workloads: readonly WorkloadResult[];
};

const precise = (x: number): string => (x < 10 ? x.toFixed(2) : x.toFixed(x < 100 ? 1 : 0));
const range = ({ median, least, most }: Reading): string =>
  `${precise(median)} (${precise(least)}–${precise(most)})`;

const rowOf = ({ title, milliseconds, timesOurs, refused }: PeerResult): string =>
  milliseconds === undefined
    ? `| ${title} | not timed: ${refused ?? ''} | |`
    : `| ${title} | ${range(milliseconds)} | ${timesOurs === undefined ? '' : range(timesOurs)} |`;

const againstAutoencoder = ({ flops, peers }: WorkloadResult): readonly string[] => {
  const own = peers.find(({ name }) => name === 'native-ae')?.timesOurs;
  if (own === undefined) return [];
  const [time, work] = [1 / own.median, flops.injFlowLn / flops.ae];
  return [
    '',
    `InjFlow-ln over the plain autoencoder, native: time ×${time.toFixed(2)}, FLOPs ×${work.toFixed(2)}, one over the other ${(time / work).toFixed(2)}.`,
  ];
};

const versionsOf = (workloads: readonly WorkloadResult[]): string => {
  const all = workloads.flatMap(({ peers }) =>
    peers.flatMap(({ versions = {} }) => Object.entries(versions)),
  );
  return [...new Map(all)].map(([name, version]) => `${name} ${version}`).join(', ');
};

/** Markdown: a table for each workload. */
export const peerReport = ({
  date,
  processor,
  threads,
  rounds,
  clock,
  command,
  workloads,
}: PeersResult): string =>
  [
    `${date.slice(0, 10)}, ${processor}, ${threads} threads; ${versionsOf(workloads)}.`,
    `\`${command}\`; medians of ${rounds} rounds in turns (least–most)${clock === 'cpu' ? ', of the work of all threads' : ''}.`,
    ...workloads.flatMap((workload) => [
      '',
      `**${workload.name}**, batch ${workload.batch}, ${(workload.flops.injFlowLn / 1e9).toPrecision(3)} GFLOP a step`,
      '',
      '| | ms a step | times ours |',
      '|---|---|---|',
      ...workload.peers.map(rowOf),
      ...againstAutoencoder(workload),
    ]),
  ].join('\n');
