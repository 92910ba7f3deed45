/** The options that say where trials run, with what a file and the environment say of it. */
import { extname } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/index.js';
import { readJson } from '../../runs/index.js';
import type { Resources } from '../../runs/executors/resources.js';
import {
  BYTES,
  bytesOf,
  type ClusterFields,
  decodeCluster,
  type Engine,
  engineOf,
} from '../../runs/executors/where.js';
import { type Arguments, naturalOption, type Option } from './arguments.js';

const TRIES = 3;

export const clusterOptions: readonly Option[] = [
  {
    name: 'on',
    value: 'WHERE',
    summary: 'local, ray=URL, slurm, or a JSON file that says so (IMMERSION_ON, or local)',
  },
  {
    name: 'storage',
    value: 'DIR',
    summary: 'a folder that all nodes of the cluster see; the sweep is kept in it (IMMERSION_STORAGE)',
  },
  { name: 'cpus', value: 'N', summary: 'cores of each trial on a cluster (1)' },
  {
    name: 'memory',
    value: 'SIZE',
    summary: 'memory of each trial on a cluster, such as 2GB (what it is expected to take)',
  },
  { name: 'gpus', value: 'N', summary: 'GPUs of each trial on a cluster (0)' },
  {
    name: 'tries',
    value: 'N',
    summary: `jobs that a trial may lose on a cluster before it has failed (${TRIES})`,
  },
];

/** Where trials run changes nothing of what they come to. */
export const clusterOptionNames: readonly string[] = clusterOptions.map(({ name }) => name);

/** The cluster that trials run on. */
export type Where = {
  readonly engine: Engine;
  readonly resources: Resources;
  readonly tries: number;
  readonly storage: string | undefined;
  readonly node: string | undefined;
  readonly bin: string | undefined;
};

type Checked<A> = Either<readonly Problem[], A>;

const numberOption = (
  given: Arguments,
  name: string,
  mayBeNone: boolean,
  expected: string,
): Checked<number | undefined> => {
  const text = given.last(name);
  if (text === undefined) return right(undefined);
  const value = text.trim() === '' ? NaN : Number(text);
  return Number.isFinite(value) && value >= 0 && (value > 0 || mayBeNone)
    ? right(value)
    : left([problem(`--${name}`, JSON.stringify(text), expected)]);
};

const memoryOption = (given: Arguments): Checked<number | undefined> => {
  const text = given.last('memory');
  const bytes = text === undefined ? undefined : bytesOf(text);
  return text !== undefined && bytes === undefined
    ? left([problem('--memory', JSON.stringify(text), BYTES)])
    : right(bytes);
};

const triesOption = (given: Arguments): Checked<number | undefined> => {
  const value = naturalOption(given, 'tries', TRIES);
  if (isLeft(value) || !given.has('tries')) return isLeft(value) ? value : right(undefined);
  return value.right > 0 ? value : left([problem('--tries', '"0"', 'a positive integer')]);
};

/** Of the file that `--on` names; a name alone says it all. */
const fileOf = async (on: string): Promise<Checked<ClusterFields>> => {
  if (extname(on) !== '.json') return right({ on });
  const json = await readJson(on, 'a JSON file that says where trials run');
  if (isLeft(json)) return json;
  return decodeCluster(on, json.right);
};

/** Undefined for this machine. Options go before the file, the file before the environment. */
export const whereOf = async (
  given: Arguments,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Checked<Where | undefined>> => {
  const flag = given.has('on') ? '--on' : 'IMMERSION_ON';
  const named = given.last('on') ?? environment['IMMERSION_ON'] ?? 'local';
  const file = await fileOf(named);
  const cpus = numberOption(given, 'cpus', false, 'a positive number of cores');
  const gpus = numberOption(given, 'gpus', true, 'a number of GPUs');
  const memory = memoryOption(given);
  const tries = triesOption(given);
  const engine = isLeft(file)
    ? right(undefined)
    : engineOf(extname(named) === '.json' ? named : flag, file.right.on ?? 'local', environment);
  const problems = [file, engine, cpus, gpus, memory, tries].flatMap((one) => (isLeft(one) ? one.left : []));
  if (isLeft(file) || isLeft(engine) || isLeft(cpus) || isLeft(gpus) || isLeft(memory) || isLeft(tries))
    return left(problems);
  if (engine.right === undefined) {
    const stray = clusterOptionNames.filter((name) => name !== 'on' && given.has(name));
    return stray.length > 0
      ? left(
          stray.map((name) =>
            problem(`--${name}`, 'no cluster', `--on ray=http://HOST:8265 or --on slurm beside --${name}`),
          ),
        )
      : right(undefined);
  }
  return right({
    engine: engine.right,
    resources: {
      cpus: cpus.right ?? file.right.cpus ?? 1,
      gpus: gpus.right ?? file.right.gpus ?? 0,
      memory: memory.right ?? file.right.memory,
    },
    tries: tries.right ?? file.right.tries ?? TRIES,
    storage: given.last('storage') ?? file.right.storage ?? environment['IMMERSION_STORAGE'],
    node: file.right.node,
    bin: file.right.bin,
  });
};
