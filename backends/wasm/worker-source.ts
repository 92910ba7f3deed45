/** What a thread of the wasm backend runs, in JavaScript of Node's workers and of pages: it waits for jobs, and takes parts of them. */

/** Where the numbers of a job lie in the memory that threads share for this. */
export const slots = {
  /** The number of the job, times `PARTS`, plus the part that is to be taken next. */
  ticket: 0,
  /** Of the job: the module, where its bytes lie and how many there are, the function, its table, the axis, the length of a part, the parts. */
  module: 1,
  bytes: 2,
  length: 3,
  nest: 4,
  table: 5,
  extent: 6,
  part: 7,
  parts: 8,
  done: 9,
  /** Threads that sleep until there is a job, and whether the first sleeps until one is done. */
  sleeping: 10,
  waiting: 11,
  stopping: 12,
  failed: 13,
  /** From here on, the system's number of each thread, where it tells. */
  threads: 16,
} as const;

/** One more than the parts that a job may have. */
export const PARTS = 256;

/** Jobs are numbered in what is left of 32 bits. */
export const JOBS = 2 ** 32 / PARTS;

/** Milliseconds that a thread looks for a job before it sleeps: longer than the host takes between two steps. */
const AWAKE = 0.5;

/** Begins with a `Task`, and ends by itself when it is told to stop. Its functions are short: the engine compiles them while the thread goes on. */
export const workerSource = `
'use strict';
const work = ({ memory, jobs, first, index }) => {
  const at = ${JSON.stringify(slots)};
  const modules = new Map();
  const nowhere = () => { throw new Error('a thread asks for the host'); };
  const functionsOf = (id) => {
    const known = modules.get(id);
    if (known !== undefined) return known;
    // The view of a memory that another thread has made longer is renewed by this.
    memory.grow(0);
    const bytes = new Uint8Array(memory.buffer, Atomics.load(jobs, at.bytes), Atomics.load(jobs, at.length)).slice();
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
      if (Atomics.load(jobs, at.ticket) >>> 8 !== seen || Atomics.load(jobs, at.stopping) !== 0) return true;
    return false;
  };
  const sleep = (seen) => {
    Atomics.add(jobs, at.sleeping, 1);
    const ticket = Atomics.load(jobs, at.ticket);
    if (ticket >>> 8 === seen && Atomics.load(jobs, at.stopping) === 0) Atomics.wait(jobs, at.ticket, ticket);
    Atomics.sub(jobs, at.sleeping, 1);
  };
  const waitFor = (seen) => {
    const end = performance.now() + ${AWAKE};
    while (!look(seen, 256)) if (performance.now() > end) sleep(seen);
  };
  // As \`takeParts\` of threads.ts does.
  const take = (job) => {
    for (;;) {
      const now = Atomics.load(jobs, at.ticket);
      if (now >>> 8 !== job) return;
      const part = now & 255;
      const id = Atomics.load(jobs, at.module);
      const nest = Atomics.load(jobs, at.nest);
      const table = Atomics.load(jobs, at.table);
      const extent = Atomics.load(jobs, at.extent);
      const length = Atomics.load(jobs, at.part);
      if (part >= Atomics.load(jobs, at.parts)) return;
      if (Atomics.compareExchange(jobs, at.ticket, now, now + 1) !== now) continue;
      try {
        functionsOf(id)[nest](table, part * length, Math.min(extent, (part + 1) * length));
      } catch {
        Atomics.store(jobs, at.failed, 1);
      }
      Atomics.add(jobs, at.done, 1);
      if (Atomics.load(jobs, at.waiting) !== 0) Atomics.notify(jobs, at.done);
    }
  };
  try {
    const own = require('node:fs').readlinkSync('/proc/thread-self');
    Atomics.store(jobs, at.threads + index, Number(own.slice(own.lastIndexOf('/') + 1)));
  } catch {
    // No system that tells.
  }
  let seen = first;
  for (;;) {
    waitFor(seen);
    if (Atomics.load(jobs, at.stopping) !== 0) return;
    seen = Atomics.load(jobs, at.ticket) >>> 8;
    take(seen);
  }
};
if (typeof require === 'function') work(require('node:worker_threads').workerData);
else self.onmessage = ({ data }) => { work(data); self.close(); };
`;
