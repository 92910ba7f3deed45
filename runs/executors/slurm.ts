/** A Slurm cluster, by its own commands: trials that are asked for together are one array of jobs. */
import { spawn } from 'node:child_process';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/index.js';
import { errorText } from '../../dsl/problem.js';
import type { JobState } from './attempt.js';
import { codeText, type Command, entrypoint, WITHDRAWN } from './entrypoint.js';
import type { Cluster, Job, Refusal } from './cluster.js';
import type { Resources } from './resources.js';

type Checked<A> = Either<readonly Problem[], A>;

const NAME = 'slurm';
const EXPECTED = 'a Slurm cluster that takes jobs';
const TIMEOUT = 60_000;

/** Runs one of Slurm's commands; on the left what it said. */
const slurm = (words: readonly string[], input = ''): Promise<Checked<string>> =>
  new Promise((resolve) => {
    const [command = '', ...rest] = words;
    const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'], timeout: TIMEOUT });
    const said = { stdout: '', stderr: '' };
    const failed = (found: string): void => resolve(left([problem(NAME, found, EXPECTED)]));
    child.stdout.on('data', (text) => (said.stdout += String(text)));
    child.stderr.on('data', (text) => (said.stderr += String(text)));
    child.on('error', (error) => failed(`no ${command} (${errorText(error)})`));
    child.stdin.on('error', () => undefined);
    child.on('close', (code) => {
      const words = said.stderr.split('\n').filter((line) => line.trim() !== '');
      if (code === 0) resolve(right(said.stdout));
      else failed(`${command}: ${words.at(-1)?.replace(/^\w+: error: /, '') ?? `exit code ${code}`}`);
    });
    child.stdin.end(input);
  });

/** Whether Slurm's commands are here and its controller answers; answers with its version. */
export const slurmVersion = async (): Promise<Checked<string>> => {
  const version = await slurm(['sbatch', '--version']);
  if (isLeft(version)) return version;
  const pinged = await slurm(['squeue', '--noheader', '--me']);
  return isLeft(pinged) ? pinged : right(version.right.trim());
};

/** What Slurm says may be otherwise in a while. */
const PASSES =
  /submit limit|QOSMax|temporarily|try again|timed out|unable to contact|connection refused|too many|busy|MaxJob/i;

/** Jobs of one array; Slurm's own limit (`MaxArraySize`) is 1001 where nobody changed it. */
const LARGEST_ARRAY = 1000;

const MEBIBYTE = 2 ** 20;

/** What sbatch is given: which job is whose is in the script itself. */
export const batchScript = (command: Command, jobs: readonly Job[]): string =>
  [
    '#!/bin/sh',
    'case "$SLURM_ARRAY_TASK_ID" in',
    ...jobs.map((job, i) => {
      const line = entrypoint(command, { ...job, by: NAME });
      return `${i}) ${line};;`;
    }),
    'esac',
    '',
  ].join('\n');

const optionsOf = (
  command: Command,
  { cpus, gpus, memory }: Resources,
  jobs: readonly Job[],
  most: number,
): readonly string[] => {
  const bytes = memory ?? Math.max(...jobs.map((job) => job.bytes));
  return [
    '--parsable',
    '--job-name=immersion',
    `--array=0-${jobs.length - 1}${Number.isFinite(most) ? `%${most}` : ''}`,
    `--cpus-per-task=${Math.max(1, Math.ceil(cpus))}`,
    `--mem=${Math.ceil(bytes / MEBIBYTE)}M`,
    ...(gpus > 0 ? [`--gres=gpu:${Math.ceil(gpus)}`] : []),
    '--output=/dev/null',
    '--error=/dev/null',
    // A job that was lost is submitted again here, and counted.
    '--no-requeue',
    ...(command.folder === undefined ? [] : [`--chdir=${command.folder}`]),
  ];
};

const STATES: Readonly<Record<string, 'waiting' | 'running' | 'stopped' | 'lost'>> = {
  PENDING: 'waiting',
  CONFIGURING: 'waiting',
  REQUEUED: 'waiting',
  RESV_DEL_HOLD: 'waiting',
  SPECIAL_EXIT: 'waiting',
  RUNNING: 'running',
  COMPLETING: 'running',
  STAGE_OUT: 'running',
  SIGNALING: 'running',
  STOPPED: 'running',
  SUSPENDED: 'running',
  CANCELLED: 'stopped',
};

