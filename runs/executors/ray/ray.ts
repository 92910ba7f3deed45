/** A Ray cluster, by its Jobs interface: each trial is a job with cores, memory and GPUs of its own, and finds this package in its folder. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem } from '../../../dsl/index.js';
import type { JobState } from '../attempt.js';
import { codeText, type Command, entrypoint, WITHDRAWN } from '../entrypoint.js';
import type { Cluster, Job, Refusal } from '../cluster.js';
import type { Resources } from '../resources.js';
import { notRays, objectOf, type RayClient, refusedBy } from './client.js';

type Checked<A> = Either<readonly Problem[], A>;

/** Requests at once. */
const AT_ONCE = 8;

/** In order, a few at a time. */
const each = async <A, B>(all: readonly A[], work: (one: A) => Promise<B>): Promise<readonly B[]> => {
  const done: B[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE)
    done.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(work))));
  return done;
};

/** Whether there is a Ray cluster that lets us in; answers with its version. */
export const rayVersion = async (client: RayClient): Promise<Checked<string>> => {
  const answer = objectOf(client.name, await client.ask('GET', '/api/version'));
  if (isLeft(answer)) return answer;
  const { ray_version: version } = answer.right;
  return typeof version === 'string' ? right(version) : left(notRays(client.name));
};

const NOT_PLACED = ['JOB_SUPERVISOR_ACTOR_START_TIMEOUT', 'JOB_SUPERVISOR_ACTOR_UNSCHEDULABLE'];

/** Ray's words may hold lines of a log; what kind of error it was is a field of its own. */
const failureText = (type: unknown, message: unknown): string => {
  switch (type) {
    case 'JOB_SUPERVISOR_ACTOR_DIED':
      return /node was terminated|node has died/.test(String(message))
        ? 'a node that died'
        : 'a job that died';
    case 'RUNTIME_ENV_SETUP_FAILURE':
      return 'a node that could not unpack what the job needs';
    default:
      return `a job that failed${typeof type === 'string' ? ` (${type})` : ''}`;
  }
};

/** What Ray says of a job, as what it means for a trial. */
export const rayState = (json: Readonly<Record<string, unknown>>, folder: string): JobState => {
  const {
    status,
    error_type: type,
    message,
    driver_exit_code: code,
    driver_agent_http_address: agent,
  } = json;
  switch (status) {
    case 'PENDING':
      return { tag: 'waiting' };
    case 'RUNNING': {
      const host = typeof agent === 'string' ? /^https?:\/\/([^/:]+)/.exec(agent)?.[1] : undefined;
      return { tag: 'running', where: host };
    }
    case 'STOPPED':
      return { tag: 'ended', why: 'a job that was stopped', cause: 'stopped' };
    case 'FAILED':
      if (typeof type === 'string' && NOT_PLACED.includes(type))
        return { tag: 'ended', why: 'no node with room for it', cause: 'unplaced' };
      return typeof code === 'number'
        ? {
            tag: 'ended',
            why: codeText(code, folder),
            cause: code === WITHDRAWN ? 'stopped' : 'lost',
            code,
          }
        : { tag: 'ended', why: failureText(type, message), cause: 'lost' };
    default:
      return { tag: 'ended', why: 'a job that ended without a result', cause: 'lost', code: 0 };
  }
};

/** Refused as it is where Ray says that the request is at fault; what went wrong with the cluster may pass. */
const refusal = (name: string, answer: { readonly status: number; readonly text: string }): Refusal => ({
  busy: answer.status >= 500 || answer.status === 429 || answer.status === 408,
  problems: refusedBy(name, answer),
});

export const rayCluster = (
  client: RayClient,
  command: Command,
  resources: Resources,
  workingFolder: string | undefined,
): Cluster => {
  const { name } = client;
  const folders = new Map<string, string>();

  const submitOne = async ({ folder, ticket, bytes }: Job): Promise<Either<Refusal, string>> => {
    const id = `immersion-${ticket}`;
    folders.set(id, folder);
    const answer = await client.ask('POST', '/api/jobs/', {
      submission_id: id,
      entrypoint: entrypoint(command, { folder, ticket, by: 'ray' }),
      entrypoint_num_cpus: resources.cpus,
      entrypoint_num_gpus: resources.gpus,
      entrypoint_memory: Math.ceil(resources.memory ?? bytes),
      runtime_env: workingFolder === undefined ? {} : { working_dir: workingFolder },
    });
    if (!isLeft(answer) && answer.right.status === 200) return right(id);
    // It may have arrived all the same.
    const there = await client.ask('GET', `/api/jobs/${id}`);
    if (!isLeft(there) && there.right.status === 200) return right(id);
    return left(isLeft(answer) ? { busy: true, problems: answer.left } : refusal(name, answer.right));
  };

  const lookAt = async (id: string): Promise<Checked<readonly [string, JobState] | undefined>> => {
    const answer = await client.ask('GET', `/api/jobs/${encodeURIComponent(id)}`);
    if (!isLeft(answer) && answer.right.status === 404) return right(undefined);
    const json = objectOf(name, answer);
    return isLeft(json) ? json : right([id, rayState(json.right, folders.get(id) ?? 'its folder')]);
  };

  return {
    name,
    submit: (jobs) => each(jobs, submitOne),
    look: async (ids) => {
      const answers = await each(ids, lookAt);
      const silent = answers.find(isLeft);
      if (silent !== undefined) return silent;
      return right(
        new Map(answers.flatMap((one) => (isLeft(one) || one.right === undefined ? [] : [one.right]))),
      );
    },
    stop: async (ids) => {
      await each(ids, (id) => client.ask('POST', `/api/jobs/${encodeURIComponent(id)}/stop`));
    },
    forget: async (ids) => {
      await each(ids, (id) => client.ask('DELETE', `/api/jobs/${encodeURIComponent(id)}`));
    },
  };
};
