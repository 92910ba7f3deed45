/** Where trials run, as data: on this machine, on a Ray cluster, under Slurm. */
import * as E from 'fp-ts/lib/Either.js';
import { type Codec, codec, mapped, optional, struct } from '../../dsl/codec/codec.js';
import { nonEmptyString, nonNegative, positiveInteger, positiveNumber } from '../../dsl/codec/primitive.js';
import { contextPath, problemsOf } from '../../dsl/codec/problems.js';
import { type Problem, problem } from '../../dsl/index.js';

type Checked<A> = E.Either<readonly Problem[], A>;

/** What can be said of a cluster; each field may be absent. */
export type ClusterFields = {
  /** `ray=URL`, `ray` or `slurm`. */
  readonly on?: string | undefined;
  /** A folder that all nodes see under the same path. */
  readonly storage?: string | undefined;
  /** Of each trial. */
  readonly cpus?: number | undefined;
  readonly gpus?: number | undefined;
  /** In bytes. */
  readonly memory?: number | undefined;
  /** Jobs that a trial may lose. */
  readonly tries?: number | undefined;
  /** Node on the nodes (`node` on Ray, this very one under Slurm). */
  readonly node?: string | undefined;
  /** An installation on the nodes: the path of its `bin/immersion.mjs`. Without it this package travels with the job on Ray, and is where it is here under Slurm. */
  readonly bin?: string | undefined;
};

export type Engine = { readonly tag: 'ray'; readonly address: URL } | { readonly tag: 'slurm' };

const UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

export const BYTES = 'a number of bytes such as 500MB or 2GB';

/** `500MB`, `2 GB`, `1e9`; undefined where it is none. */
export const bytesOf = (text: string): number | undefined => {
  const [, digits = '', unit = ''] = /^([\d.]+(?:e\d+)?)\s*([KMGT]?B)?$/i.exec(text.trim()) ?? [];
  const bytes = Number(digits === '' ? NaN : digits) * (UNITS[unit.toUpperCase()] ?? NaN);
  return Number.isFinite(bytes) && bytes > 0 ? Math.ceil(bytes) : undefined;
};

const bytes: Codec<number> = codec(
  BYTES,
  (u, c) => positiveNumber.validate(typeof u === 'string' ? bytesOf(u) : u, c),
  (value) => value,
);

const fieldsCodec: Codec<ClusterFields> = mapped(
  struct('a cluster', {
    on: optional(nonEmptyString),
    storage: optional(nonEmptyString),
    cpus: optional(positiveNumber),
    gpus: optional(nonNegative),
    memory: optional(bytes),
    tries: optional(positiveInteger),
    node: optional(nonEmptyString),
    bin: optional(nonEmptyString),
  }),
  (fields): ClusterFields => fields,
  (fields) => ({
    on: fields.on,
    storage: fields.storage,
    cpus: fields.cpus,
    gpus: fields.gpus,
    memory: fields.memory,
    tries: fields.tries,
    node: fields.node,
    bin: fields.bin,
  }),
);

/** What a file says of a cluster. */
export const decodeCluster = (path: string, json: unknown): Checked<ClusterFields> =>
  E.mapLeft((errors: Parameters<typeof problemsOf>[0]) =>
    problemsOf(errors, contextPath).map((one) => ({ ...one, path: `${path}: ${one.path}` })),
  )(fieldsCodec.decode(json));

const EXPECTED = 'local, slurm, ray=http://HOST:8265, or a JSON file';

const addressOf = (flag: string, text: string): Checked<Engine> => {
  // What does not parse is not repeated: it may hold a password.
  const wrong = (found: string): Checked<Engine> =>
    E.left([problem(flag, found, 'ray=http://HOST:PORT, the address of the dashboard')]);
  try {
    const address = new URL(text);
    if (address.protocol === 'http:' || address.protocol === 'https:')
      return E.right({ tag: 'ray', address });
    return wrong(`an address ${address.protocol}//…`);
  } catch {
    return wrong('no address');
  }
};

/** What runs trials; undefined for this machine. `ray` alone is where Ray's own command looks for a cluster. */
export const engineOf = (
  flag: string,
  on: string,
  environment: NodeJS.ProcessEnv,
): Checked<Engine | undefined> => {
  if (on === 'local') return E.right(undefined);
  if (on === 'slurm') return E.right({ tag: 'slurm' });
  if (on.startsWith('ray=')) return addressOf(flag, on.slice('ray='.length));
  if (on !== 'ray') return E.left([problem(flag, JSON.stringify(on), EXPECTED)]);
  const name = ['RAY_API_SERVER_ADDRESS', 'RAY_ADDRESS'].find((one) => environment[one] !== undefined);
  return name === undefined
    ? E.left([problem(flag, 'ray without an address', 'ray=http://HOST:8265, or RAY_API_SERVER_ADDRESS')])
    : addressOf(name, environment[name] ?? '');
};
