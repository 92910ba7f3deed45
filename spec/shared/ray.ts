/** A Ray cluster of two nodes on this machine, at loopback addresses of their own, which lets in who has the token. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { elementAt } from '../../dsl/lookup.js';
import { freePorts } from './ports.js';
import { end, processes, tree } from './processes.js';

export type RayCluster = {
  readonly address: string;
  readonly token: string;
  /** Of its second node, as Ray calls it. */
  readonly second: string;
  /** Kills the daemon of the second node, which says goodbye to nobody; what a job started there is lost from sight. */
  readonly killSecond: () => void;
  readonly stop: () => void;
};

const SECOND = '127.0.0.3';

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
      if (tries > 600) throw new Error(`no Ray cluster of ${count} nodes; its words are in ${folder}`);
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
    [...ours, ...processes().filter(({ command }) => command.includes(folder))].forEach(end);
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
    second: SECOND,
    killSecond: () => {
      const own = tree(processes(), second?.pid ?? -1);
      end(
        elementAt(
          own.filter(({ command }) => command.includes('raylet/raylet')),
          0,
        ),
      );
    },
    stop,
  };
};