/** Why a job would wait for ever. */
const NEVER =
  /^(BadConstraints|PartitionConfig|PartitionNodeLimit|PartitionTimeLimit|Invalid|JobHeld|QOS.*PerJob|Assoc.*PerJob)/;

/** `12_3|RUNNING|node7|None`, as `squeue` is asked for it: the job and its state. */
export const slurmState = (line: string): readonly [string, JobState] | undefined => {
  const [id, name = '', where = '', reason = ''] = line.trim().split('|');
  if (id === undefined || id === '') return undefined;
  switch (STATES[name] ?? 'lost') {
    case 'waiting':
      return NEVER.test(reason)
        ? [id, { tag: 'ended', why: `a job that Slurm will not start (${reason})`, cause: 'unfit' }]
        : [id, { tag: 'waiting' }];
    case 'running':
      return [id, { tag: 'running', where }];
    case 'stopped':
      return [id, { tag: 'ended', why: 'a job that was stopped', cause: 'stopped' }];
    case 'lost': {
      const code = /^NonZeroExitCode|None$/.test(reason) ? '' : ` (${reason})`;
      const why =
        name === 'NODE_FAIL'
          ? 'a node that died'
          : name === 'COMPLETED'
            ? 'a job that ended without a result'
            : `a job that ended with ${name}${code}`;
      return [id, { tag: 'ended', why, cause: 'lost', ...(name === 'COMPLETED' ? { code: 0 } : {}) }];
    }
  }
};

const FORMAT = '%F_%K|%T|%N|%r';

/** With the code that the process ended with, which only the controller tells, for some minutes. */
const withCode = async (id: string, state: JobState, folder: string): Promise<JobState> => {
  if (state.tag !== 'ended' || state.cause !== 'lost' || state.code !== undefined) return state;
  const told = await slurm(['scontrol', 'show', 'job', id, '--oneliner']);
  const code = isLeft(told) ? 0 : Number(/ ExitCode=(\d+):/.exec(told.right)?.[1] ?? 0);
  return code === 0
    ? state
    : { ...state, code, why: codeText(code, folder), cause: code === WITHDRAWN ? 'stopped' : 'lost' };
};

export const slurmCluster = (command: Command, resources: Resources, most: number): Cluster => {
  const folders = new Map<string, string>();

  const submitArray = async (jobs: readonly Job[]): Promise<readonly Either<Refusal, string>[]> => {
    const answer = await slurm(
      ['sbatch', ...optionsOf(command, resources, jobs, most)],
      batchScript(command, jobs),
    );
    if (isLeft(answer)) {
      const busy = answer.left.some(({ found }) => PASSES.test(found));
      return jobs.map(() => left({ busy, problems: answer.left }));
    }
    // `12`, or `12;cluster`.
    const [array = ''] = answer.right.trim().split(';');
    return jobs.map(({ folder }, i) => {
      const id = `${array}_${i}`;
      folders.set(id, folder);
      return right(id);
    });
  };

  return {
    name: NAME,
    submit: async (jobs) => {
      const answers: Either<Refusal, string>[] = [];
      for (let at = 0; at < jobs.length; at += LARGEST_ARRAY)
        answers.push(...(await submitArray(jobs.slice(at, at + LARGEST_ARRAY))));
      return answers;
    },
    look: async (ids) => {
      const wanted = new Set(ids);
      const lines = await slurm([
        'squeue',
        '--noheader',
        '--me',
        '--array',
        '--states=all',
        `--format=${FORMAT}`,
      ]);
      if (isLeft(lines)) return lines;
      const states = new Map<string, JobState>();
      for (const line of lines.right.split('\n')) {
        const state = slurmState(line);
        if (state === undefined || !wanted.has(state[0])) continue;
        const [id, one] = state;
        states.set(id, await withCode(id, one, folders.get(id) ?? 'its folder'));
      }
      const unfit = [...states].filter(([, one]) => one.tag === 'ended' && one.cause === 'unfit');
      if (unfit.length > 0) await slurm(['scancel', ...unfit.map(([id]) => id)]);
      return right(states);
    },
    stop: async (ids) => {
      for (let at = 0; at < ids.length; at += LARGEST_ARRAY)
        await slurm(['scancel', ...ids.slice(at, at + LARGEST_ARRAY)]);
    },
    forget: () => Promise.resolve(),
  };
};
