/** A Ray cluster of two nodes on this machine, at loopback addresses of their own, which lets in who has the token. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { elementAt } from '../../dsl/lookup.js';

export type RayCluster = {
  readonly address: string;
  readonly token: string;
  /** Loses the second node as a machine is lost: its daemon is gone, and tells nobody. */
  readonly killSecond: () => void;
  /** Starts a second node again. */
  readonly startSecond: () => Promise<void>;
  readonly stop: () => void;
};

export const SECOND = '127.0.0.3';

/** Ports that are free now. */
const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer();
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  return servers.map((server) => {
    const address = server.address();
    server.close();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
};

type Process = { readonly pid: number; readonly parent: number; readonly command: string };

const processes = (): readonly Process[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return [{ pid: Number(name), parent: Number(parent), command }];
      } catch {
        return [];
      }
    });

/** A process and all that it has started. */
const tree = (all: readonly Process[], root: number): readonly Process[] => [
  ...all.filter(({ pid }) => pid === root),
  ...all.filter(({ parent }) => parent === root).flatMap(({ pid }) => tree(all, pid)),
];

const end = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
};

const SMALL = ['--num-cpus', '1', '--memory', '2000000000', '--object-store-memory', '80000000'];

export const startRay = async (python: string): Promise<RayCluster> => {
  const folder = mkdtempSync(join(tmpdir(), 'imm-'));
  mkdirSync(join(folder, 'head'));
  mkdirSync(join(folder, 'second'));
  const token = randomUUID();
  const [port, dashboard, client, agent, other] = await freePorts(5);
  const environment = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    RAY_AUTH_MODE: 'token',
    RAY_AUTH_TOKEN: token,
    RAY_USAGE_STATS_ENABLED: '0',
    // A node that is gone is missed after three seconds.
    RAY_health_check_initial_delay_ms: '1000',
    RAY_health_check_period_ms: '1000',
    RAY_health_check_timeout_ms: '3000',
    RAY_health_check_failure_threshold: '3',
  };
  const start = (...words: readonly string[]): ChildProcess => {
    const script = join(dirname(python), 'ray');
    const child = spawn(python, [script, 'start', '--block', '--disable-usage-stats', ...SMALL, ...words], {
      env: environment,
      stdio: 'ignore',
    });
    return child;
  };
  const head = start(
    ...[
      '--head',
      '--node-ip-address',
      '127.0.0.2',
      '--port',
      String(port),
      '--temp-dir',
      join(folder, 'head'),
    ],
    ...['--dashboard-host', '127.0.0.1', '--dashboard-port', String(dashboard)],
    ...['--ray-client-server-port', String(client), '--dashboard-agent-listen-port', String(agent)],
    ...['--include-log-monitor', 'false'],
  );
  const address = `http://127.0.0.1:${dashboard}`;
  const nodes = async (): Promise<number> => {
    try {
      const answer = await fetch(`${address}/nodes?view=summary`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return (await answer.text()).split('"ALIVE"').length - 1;
    } catch {
      return 0;
    }
  };
  const until = async (count: number): Promise<void> => {
    for (let tries = 0; (await nodes()) < count; tries += 1) {
      if (tries > 240) throw new Error(`no Ray cluster of ${count} nodes; its words are in ${folder}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };
  let second: ChildProcess | undefined;
  const startSecond = async (): Promise<void> => {
    // On one machine two nodes would unpack what jobs need into one place.
    second = start(
      '--temp-dir',
      join(folder, 'second'),
      '--address',
      `127.0.0.2:${port}`,
      '--node-ip-address',
      SECOND,
      '--dashboard-agent-listen-port',
      String(other),
    );
    await until(2);
  };
  const stop = (): void => {
    const all = processes();
    const ours = [head, second].flatMap((child) => (child?.pid === undefined ? [] : tree(all, child.pid)));
    [...ours, ...processes().filter(({ command }) => command.includes(folder))].forEach(({ pid }) =>
      end(pid),
    );
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(1);
    await startSecond();
  } catch (error) {
    stop();
    throw error;
  }
  return {
    address,
    token,
    killSecond: () => {
      const own = tree(processes(), second?.pid ?? -1);
      end(
        elementAt(
          own.filter(({ command }) => command.includes('raylet/raylet')),
          0,
        ).pid,
      );
    },
    startSecond,
    stop,
  };
};
