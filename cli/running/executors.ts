/** What runs the trials of a command: the processes of this machine, or the jobs of a cluster once a node of it has been found fit. */
import { dirname, join } from 'node:path';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { bytesText } from '../../dsl/bytes.js';
import type { Problem } from '../../dsl/index.js';
import { type Capacity, type Executor, localCapacity, localProcesses, trialFiles } from '../../runs/index.js';
import { mayWait } from '../../runs/executors/attempt.js';
import { checkedCluster } from '../../runs/executors/check.js';
import type { Command } from '../../runs/executors/entrypoint.js';
import type { Cluster } from '../../runs/executors/cluster.js';
import { clusterJobs } from '../../runs/executors/jobs.js';
import { credentialsOf, rayClient } from '../../runs/executors/ray/client.js';
import { PACKAGE_FOLDER, uploaded } from '../../runs/executors/ray/package.js';
import { rayCluster, rayVersion } from '../../runs/executors/ray/ray.js';
import { slurmCluster, slurmVersion } from '../../runs/executors/slurm.js';
import type { Where } from '../options/cluster-options.js';
import { say } from '../terminal/output.js';

type Checked<A> = Either<readonly Problem[], A>;

export type Opened = { readonly executor: Executor; readonly capacity: Capacity };

/** As many processes as there are to be, each with its share of the threads. */
export const openLocal = (
  bin: string,
  count: number,
  { jobs, options }: Pick<ClusterRequest, 'jobs' | 'options'>,
): Opened => {
  const capacity = localCapacity(jobs);
  const atOnce = Math.min(capacity.trials, count);
  const threads = String(Math.max(1, Math.floor(localCapacity().trials / atOnce)));
  const environment = {
    TF_NUM_INTRAOP_THREADS: process.env['TF_NUM_INTRAOP_THREADS'] ?? threads,
    TF_NUM_INTEROP_THREADS: process.env['TF_NUM_INTEROP_THREADS'] ?? '1',
  };
  return {
    executor: localProcesses([process.execPath, bin], environment, options),
    capacity: { ...capacity, trials: atOnce },
  };
};

export type ClusterRequest = {
  readonly where: Where;
  /** The command line of this package. */
  readonly bin: string;
  /** Of the sweep. */
  readonly folder: string;
  readonly jobs: number | undefined;
  /** Of each trial's command. */
  readonly options: readonly string[];
  /** What trials read from disk. */
  readonly inputs: readonly string[];
  /** By the folder of a trial, in bytes. */
  readonly demand: (folder: string) => number;
  /** One of the trials that are to run, as JSON, and the memory that it is expected to take. */
  readonly trial: { readonly json: unknown; readonly bytes: number };
  /** Whether a command before this one left jobs there, so that the cluster was found fit. */
  readonly joins: boolean;
  readonly signal: AbortSignal;
};

type Reached = { readonly version: string; readonly make: (check: boolean) => Cluster };

const reachRay = async (
  { where, bin, inputs, options }: ClusterRequest,
  address: URL,
): Promise<Checked<Reached>> => {
  const client = rayClient(address, credentialsOf(address, process.env));
  const version = await rayVersion(client);
  if (isLeft(version)) return version;
  const root = where.bin === undefined ? dirname(dirname(bin)) : undefined;
  const folder = await uploaded(client, root, inputs);
  if (isLeft(folder)) return folder;
  const command: Command = {
    node: where.node ?? 'node',
    bin: where.bin ?? join(PACKAGE_FOLDER, 'bin', 'immersion.mjs'),
    root: process.cwd(),
    cpus: where.resources.cpus,
    options,
  };
  return right({
    version: `Ray ${version.right}`,
    make: (check) => rayCluster(client, { ...command, check }, where.resources, folder.right),
  });
};

const reachSlurm = async ({ where, bin, jobs, options }: ClusterRequest): Promise<Checked<Reached>> => {
  const version = await slurmVersion();
  if (isLeft(version)) return version;
  const command: Command = {
    node: where.node ?? process.execPath,
    bin: where.bin ?? bin,
    root: process.cwd(),
    folder: process.cwd(),
    cpus: where.resources.cpus,
    options,
  };
  return right({
    version: version.right,
    make: (check) => slurmCluster({ ...command, check }, where.resources, jobs ?? Infinity),
  });
};

/** Three minutes. */
const TURNS = 7;
const SLOW = 15_000;

const askedFor = ({ where: { resources }, trial }: ClusterRequest): string => {
  const { cpus, gpus, memory } = resources;
  const all = [
    `${cpus} ${cpus === 1 ? 'core' : 'cores'}`,
    bytesText(memory ?? trial.bytes),
    ...(gpus > 0 ? [`${gpus} GPUs`] : []),
  ];
  return `a node with ${all.join(', ')} that is free has yet to be found`;
};

/** Nothing is submitted for the sweep before a node was found fit, so that a cluster that is not leaves nothing behind. */
export const openCluster = async (request: ClusterRequest): Promise<Checked<Opened>> => {
  const { where, folder, jobs, demand, trial, joins, signal } = request;
  const { engine, tries } = where;
  const reached = engine.tag === 'ray' ? await reachRay(request, engine.address) : await reachSlurm(request);
  if (isLeft(reached)) return reached;
  const { version, make } = reached.right;
  const limits = {
    most: jobs ?? Infinity,
    // Slurm holds a whole array back by itself.
    mayWait: engine.tag === 'ray' ? mayWait : () => Infinity,
    demand,
  };
  const cluster = make(false);
  if (joins) say(`${cluster.name} (${version}): goes on with what is there`);
  else {
    say(`${cluster.name} (${version}): one of its nodes looks whether trials can run there`);
    const executor = clusterJobs(make(true), {
      ...limits,
      tries: 1,
      turns: TURNS,
      produces: trialFiles.check,
      demand: () => trial.bytes,
    });
    const slow = setTimeout(() => say(`  still waiting: ${askedFor(request)}`), SLOW);
    const found = await checkedCluster(cluster, executor, folder, trial.json, signal, ({ state, words }) => {
      clearTimeout(slow);
      if (words !== undefined) say(`  ${state}: ${words}`);
    });
    clearTimeout(slow);
    if (isLeft(found)) return found;
    if (found.right !== undefined && !isLeft(found.right.backend))
      say(`they can, on ${found.right.backend.right} with Node ${found.right.node}`);
  }
  return right({
    executor: clusterJobs(cluster, { ...limits, tries, produces: trialFiles.result }),
    capacity: { trials: Infinity, bytes: Infinity },
  });
};
