/** Threads that share nests: they take parts of a job, wait without work, and end with the process. */
import { problem } from '../../dsl/problem.js';
import { BackendFailure } from '../failure.js';
import type { Heap } from './heap.js';
import { JOBS, PARTS, REGION, slots } from './worker-source.js';
import { isAlive, type StartedWorker, startWorker } from './workers.js';

/** A module that threads make their own when they first need it. */
export type Shareable = {
  readonly id: number;
  /** Where its bytes lie, and how many there are. */
  readonly address: number;
  readonly length: number;
  /** Its nests by number: each takes a table and a range. */
  readonly nests: readonly NestFunction[];
};

/** A thread that did not come back: what it writes to may be written to later than this. */
export class ThreadLost extends BackendFailure {}

export type NestFunction = (table: number, lo: number, hi: number) => void;

export type Threads = {
  readonly count: number;
  /** Runs all of a nest, a part here and a part there. */
  readonly share: (module: Shareable, nest: number, table: number, extent: number) => void;
  /** Whether nests are shared from now on, or run here. */
  readonly turn: (on: boolean) => void;
  /** Ends the threads; what is shared afterwards runs here. */
  readonly end: () => Promise<void>;
};

/** As many parts a thread at least, where an axis is long enough, so that one that is late takes fewer; and at most. */
const [FEWEST, MOST] = [4, 16];

/** Milliseconds of looking before this thread gives its core to one that has not come to its part, and between two looks at whether that is alive. */
const LOOKING = 0.05;
const NAP = 100;

/** Milliseconds after which a thread counts as lost. */
const LOST = 120_000;

/** Indices of an axis in a part: threads that are equally fast end at once, in as few parts as may be. */
export const partLength = (extent: number, count: number): number => {
  const longest = Math.ceil(extent / (FEWEST * count));
  const shortest = Math.ceil(extent / (MOST * count));
  const rounds = (length: number): number => Math.ceil(Math.ceil(extent / length) / count) * length;
  let best = longest;
  for (let length = longest - 1; length >= shortest; length--)
    if (rounds(length) < rounds(best)) best = length;
  return best;
};

/** Sleeps until a part is done; pages may not let their first thread sleep. */
const nap = (jobs: Int32Array, done: number): void => {
  try {
    Atomics.wait(jobs, slots.done, done, NAP);
  } catch {
    // It looks on.
  }
};

const ticketOf = (region: number): number => slots.regions + REGION * region;

/** Runs parts of a region of a job, as long as there are some; a late thread finds another number, and leaves. */
const takeParts = (
  jobs: Int32Array,
  job: number,
  region: number,
  run: (lo: number, hi: number) => void,
): void => {
  const ticket = ticketOf(region);
  for (;;) {
    const now = Atomics.load(jobs, ticket);
    if (now >>> 8 !== job) return;
    const part = now & 255;
    const [extent, length] = [Atomics.load(jobs, slots.extent), Atomics.load(jobs, slots.part)];
    const per = Atomics.load(jobs, slots.perRegion);
    const lo = (region * per + part) * length;
    if (part >= per || lo >= extent) return;
    if (Atomics.compareExchange(jobs, ticket, now, now + 1) !== now) continue;
    try {
      run(lo, Math.min(extent, lo + length));
    } catch {
      Atomics.store(jobs, slots.failed, 1);
    }
    Atomics.add(jobs, slots.done, 1);
  }
};

const alone: Threads['share'] = ({ nests }, nest, table, extent) => nests[nest]?.(table, 0, extent);

const single: Threads = { count: 1, share: alone, turn: () => undefined, end: async () => undefined };

/** `count` with this thread; one where their memory cannot be shared. */
export const startThreads = (heap: Heap, count: number, start = startWorker): Threads => {
  if (count < 2 || !heap.shared) return single;
  const jobs = new Int32Array(new SharedArrayBuffer(4 * ticketOf(count)));
  let workers: readonly StartedWorker[] = [];
  let job = 0;
  let ended = false;
  let on = true;
  const lengths = new Map<number, number>();
  const lengthOf = (extent: number): number => {
    const length = lengths.get(extent) ?? partLength(extent, count);
    lengths.set(extent, length);
    return length;
  };
  const end = async (): Promise<void> => {
    ended = true;
    Atomics.store(jobs, slots.stopping, 1);
    Atomics.notify(jobs, slots.job);
    const ending = workers.map((worker) => worker.end());
    workers = [];
    await Promise.all(ending);
  };
  /** A part that was begun cannot be begun again, since some add to what is there. */
  const lost = (): ThreadLost => {
    void end();
    return new ThreadLost(problem('wasm', 'a thread that was lost', 'a step that ends'));
  };
  const anyLost = (): boolean => workers.some((_, i) => !isAlive(Atomics.load(jobs, ticketOf(i + 1) + 1)));

  /** Whether they could: a system gives so many threads and no more. */
  const begin = (): boolean => {
    try {
      for (let index = 1; index < count; index++)
        workers = [...workers, start({ memory: heap.memory, jobs, first: job, index, count })];
      return true;
    } catch {
      void end();
      return false;
    }
  };

  const isDone = (parts: number, turns: number): boolean => {
    for (let i = 0; i < turns; i++) if (Atomics.load(jobs, slots.done) >= parts) return true;
    return false;
  };
  const wait = (parts: number): void => {
    if (isDone(parts, 64)) return;
    const since = performance.now();
    while (!isDone(parts, 256)) {
      const waited = performance.now() - since;
      if (waited < LOOKING) continue;
      if (waited > NAP && (anyLost() || waited > LOST) && !isDone(parts, 1)) throw lost();
      Atomics.store(jobs, slots.waiting, 1);
      const done = Atomics.load(jobs, slots.done);
      if (done < parts) nap(jobs, done);
      Atomics.store(jobs, slots.waiting, 0);
    }
  };

  const share: Threads['share'] = (module, nest, table, extent) => {
    if (ended || !on || extent < 2) return alone(module, nest, table, extent);
    if (workers.length === 0 && !begin()) return alone(module, nest, table, extent);
    const run = module.nests[nest];
    const length = lengthOf(extent);
    const parts = Math.ceil(extent / length);
    // No part has this number, so nobody takes one of a job that is being written; and none sees it before it is.
    for (let region = 0; region < count; region++)
      Atomics.store(jobs, ticketOf(region), (job << 8) | (PARTS - 1));
    job = (job + 1) % JOBS;
    Atomics.store(jobs, slots.module, module.id);
    Atomics.store(jobs, slots.bytes, module.address);
    Atomics.store(jobs, slots.length, module.length);
    Atomics.store(jobs, slots.nest, nest);
    Atomics.store(jobs, slots.table, table);
    Atomics.store(jobs, slots.extent, extent);
    Atomics.store(jobs, slots.part, length);
    Atomics.store(jobs, slots.perRegion, Math.ceil(parts / count));
    Atomics.store(jobs, slots.done, 0);
    for (let region = 0; region < count; region++) Atomics.store(jobs, ticketOf(region), job << 8);
    Atomics.store(jobs, slots.job, job);
    if (Atomics.load(jobs, slots.sleeping) > 0) Atomics.notify(jobs, slots.job);
    for (let region = 0; region < count; region++)
      takeParts(jobs, job, region, (lo, hi) => run?.(table, lo, hi));
    wait(parts);
    if (Atomics.exchange(jobs, slots.failed, 0) !== 0)
      throw new BackendFailure(problem('wasm', 'an error in a thread', 'a step that ends'));
  };
  const turn = (sharing: boolean): void => {
    on = sharing;
  };
  return { count, share, turn, end };
};
