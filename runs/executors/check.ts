/** Whether trials can run on a cluster, found out by one of its nodes before any of them is submitted: it looks, and writes down what it found. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Either, isLeft, left, right, tryCatch } from 'fp-ts/lib/Either.js';
import { list, optional, struct } from '../../dsl/codec/codec.js';
import { anyString } from '../../dsl/codec/primitive.js';
import { contextPath, problemsOf } from '../../dsl/codec/problems.js';
import { type Problem, problem } from '../../dsl/index.js';
import { thrownAt } from '../../dsl/problem.js';
import { folderWithin, tidied } from '../../backends/places.js';
import { writeWhole } from '../records/whole-file.js';
import { problemCodec } from '../sweeps/outcome.js';
import { type Executor, trialFiles, type TrialState } from './executor.js';
import type { Cluster } from './cluster.js';
import { readTicket } from './ticket.js';

type Checked<A> = Either<readonly Problem[], A>;

/** What a node found. */
export type Finding = {
  readonly host: string;
  readonly node: string;
  /** What `auto` or a name came to there; on the left why a trial could not run. */
  readonly backend: Checked<string>;
};

const codec = struct('what a node of a cluster found', {
  host: anyString,
  node: anyString,
  backend: optional(anyString),
  problems: list('a list of problems', () => problemCodec),
});

/** Of this machine. */
export const writeFinding = (folder: string, backend: Checked<string>): Checked<string> => {
  const found = {
    host: hostname(),
    node: process.versions.node,
    backend: isLeft(backend) ? undefined : backend.right,
    problems: isLeft(backend) ? [...backend.left] : [],
  };
  return writeWhole(join(folder, trialFiles.check), `${JSON.stringify(codec.encode(found), null, 2)}\n`);
};

const readFinding = (folder: string): Checked<Finding> => {
  const path = join(folder, trialFiles.check);
  const json = tryCatch(
    (): unknown => JSON.parse(readFileSync(path, 'utf8')),
    thrownAt(path, 'what a node found'),
  );
  if (isLeft(json)) return json;
  const decoded = codec.decode(json.right);
  if (isLeft(decoded)) return left(problemsOf(decoded.left, contextPath));
  const { host, node, backend, problems } = decoded.right;
  return right({ host, node, backend: backend === undefined ? left(problems) : right(backend) });
};

const majorOf = (version: string): string => version.split('.')[0] ?? version;

/** What is in the way of trials on a node; figures may differ between major versions of Node. */
export const findingProblems = (
  cluster: string,
  { host, node, backend }: Finding,
  here = process.versions.node,
): readonly Problem[] => [
  ...(majorOf(node) === majorOf(here)
    ? []
    : [
        problem(
          cluster,
          `Node ${node} on ${host}`,
          `Node ${majorOf(here)}, as here`,
          '"node" in the file that --on names may be the path of another one on the nodes',
        ),
      ]),
  ...(isLeft(backend)
    ? backend.left.map((one) => ({ ...one, path: `${cluster}, ${host}: ${one.path}` }))
    : []),
];

const CHECK = 'check';

const LOOKS = 10;
const LOOK_AGAIN = 1000;

/** Removes a job from the cluster's list once it has ended, as it will do in a moment. */
const forgotten = async (cluster: Cluster, id: string): Promise<void> => {
  for (let looks = 0; looks < LOOKS; looks += 1) {
    const states = await cluster.look([id]);
    if (isLeft(states) || !states.right.has(id)) return;
    if (states.right.get(id)?.tag === 'ended') return cluster.forget([id]);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
  }
};

/**
 * Runs the check of one trial, given as JSON, in a folder of its own inside that of the sweep. `executor` is to be one whose jobs leave
 * `check.json`. Answers with what the node found, on the left why no trial is to be submitted.
 */
export const checkedCluster = async (
  cluster: Cluster,
  executor: Executor,
  sweep: string,
  trial: unknown,
  signal: AbortSignal,
  onState: (state: TrialState) => void,
): Promise<Checked<Finding | undefined>> => {
  const made = folderWithin(sweep, CHECK);
  if (isLeft(made)) return made;
  const folder = made.right;
  try {
    tidied(join(folder, trialFiles.check));
    const written = writeWhole(join(folder, trialFiles.trial), `${JSON.stringify(trial, null, 2)}\n`);
    if (isLeft(written)) return written;
    const ended = await executor(folder, signal, onState);
    if (signal.aborted) return right(undefined);
    if (isLeft(ended)) {
      const hint = `nodes are to see ${sweep} under this path: a folder that they do is named with --storage`;
      return left(
        ended.left.map((one) => ({
          ...one,
          path: cluster.name,
          expected: 'a node that can run a trial',
          hint: one.hint ?? hint,
        })),
      );
    }
    const finding = readFinding(folder);
    if (isLeft(finding)) return finding;
    const problems = findingProblems(cluster.name, finding.right);
    return problems.length > 0 ? left(problems) : right(finding.right);
  } finally {
    const ticket = readTicket(folder);
    if (!isLeft(ticket) && ticket.right?.id !== undefined) void forgotten(cluster, ticket.right.id);
    tidied(folder);
  }
};
