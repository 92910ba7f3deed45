/** What a thread of the wasm backend runs, in JavaScript of Node's workers and of pages: it waits for jobs, and takes parts of them. */

/** Where the numbers of a job lie in the memory that threads share for this; what is written often has a line of the cache for itself. */
export const slots = {
  /** The number of the job, which is written last. */
  job: 0,
  /** Of the job: the module, where its bytes lie and how many there are, the function, its table, the axis, the length of a part, the parts of a region. */
  module: 1,
  bytes: 2,
  length: 3,
  nest: 4,
  table: 5,
  extent: 6,
  part: 7,
  perRegion: 8,
  done: 16,
  /** Threads that sleep until there is a job, and whether the first sleeps until a part is done. */
  sleeping: 32,
  waiting: 33,
  stopping: 34,
  failed: 35,
  /**
   * Each thread begins with a region of the parts, the same of every job, so that it finds what it made itself in its cache. From here on for
   * each: the number of the job, times `PARTS`, plus the part that is to be taken next; and the system's number of the thread, where it tells.
   */
  regions: 48,
} as const;

/** Numbers of a region. */
export const REGION = 16;

/** One more than the parts that a region may have. */
export const PARTS = 256;

/** Jobs are numbered in what is left of 32 bits. */
export const JOBS = 2 ** 32 / PARTS;

/** Milliseconds that a thread looks for a job before it sleeps: longer than the host takes between two steps. */
const AWAKE = 0.5;

/** Begins with a `Task`, and ends by itself when it is told to stop. Its functions are short: the engine compiles them while the thread goes on. */
export const workerSource = `
'use strict';
const work = ({ memory, jobs, first, index, count }) => {
  const at = ${JSON.stringify(slots)};
  const modules = new Map();
  const nowhere = () => { throw new Error('a thread asks for the host'); };
  const functionsOf = (id) => {
    const known = modules.get(id);
    if (known !== undefined) return known;
    // The view of a memory that another thread has made longer is renewed by this.
    memory.grow(0);
    // An address is 32 bits without a sign.
    const bytes = new Uint8Array(memory.buffer, Atomics.load(jobs, at.bytes) >>> 0, Atomics.load(jobs, at.length)).slice();
    const module = new WebAssembly.Module(bytes);
    const { exports } = new WebAssembly.Instance(module, { env: { memory, share: nowhere, host: nowhere } });
    const functions = [];
    while (exports['n' + functions.length] !== undefined) functions.push(exports['n' + functions.length]);
    if (modules.size >= 16) modules.delete(modules.keys().next().value);
    modules.set(id, functions);
    return functions;
  };
  // Whether there is another job than the last that was seen, or none any more.
  const look = (seen, turns) => {
    for (let i = 0; i < turns; i++)
      if (Atomics.load(jobs, at.job) !== seen || Atomics.load(jobs, at.stopping) !== 0) return true;
    return false;
  };
  const sleep = (seen) => {
    Atomics.add(jobs, at.sleeping, 1);
    if (Atomics.load(jobs, at.stopping) === 0) Atomics.wait(jobs, at.job, seen);
    Atomics.sub(jobs, at.sleeping, 1);
  };
  const waitFor = (seen) => {
    const end = performance.now() + ${AWAKE};
    while (!look(seen, 256)) if (performance.now() > end) sleep(seen);
  };
  // As \`takeParts\` of threads.ts does.
  const take = (job, region) => {
    const ticket = at.regions + ${REGION} * region;
    for (;;) {
      const now = Atomics.load(jobs, ticket);
      if (now >>> 8 !== job) return;
      const part = now & 255;
      const id = Atomics.load(jobs, at.module);
      const nest = Atomics.load(jobs, at.nest);
      const table = Atomics.load(jobs, at.table);
      const extent = Atomics.load(jobs, at.extent);
      const length = Atomics.load(jobs, at.part);
      const per = Atomics.load(jobs, at.perRegion);
      const lo = (region * per + part) * length;
      if (part >= per || lo >= extent) return;
      if (Atomics.compareExchange(jobs, ticket, now, now + 1) !== now) continue;
      try {
        functionsOf(id)[nest](table, lo, Math.min(extent, lo + length));
      } catch {
        Atomics.store(jobs, at.failed, 1);
      }
      Atomics.add(jobs, at.done, 1);
      if (Atomics.load(jobs, at.waiting) !== 0) Atomics.notify(jobs, at.done);
    }
  };
  try {
    const own = require('node:fs').readlinkSync('/proc/thread-self');
    Atomics.store(jobs, at.regions + ${REGION} * index + 1, Number(own.slice(own.lastIndexOf('/') + 1)));
  } catch {
    // No system that tells.
  }
  let seen = first;
  for (;;) {
    waitFor(seen);
    if (Atomics.load(jobs, at.stopping) !== 0) return;
    seen = Atomics.load(jobs, at.job);
    for (let i = 0; i < count; i++) take(seen, (index + i) % count);
  }
};
if (typeof require === 'function') work(require('node:worker_threads').workerData);
else self.onmessage = ({ data }) => { work(data); self.close(); };
`;
