/** Memory that runs out, or that lies far up: what fails keeps nothing, and what fits afterwards works. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { BackendFailure } from '../../../backends/failure.js';
import { openOnArrays } from '../../../backends/tfjs/instance.js';
import { assembler, encodeModule } from '../../../backends/wasm/encode.js';
import { engine } from '../../../backends/wasm/engine.js';
import { prepare } from '../../../backends/wasm/executable.js';
import { createHeap, type Heap } from '../../../backends/wasm/heap.js';
import { lowerWasm } from '../../../backends/wasm/lower.js';
import { imports } from '../../../backends/wasm/program.js';
import { startThreads } from '../../../backends/wasm/threads.js';
import { createWasmBackend } from '../../../backends/wasm/wasm.js';
import { createBuilder } from '../../../compiler/ir/builder.js';
import type { Program } from '../../../compiler/ir/program.js';

afterEach(() => vi.restoreAllMocks());

const GiB = 2 ** 28;

describe.each([false, true])('a heap (shared: %s)', (shared) => {
  test('goes on after it was asked for more than there is', () => {
    const heap = createHeap(shared);
    const before = heap.take(16);
    expect(() => heap.take(5 * GiB)).toThrow(BackendFailure);
    const address = heap.take(16);
    heap.floats().set([1], address / 4);
    expect(address).not.toBe(before);
    expect(heap.bytes().byteLength).toBeLessThan(2 ** 24);
  });
});

test('a heap grows up to what a system gave it, where that is less than there may be', () => {
  const { Memory } = engine;
  vi.spyOn(engine, 'Memory').mockImplementation(function (limits) {
    if ((limits.maximum ?? 0) > 2 ** 14) throw new RangeError('no room for so many addresses');
    return new Memory(limits);
  });
  const heap = createHeap(true);
  heap.take(0.9 * GiB);
  heap.take(2 ** 16);
  expect(() => heap.take(GiB)).toThrow(/1024 MiB that there may be/);
});

test('a thread makes a module its own that lies above 2 GiB', async () => {
  const heap = createHeap(true);
  heap.take(2 * GiB);
  const asm = assembler(3);
  const bytes = encodeModule([{ name: 'n0', parameters: 3, code: asm.finish() }], { imports, shared: true });
  const address = heap.take(bytes.length);
  heap.bytes().set(bytes, address);
  expect(address).toBeGreaterThanOrEqual(2 ** 31);
  const threads = startThreads(heap, 2);
  let parts = 0;
  // This thread is slow, so that the other one takes parts.
  const slow = (): void => {
    const end = performance.now() + 1000;
    if (parts++ === 0) while (performance.now() < end);
  };
  threads.share({ id: -5, address, length: bytes.length, nests: [slow] }, 0, 0, 64);
  expect(parts).toBeLessThan(8);
  await threads.end();
});

/** A state to which something is added. */
const added = (): Program => {
  const builder = createBuilder();
  const x = builder.bind('parameter', 'x', { rows: 0, shape: [3] });
  const y = builder.bind('data', 'y', { rows: 0, shape: [3] });
  const out = builder.emit('add', {}, [x, y]);
  const sum = builder.emit('reduce', { op: 'add', axes: [0] }, [out]);
  return {
    name: 'added',
    batch: 1,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: [
      { kind: 'next', name: 'x', var: out },
      { kind: 'value', name: 'sum', var: sum },
    ],
  };
};

test('a program that is not made ready gives back what it took', () => {
  const heap = createHeap(false);
  const held = new Set<number>();
  let left = 0;
  const counted: Heap = {
    ...heap,
    take: (size) => {
      if (left-- === 0) throw new RangeError('no more');
      const address = heap.take(size);
      held.add(address);
      return address;
    },
    give: (address, size) => {
      held.delete(address);
      heap.give(address, size);
    },
  };
  const makeReady = (takes: number) => {
    left = takes;
    return prepare(lowerWasm(added()), counted, startThreads(counted, 1));
  };
  for (let takes = 0; takes < 3; takes++) {
    expect(() => makeReady(takes)).toThrow('no more');
    expect(held.size).toBe(0);
  }
  makeReady(3).dispose();
  expect(held.size).toBe(0);
});

test('an instance keeps nothing of what failed, and its state', async () => {
  const backend = await createWasmBackend({ threads: 1 });
  const before = backend.liveCount();
  let [uploads, fails] = [Infinity, false];
  const failing = {
    ...backend,
    upload: (values: Float32Array) => {
      if (uploads-- === 0) throw new RangeError('no more');
      return backend.upload(values);
    },
    download: (handle: Parameters<typeof backend.download>[0]) =>
      fails ? Promise.reject(new RangeError('no more')) : backend.download(handle),
  };
  const program = added();
  const programs = new Map([[program.name, program]]);
  const state = new Map([['x', Float32Array.of(1, 2, 3)]]);
  uploads = 1;
  expect(() => openOnArrays(failing, programs, new Map([...state, ['z', Float32Array.of(1)]]))).toThrow(
    'no more',
  );
  expect(backend.liveCount()).toBe(before);

  uploads = Infinity;
  const instance = openOnArrays(failing, programs, state);
  const run = () => instance.run(program.name, new Map([['y', Float32Array.of(1, 1, 1)]]));
  fails = true;
  await expect(run()).rejects.toThrow('no more');
  expect(backend.liveCount()).toBe(before + 1);
  fails = false;
  expect((await run()).value.get('sum')).toEqual(Float32Array.of(9));
  instance.dispose();
  expect(backend.liveCount()).toBe(before);
});
