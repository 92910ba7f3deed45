/** Workers by what runs us: Node's, or a page's where it is isolated from other origins. */
import type { SharedMemory } from './engine.js';
import { workerSource } from './worker-source.js';

/** What a worker is told when it begins. */
export type Task = {
  readonly memory: SharedMemory;
  readonly jobs: Int32Array;
  /** The number of the job before those that it sees. */
  readonly first: number;
  /** The thread's own number, of so many; the first thread's is 0. */
  readonly index: number;
  readonly count: number;
};

export type StartedWorker = { readonly end: () => Promise<unknown> };

export type StartWorker = (task: Task) => StartedWorker;

type PageWorker = {
  readonly postMessage: (task: Task) => void;
  readonly terminate: () => void;
};

/** What is used of a page, whose types are not among ours. */
type Page = {
  readonly Worker?: new (url: string) => PageWorker;
  readonly Blob: new (parts: readonly string[], options: { readonly type: string }) => object;
  readonly URL: {
    readonly createObjectURL: (blob: object) => string;
    readonly revokeObjectURL: (url: string) => void;
  };
};

const page = globalThis as unknown as Page;

/** Node's own modules, where there is Node: a page has no `node:` to import from. */
const builtin = globalThis.process?.getBuiltinModule;

const startInNode: StartWorker = (workerData) => {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const worker = new Worker(workerSource, { eval: true, execArgv: [], workerData });
  worker.unref();
  // What it could not do is done by others.
  worker.on('error', () => undefined);
  return { end: () => worker.terminate() };
};

const startInPage = (Worker: NonNullable<Page['Worker']>, task: Task): StartedWorker => {
  const url = page.URL.createObjectURL(new page.Blob([workerSource], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.postMessage(task);
  return {
    end: async () => {
      worker.terminate();
      page.URL.revokeObjectURL(url);
    },
  };
};

/** Nothing where there are no workers: what they would do is done by others. */
export const startWorker: StartWorker = (task) => {
  if (builtin !== undefined) return startInNode(task);
  return page.Worker === undefined ? { end: async () => undefined } : startInPage(page.Worker, task);
};

/** Whether a thread of this process, by the system's number of it, is there; true where the system does not tell. */
export const isAlive = (thread: number): boolean =>
  thread === 0 ||
  builtin === undefined ||
  process.getBuiltinModule('node:fs').existsSync(`/proc/self/task/${thread}`);
