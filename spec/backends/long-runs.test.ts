/** Many steps leave a process what it was: as much memory, as many threads, arrays, buffers and open files. */
import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isRight } from 'fp-ts/lib/Either.js';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { ArrayBackend } from '../../backends/backend.js';
import { createWasmBackend } from '../../backends/wasm/wasm.js';
import { requestDevice } from '../../backends/webgpu/device.js';
import { product } from '../../bench/subject.js';
import { ccBackend, webgpuBackend } from '../shared/backends.js';

afterEach(() => vi.restoreAllMocks());

const wasm = await createWasmBackend({ threads: 2 });
afterAll(() => wasm.end());

const STEPS = 20_000;
/** Of them that are not looked at: engines compile, threads begin, buffers grow to what a step needs. */
const WARM = 2000;
/** Milliseconds after which no further step is taken, where a processor stands in for a GPU, and the steps that have to be taken by then. */
const PATIENCE = 12_000;
const FEWEST = 100;

/** A product of square matrices, large enough to be shared among threads; a processor in place of a GPU takes 60 ms for it, and gets a small one. */
const sizeOn = ({ name }: ArrayBackend): number => (name === 'webgpu' ? 8 : 96);

const count = (folder: string): number => readdirSync(folder).length;
/** That are open, sockets among them. */
const files = (): number => count('/proc/self/fd');
const threads = (): number => count('/proc/self/task');
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
/** MiB of this process without garbage, after a while: what Dawn holds for an object lasts until that is collected, and is given back later. */
const resident = async (): Promise<number> => {
  for (let i = 0; i < 3; i++) {
    collect();
    await setTimeout(100);
  }
  return process.memoryUsage.rss() / 2 ** 20;
};

/** Buffers that are made on any device from now on. */
const buffersMade = async (): Promise<() => number> => {
  const device = await requestDevice();
  if (!isRight(device)) return () => 0;
  const { device: own } = device.right;
  const prototype: GPUDevice = Object.getPrototypeOf(own);
  const spy = vi.spyOn(prototype, 'createBuffer');
  own.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST });
  expect(spy).toHaveBeenCalledTimes(1);
  spy.mockClear();
  own.destroy();
  return () => spy.mock.calls.length;
};

const here: readonly ArrayBackend[] = [
  wasm,
  ...(isRight(ccBackend) ? [ccBackend.right] : []),
  ...(isRight(webgpuBackend) ? [webgpuBackend.right] : []),
];

describe.each(here)('on $name', (backend) => {
  test('memory, threads and files are what they were', { timeout: 120_000 }, async () => {
    const size = sizeOn(backend);
    const program = product(size);
    const live = backend.liveCount();
    await backend.prepare?.(program);
    const executable = backend.load(program);
    const step = async (): Promise<void> => {
      const inputs = new Map(
        ['x', 'w'].map((name) => [name, backend.upload(new Float32Array(size * size).fill(1))]),
      );
      for (const output of executable.run(inputs)) {
        expect((await backend.download(output))[0]).toBe(size);
        backend.dispose(output);
      }
      inputs.forEach(backend.dispose);
    };
    const began = performance.now();
    const mayGoOn = (): boolean => backend.name !== 'webgpu' || performance.now() - began < PATIENCE;
    for (let i = 0; i < WARM && performance.now() - began < PATIENCE / 3; i++) await step();
    const made = await buffersMade();
    const before = { threads: threads(), files: files(), live: backend.liveCount() };
    const memory = await resident();
    let taken = 0;
    while (taken < STEPS && mayGoOn()) {
      await step();
      taken += 1;
    }
    if (backend.name === 'webgpu') expect(taken).toBeGreaterThan(FEWEST);
    else expect(taken).toBe(STEPS);
    expect(backend.liveCount()).toBe(before.live);
    expect(threads()).toBeLessThanOrEqual(before.threads);
    expect(files()).toBeLessThanOrEqual(before.files);
    expect(made()).toBe(0);
    expect((await resident()) - memory).toBeLessThan(32);
    executable.dispose();
    expect(backend.liveCount()).toBe(live);
  });
});

test('threads of wasm are gone when they are told to end', async () => {
  const before = threads();
  await wasm.end();
  await expect.poll(threads, { timeout: 10_000 }).toBeLessThan(before);
});
