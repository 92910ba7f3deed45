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
  sleeping: 10,
  stopping: 11,
  failed: 12,
  count: 16,
} as const;

/** One more than the parts that a job may have. */
export const PARTS = 256;

/** Jobs are numbered in what is left of 32 bits. */
export const JOBS = 2 ** 32 / PARTS;

/** Begins when it has been told `{ memory, jobs }`, and ends by itself when it is told to stop. */
export const workerSource = `
'use strict';
const work = ({ memory, jobs, first }) => {
  const at = ${JSON.stringify(slots)};
  const modules = new Map();
  const nowhere = () => { throw new Error('a thread asks for the host'); };
  const moduleOf = (id) => {
    const known = modules.get(id);
    if (known !== undefined) return known;
    // The view of a memory that another thread has made longer is renewed by this.
    memory.grow(0);
    const bytes = new Uint8Array(memory.buffer, Atomics.load(jobs, at.bytes), Atomics.load(jobs, at.length)).slice();
    const module = new WebAssembly.Module(bytes);
    const { exports } = new WebAssembly.Instance(module, { env: { memory, share: nowhere, host: nowhere } });
    if (modules.size >= 16) modules.delete(modules.keys().next().value);
    modules.set(id, exports);
    return exports;
  };
  let seen = first;
  for (;;) {
    let turns = 0;
    let ticket;
    while ((ticket = Atomics.load(jobs, at.ticket)) >>> 8 === seen && Atomics.load(jobs, at.stopping) === 0) {
      if (++turns < 20000) continue;
      Atomics.add(jobs, at.sleeping, 1);
      Atomics.wait(jobs, at.ticket, ticket);
      Atomics.sub(jobs, at.sleeping, 1);
    }
    if (Atomics.load(jobs, at.stopping) !== 0) return;
    seen = ticket >>> 8;
    // As \`takeParts\` of threads.ts does.
    for (;;) {
      const now = Atomics.load(jobs, at.ticket);
      if (now >>> 8 !== seen) break;
      const part = now & 255;
      const [id, nest, table] = [Atomics.load(jobs, at.module), Atomics.load(jobs, at.nest), Atomics.load(jobs, at.table)];
      const [extent, length] = [Atomics.load(jobs, at.extent), Atomics.load(jobs, at.part)];
      if (part >= Atomics.load(jobs, at.parts)) break;
      if (Atomics.compareExchange(jobs, at.ticket, now, now + 1) !== now) continue;
      try {
        moduleOf(id)['n' + nest](table, part * length, Math.min(extent, (part + 1) * length));
      } catch {
        Atomics.store(jobs, at.failed, 1);
      }
      Atomics.add(jobs, at.done, 1);
    }
  }
};
if (typeof require === 'function') work(require('node:worker_threads').workerData);
else self.onmessage = ({ data }) => { work(data); self.close(); };
`;
