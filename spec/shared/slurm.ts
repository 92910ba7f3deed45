/** Slurm with two nodes on this machine, made of Debian's slurmctld, slurmd and munge, under ports and folders of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './ports.js';
import { end, type Process, processes, tree } from './processes.js';

export type SlurmCluster = {
  /** What `SLURM_CONF` is to be. */
  readonly configuration: string;
  /** Of its second node. */
  readonly second: string;
  /** Kills all that is of the second node. */
  readonly killSecond: () => void;
  readonly stop: () => void;
};

const SECOND = 'n2';

const configurationOf = (folder: string, [controller, first, second]: readonly number[]): string => {
  const name = hostname();
  const user = userInfo().username;
  const node = (own: string, port: number | undefined): string =>
    `NodeName=${own} NodeHostname=${name} NodeAddr=127.0.0.1 Port=${port} CPUs=1 RealMemory=4000 State=UNKNOWN`;
  return [
    'ClusterName=here',
    `SlurmctldHost=${name}(127.0.0.1)`,
    `SlurmUser=${user}`,
    `SlurmdUser=${user}`,
    'AuthType=auth/munge',
    `AuthInfo=socket=${folder}/munge/socket`,
    `SlurmctldPort=${controller}`,
    `StateSaveLocation=${folder}/state`,
    `SlurmdSpoolDir=${folder}/spool-%n`,
    `SlurmctldPidFile=${folder}/controller.pid`,
    `SlurmdPidFile=${folder}/%n.pid`,
    `SlurmctldLogFile=${folder}/controller.log`,
    `SlurmdLogFile=${folder}/%n.log`,
    'ProctrackType=proctrack/pgid',
    'TaskPlugin=task/none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_Core_Memory',
    'ReturnToService=0',
    'MpiDefault=none',
    'SchedulerParameters=sched_interval=1',
    'AccountingStorageType=accounting_storage/none',
    'JobAcctGatherType=jobacct_gather/none',
    // A node that is gone is missed after some seconds.
    'SlurmdTimeout=6',
    node('n1', first),
    node(SECOND, second),
    `PartitionName=main Nodes=n1,${SECOND} Default=YES MaxTime=INFINITE State=UP`,
    '',
  ].join('\n');
};

/** Whether a variable is so in the environment that a process began with. */
const hasVariable = (pid: number, variable: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(variable);
  } catch {
    return false;
  }
};

/** The jobs' processes with this in their environment, and the steps that hold them, whose own tells nothing. */
const jobsWith = (variable: string): readonly Process[] => {
  const all = processes();
  const jobs = all.filter(({ pid }) => hasVariable(pid, variable));
  const steps = all.filter(({ command }) => command.startsWith('slurmstepd'));
  return [...steps.filter(({ pid }) => jobs.some(({ parent }) => parent === pid)), ...jobs];
};

export const startSlurm = async (): Promise<SlurmCluster> => {
  const folder = mkdtempSync(join(tmpdir(), 'imm-slurm-'));
  mkdirSync(join(folder, 'munge'), { mode: 0o700 });
  mkdirSync(join(folder, 'state'));
  const key = join(folder, 'munge', 'key');
  writeFileSync(key, randomBytes(1024), { mode: 0o400 });
  const configuration = join(folder, 'slurm.conf');
  writeFileSync(configuration, configurationOf(folder, await freePorts(3)));
  const environment = { ...process.env, SLURM_CONF: configuration };
  const started: ChildProcess[] = [];
  const start = (command: string, ...words: readonly string[]): ChildProcess => {
    const child = spawn(command, words, { env: environment, stdio: 'ignore' });
    started.push(child);
    return child;
  };
  const munge = (name: string): string => join(folder, 'munge', name);
  start(
    'munged',
    ...['--foreground', '--force', '--key-file', key, '--socket', munge('socket')],
    ...['--pid-file', munge('pid'), '--log-file', munge('log'), '--seed-file', munge('seed')],
  );
  const stop = (): void => {
    const jobs = jobsWith(`SLURM_CONF=${configuration}`).filter(({ pid }) => pid !== process.pid);
    const all = processes();
    const ours = started.flatMap(({ pid }) => (pid === undefined ? [] : tree(all, pid)));
    [...jobs, ...ours, ...processes().filter(({ command }) => command.includes(folder))].forEach(end);
    rmSync(folder, { recursive: true, force: true });
  };
  const until = async (what: string, ...words: readonly string[]): Promise<void> => {
    const [command = '', ...rest] = words;
    for (let tries = 0; ; tries += 1) {
      const { stdout } = spawnSync(command, rest, { env: environment, encoding: 'utf8' });
      if (String(stdout).includes(what)) return;
      if (tries > 120) {
        stop();
        throw new Error(`no Slurm of two nodes: ${words.join(' ')} says ${stdout}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };
  await until(
    'Success',
    'sh',
    '-c',
    `munge --socket ${munge('socket')} --no-input | unmunge --socket ${munge('socket')}`,
  );
  start('slurmctld', '-D', '-i');
  await until('UP', 'scontrol', 'ping');
  start('slurmd', '-D', '-N', 'n1');
  const second = start('slurmd', '-D', '-N', SECOND);
  await until('2 idle', 'sinfo', '--noheader', '--format=%D %T');
  return {
    configuration,
    second: SECOND,
    killSecond: () => {
      const daemon = processes().filter(({ pid }) => pid === second.pid);
      [...daemon, ...jobsWith(`SLURMD_NODENAME=${SECOND}`)].forEach(end);
    },
    stop,
  };
};
