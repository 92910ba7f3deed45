/** A small server that speaks Ray's Jobs protocol and runs what it is given in a shell, on as many slots as it has. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { isObject, type Json } from './json.js';

export type FakeJob = {
  readonly request: Json;
  status: 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'STOPPED';
  error: string | undefined;
  code: number | undefined;
  child: ChildProcess | undefined;
};

export type FakeRay = {
  readonly address: string;
  readonly jobs: ReadonlyMap<string, FakeJob>;
  readonly packages: ReadonlyMap<string, Uint8Array>;
  /** Every request: its method, path and headers. */
  readonly asked: readonly { readonly method: string; readonly path: string; readonly headers: Json }[];
  /** Answers before the protocol does. */
  answer:
    | ((method: string, path: string) => { readonly status: number; readonly text: string } | undefined)
    | undefined;
  /** What a node makes of the line that it is given. */
  rewrite: (entrypoint: string) => string;
  /** Loses a running job as with its node: the process is gone, or, where it is only lost from sight, goes on. */
  readonly lose: (id: string, process?: 'gone' | 'goes on') => void;
  readonly close: () => Promise<void>;
};

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
};

const endGroup = (child: ChildProcess | undefined): void => {
  try {
    if (child?.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
};

export const startFakeRay = async (slots = 1): Promise<FakeRay> => {
  const folder = mkdtempSync(join(tmpdir(), 'immersion-fake-ray-'));
  const jobs = new Map<string, FakeJob>();
  const packages = new Map<string, Uint8Array>();
  const asked: FakeRay['asked'][number][] = [];

  const place = (): void => {
    const running = [...jobs.values()].filter(({ status }) => status === 'RUNNING').length;
    const [next] = [...jobs.values()].filter(({ status }) => status === 'PENDING');
    if (next === undefined || running >= slots) return;
    next.status = 'RUNNING';
    const environment: unknown = next.request['runtime_env'];
    const archive = packages.get(
      String(isObject(environment) ? environment['working_dir'] : '').slice('gcs://'.length),
    );
    const cwd = mkdtempSync(join(folder, 'job-'));
    for (const [name, bytes] of Object.entries(archive === undefined ? {} : unzipSync(archive))) {
      mkdirSync(dirname(join(cwd, name)), { recursive: true });
      writeFileSync(join(cwd, name), bytes, { mode: 0o755 });
    }
    const child = spawn('sh', ['-c', self.rewrite(String(next.request['entrypoint']))], {
      cwd,
      detached: true,
      stdio: 'ignore',
    });
    next.child = child;
    child.on('exit', (code) => {
      if (next.status === 'RUNNING') {
        next.status = code === 0 ? 'SUCCEEDED' : 'FAILED';
        next.code = code ?? undefined;
        next.error = code === 0 ? undefined : 'JOB_ENTRYPOINT_COMMAND_ERROR';
      }
      place();
    });
    place();
  };

  const details = (job: FakeJob): Json => ({
    type: 'SUBMISSION',
    status: job.status,
    error_type: job.error ?? null,
    message: job.error === undefined ? 'Job is there.' : 'The actor died because its node has died.',
    driver_exit_code: job.code ?? null,
    driver_agent_http_address: job.child === undefined ? null : 'http://10.0.0.7:52365',
  });

  type Answer = { readonly status: number; readonly text: string };
  const ok = (json: unknown): Answer => ({ status: 200, text: JSON.stringify(json) });

  const answerTo = (method: string, path: string, body: Buffer): Answer => {
    const [, api, kind, name = '', what] = path.split('/');
    if (api !== 'api') return { status: 404, text: 'no such page' };
    if (kind === 'version')
      return ok({ version: '4', ray_version: '2.60.0', ray_commit: 'x', session_name: 'y' });
    if (kind === 'packages') {
      const archive = what ?? '';
      if (method === 'GET')
        return packages.has(archive) ? { status: 200, text: '' } : { status: 404, text: 'none' };
      packages.set(archive, body);
      return { status: 200, text: '' };
    }
    if (method === 'POST' && name === '') {
      const request: unknown = JSON.parse(body.toString());
      if (!isObject(request)) return { status: 400, text: 'TypeError: no object' };
      const id = String(request['submission_id']);
      if (jobs.has(id))
        return { status: 500, text: `ValueError: Job with submission_id ${id} already exists.` };
      jobs.set(id, { request, status: 'PENDING', error: undefined, code: undefined, child: undefined });
      setTimeout(place, 5);
      return ok({ job_id: id, submission_id: id });
    }
    const job = jobs.get(name);
    if (job === undefined) return { status: 404, text: `Job ${name} does not exist` };
    if (method === 'DELETE') {
      if (job.status === 'PENDING' || job.status === 'RUNNING')
        return { status: 500, text: 'RuntimeError: it runs' };
      jobs.delete(name);
      return ok({ deleted: true });
    }
    if (what === 'stop') {
      const stopped = job.status === 'RUNNING';
      // One that waits is stopped when it begins, as Ray does it.
      if (stopped) {
        job.status = 'STOPPED';
        endGroup(job.child);
      }
      return ok({ stopped });
    }
    return ok(details(job));
  };

  const self: Pick<FakeRay, 'answer' | 'rewrite'> = { answer: undefined, rewrite: (line) => line };
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    asked.push({ method, path: url, headers: { ...headers } });
    void bodyOf(request).then((body) => {
      const { status, text } = self.answer?.(method, url) ?? answerTo(method, url, body);
      response.writeHead(status);
      response.end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return Object.assign(self, {
    address: `http://127.0.0.1:${port}`,
    jobs,
    packages,
    asked,
    lose: (id: string, what: 'gone' | 'goes on' = 'gone') => {
      const job = jobs.get(id);
      if (job === undefined) return;
      job.status = 'FAILED';
      job.error = 'JOB_SUPERVISOR_ACTOR_DIED';
      if (what === 'gone') endGroup(job.child);
      else place();
    },
    close: async () => {
      [...jobs.values()].forEach(({ child }) => endGroup(child));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  });
};
