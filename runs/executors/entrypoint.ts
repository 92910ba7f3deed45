/** What a job does, as a line for the shell of its node: it looks whether it is in the right place, then runs a trial there. */
import { join } from 'node:path';
import { shellWord } from '../../dsl/printing/shell.js';
import { trialFiles } from './executor.js';

/** How a trial is started on a node. */
export type Command = {
  /** Node. */
  readonly node: string;
  /** The command line of this package: a path that nodes see, or one within the job's folder. */
  readonly bin: string;
  /** The folder that relative paths count from where the sweep was started; runs record it. */
  readonly root: string;
  /** A folder to go to first. */
  readonly folder?: string | undefined;
  readonly cpus: number;
  /** Of the trial. */
  readonly options: readonly string[];
  /** Looks only whether the trial could run. */
  readonly check?: boolean;
};

/** Codes of sysexits.h, and those of the shell. */
const codes = { unseen: 66, withdrawn: 75, absent: 127 } as const;

/** The code of a job whose folder names another job. */
export const WITHDRAWN = codes.withdrawn;

/** Why a job ended with a code. */
export const codeText = (code: number, folder: string): string => {
  switch (code) {
    case codes.unseen:
      return `a node that does not see ${folder}`;
    case codes.withdrawn:
      return 'a job that was withdrawn';
    case codes.absent:
      return 'a node without Node, or without the command that was named';
    default:
      return `exit code ${code}`;
  }
};

/** Its words go to the log in the trial's folder. */
export const entrypoint = (
  { node, bin, root, folder: first, cpus, options, check }: Command,
  job: { readonly folder: string; readonly ticket: string; readonly by: string },
): string => {
  const at = (name: string): string => shellWord(join(job.folder, name));
  const words = [
    shellWord(node),
    shellWord(bin),
    'trial',
    at(trialFiles.trial),
    `--job ${shellWord(`${job.by}/${job.ticket}`)}`,
    `--root ${shellWord(root)}`,
    ...options.map(shellWord),
    ...(check === true ? ['--check'] : []),
  ].join(' ');
  const threads = Math.max(1, Math.floor(cpus));
  return [
    ...(first === undefined ? [] : [`cd ${shellWord(first)} || exit ${codes.unseen}`]),
    `test -f ${at(trialFiles.trial)} || exit ${codes.unseen}`,
    `command -v ${shellWord(node)} >/dev/null || exit ${codes.absent}`,
    `TF_NUM_INTRAOP_THREADS=${threads} TF_NUM_INTEROP_THREADS=1 exec ${words} >>${at(trialFiles.log)} 2>&1`,
  ].join('; ');
};
