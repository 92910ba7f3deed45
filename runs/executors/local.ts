/** Trials as processes of this machine: how many fit it, and running one. */
import { elementAt } from '../../dsl/lookup.js';
import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { openToWrite } from '../../backends/places.js';
import { compile, costOf } from '../../compiler/index.js';
import { type Experiment, type Problem, problem } from '../../dsl/index.js';
import { type Capacity, type Executor, trialFiles } from './executor.js';
import { takenOver } from '../run/lock.js';
import { lastWords } from './log.js';
import { readTicket, withdrawTicket } from './ticket.js';

/** The part of the free memory that trials may fill. */
const FILL = 0.8;

/** One trial a core, and no more memory than is free now. */
export const localCapacity = (jobs?: number): Capacity => ({
  trials: jobs ?? availableParallelism(),
  bytes: FILL * process.availableMemory(),
});

/** Node with a backend and the bundled data, before any program is loaded. */
const BASE_BYTES = 350e6;

/** A backend holds some values longer than the cost model assumes, and copies what it is fed. */
const BACKEND_FACTOR = 2;

/** What a process that trains an experiment is expected to hold, in bytes; an experiment that does not compile fails early. */
export const memoryOf = (experiment: Experiment): number => {
  const compiled = compile(experiment);
  return BASE_BYTES + (isLeft(compiled) ? 0 : BACKEND_FACTOR * costOf(compiled.right.step).peak);
};

/** A file that takes a process's words, or why it cannot be made. */
const openLog = (path: string): Either<readonly Problem[], number> => {
  try {
    return right(openToWrite(path));
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return left([problem(path, found, 'a file that can be written')]);
  }
};

/** Both the process and what it started: it leads a group of its own. */
const endGroup = (pid: number | undefined, signal: NodeJS.Signals): void => {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
};

const GRACE_MILLISECONDS = 3000;

/** How long the job of a cluster may take to see that it is no longer wanted. */
const PATIENCE = 10_000;

/** A job of a cluster that goes on in a folder ends itself where it has no ticket any more. */
const leftByCluster = async (folder: string): Promise<void> => {
  const ticket = readTicket(folder);
  if (!isLeft(ticket) && ticket.right === undefined) return;
  withdrawTicket(folder);
  await takenOver(folder, PATIENCE);
};

/**
 * Runs `COMMAND trial FOLDER/trial.json OPTIONS`, its words going to FOLDER/log.txt. The process ends with this one, however this one
 * ends: it is told when the channel between them closes.
 */
export const localProcesses =
  (
    command: readonly string[],
    environment: Readonly<Record<string, string>>,
    options: readonly string[] = [],
  ): Executor =>
  async (folder, signal, onState) => {
    await leftByCluster(folder);
    return new Promise<Either<readonly Problem[], void>>((resolve) => {
      const log = join(folder, trialFiles.log);
      const opened = openLog(log);
      if (isLeft(opened)) {
        resolve(opened);
        return;
      }
      const words = opened.right;
      const child = spawn(
        elementAt(command, 0),
        [...command.slice(1), 'trial', join(folder, trialFiles.trial), ...options],
        {
          stdio: ['ignore', words, words, 'ipc'],
          env: { ...process.env, ...environment },
          detached: true,
        },
      );
      closeSync(words);
      onState({ state: 'running' });
      const end = (): void => {
        endGroup(child.pid, 'SIGTERM');
        setTimeout(() => endGroup(child.pid, 'SIGKILL'), GRACE_MILLISECONDS).unref();
      };
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
      const settle = (result: Either<readonly Problem[], void>): void => {
        signal.removeEventListener('abort', end);
        resolve(result);
      };
      child.on('error', (error) => settle(left([problem(folder, error.message, 'a process for the trial')])));
      child.on('exit', (code, by) => {
        const how =
          by === null ? `exit code ${code}: ${lastWords(folder) ?? `no words in ${log}`}` : `an end by ${by}`;
        const hint = by === 'SIGKILL' ? 'the system may have run out of memory: try fewer --jobs' : undefined;
        settle(
          code === 0 ? right(undefined) : left([problem(folder, how, 'a trial that runs to its end', hint)]),
        );
      });
    });
  };
