/** Threads that share nests: Node's workers, or a page's where it is isolated from other origins. They wait without work, and end with the process. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { problem } from '../../dsl/problem.js';
import { BackendFailure } from '../failure.js';
import type { Exports } from './engine.js';
import type { Heap } from './heap.js';
import { JOBS, PARTS, slots, workerSource } from './worker-source.js';

/** A module that threads make their own when they first need it. */
export type Shareable = {
  readonly id: number;
  /** Where its bytes lie, and how many there are. */
  readonly address: number;
  readonly length: number;
  readonly exports: Exports;
};

export type Threads = {
  readonly count: number;
  /** Runs all of a nest, a part here and a part there. */
  readonly share: (module: Shareable, nest: number, table: number, extent: number) => void;
  /** Ends the threads; what is shared afterwards runs here. */
  readonly end: () => Promise<void>;
};

/** So many parts a thread: one that is late takes fewer. */
const PARTS_A_THREAD = 2;

/** Turns of looking before this thread gives its core to one that has not come to its part. */
const LOOKS = 4000;
const NAP = 0.5;

/** Milliseconds after which a thread counts as lost. */
const LOST = 120_000;

/** Pages may not let their first thread sleep. */
const nap = (jobs: Int32Array, done: number): void => {
  try {
    Atomics.wait(jobs, slots.done, done, NAP);
  } catch {
    // It looks on.
  }
};

/** As many as there are cores; fewer where the environment says how many an operation may have, as a sweep does. */
export const usualThreads = (): number => {
  const given = Number(process.env['TF_NUM_INTRAOP_THREADS'] ?? '');
  return Number.isInteger(given) && given > 0
    ? Math.min(given, availableParallelism())
    : availableParallelism();
};

/** Runs parts of a job, as long as there are some; a late thread finds another number, and leaves. */
const takeParts = (jobs: Int32Array, job: number, run: (lo: number, hi: number) => void): void => {
  for (;;) {
    const now = Atomics.load(jobs, slots.ticket);
    if (now >>> 8 !== job) return;
    const part = now & 255;
    const [extent, length] = [Atomics.load(jobs, slots.extent), Atomics.load(jobs, slots.part)];
    if (part >= Atomics.load(jobs, slots.parts)) return;
    if (Atomics.compareExchange(jobs, slots.ticket, now, now + 1) !== now) continue;
    try {
      run(part * length, Math.min(extent, (part + 1) * length));
    } catch {
      Atomics.store(jobs, slots.failed, 1);
    }
    Atomics.add(jobs, slots.done, 1);
  }
};

const alone = (module: Shareable, nest: number, table: number, extent: number): void =>
  module.exports[`n${nest}`]?.(table, 0, extent);

export const startThreads = (heap: Heap, count: number): Threads => {
  const jobs = new Int32Array(new SharedArrayBuffer(4 * slots.count));
  let workers: Worker[] = [];
  let job = 0;
  const start = (): void => {
    const first = Atomics.load(jobs, slots.ticket) >>> 8;
    workers = Array.from({ length: count - 1 }, () => {
      const workerData = { memory: heap.memory, jobs, first };
      const worker = new Worker(workerSource, { eval: true, execArgv: [], workerData });
      worker.unref();
      // What it could not do is done here.
      worker.on('error', () => undefined);
      return worker;
    });
  };
  let ended = count < 2 || !heap.shared;

  const wait = (parts: number): void => {
    let since: number | undefined;
    for (let turns = 1; ; turns += 1) {
      const done = Atomics.load(jobs, slots.done);
      if (done >= parts) return;
      if (turns < LOOKS) continue;
      since ??= performance.now();
      if (performance.now() - since > LOST)
        throw new BackendFailure(problem('wasm', 'a thread that was lost', 'a step that ends'));
      nap(jobs, done);
    }
  };

  const share: Threads['share'] = (module, nest, table, extent) => {
    if (ended || extent < 2) return alone(module, nest, table, extent);
    if (workers.length === 0) start();
    const wanted = Math.min(extent, PARTS_A_THREAD * count, PARTS - 2);
    const length = Math.ceil(extent / wanted);
    const parts = Math.ceil(extent / length);
    job = (job + 1) % JOBS;
    // While the parts are none, nobody takes one of a job that is being written.
    Atomics.store(jobs, slots.parts, 0);
    Atomics.store(jobs, slots.module, module.id);
    Atomics.store(jobs, slots.bytes, module.address);
    Atomics.store(jobs, slots.length, module.length);
    Atomics.store(jobs, slots.nest, nest);
    Atomics.store(jobs, slots.table, table);
    Atomics.store(jobs, slots.extent, extent);
    Atomics.store(jobs, slots.part, length);
    Atomics.store(jobs, slots.done, 0);
    Atomics.store(jobs, slots.ticket, job << 8);
    Atomics.store(jobs, slots.parts, parts);
    if (Atomics.load(jobs, slots.sleeping) > 0) Atomics.notify(jobs, slots.ticket);
    takeParts(jobs, job, (lo, hi) => module.exports[`n${nest}`]?.(table, lo, hi));
    wait(parts);
    if (Atomics.exchange(jobs, slots.failed, 0) !== 0)
      throw new BackendFailure(problem('wasm', 'an error in a thread', 'a step that ends'));
  };

  return {
    count: ended ? 1 : count,
    share,
    end: async () => {
      ended = true;
      Atomics.store(jobs, slots.stopping, 1);
      Atomics.notify(jobs, slots.ticket);
      await Promise.all(workers.map((worker) => worker.terminate()));
      workers = [];
    },
  };
};
