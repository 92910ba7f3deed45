/** Threads that are not there: none where memory cannot be shared, and one that ends in the middle of a step. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { attempt } from '../../../backends/failure.js';
import { assembler, encodeModule } from '../../../backends/wasm/encode.js';
import { createHeap } from '../../../backends/wasm/heap.js';
import { imports } from '../../../backends/wasm/program.js';
import { startThreads } from '../../../backends/wasm/threads.js';
import { createWasmBackend } from '../../../backends/wasm/wasm.js';
import { type StartedWorker, startWorker } from '../../../backends/wasm/workers.js';
import mlp from '../../../examples/mlp.js';
import { digestOf } from './digests.js';

afterEach(() => vi.unstubAllGlobals());

describe('threads', () => {
  test('are none where memory cannot be shared, and bits are the same', async () => {
    const spec = { ...mlp, batch: 256 };
    const one = await createWasmBackend({ threads: 1 });
    vi.stubGlobal('SharedArrayBuffer', undefined);
    // A number that nothing else starts.
    const alone = await createWasmBackend({ threads: 5 });
    vi.unstubAllGlobals();
    expect(alone.description).toBe(one.description);
    expect(await digestOf(spec, alone)).toBe(await digestOf(spec, one));
    await alone.end();
  });

  /** A nest that takes far longer than this test. */
  const endless = (): Uint8Array => {
    const asm = assembler(3);
    asm.repeat(2 ** 30, () => asm.repeat(2 ** 30, () => undefined));
    return encodeModule([{ name: 'n0', parameters: 3, code: asm.finish() }], { imports, shared: true });
  };

  test('that end in the middle of a step are one line, and steps run on one thread from then on', async () => {
    const heap = createHeap(true);
    const started: StartedWorker[] = [];
    const threads = startThreads(heap, 2, (task) => {
      const worker = startWorker(task);
      started.push(worker);
      return worker;
    });
    const bytes = endless();
    const address = heap.take(bytes.length);
    heap.bytes().set(bytes, address);
    let isFirst = true;
    const nest = (): void => {
      if (!isFirst) return;
      isFirst = false;
      const end = performance.now() + 1500;
      while (performance.now() < end);
      started.forEach((worker) => void worker.end());
    };
    const module = { id: -2, address, length: bytes.length, nests: [nest] };
    const before = performance.now();
    const failed = await attempt(async () => threads.share(module, 0, 0, 8));
    expect(isLeft(failed) ? failed.left : []).toMatchObject([
      { path: 'wasm', found: 'a thread that was lost' },
    ]);
    expect(performance.now() - before).toBeLessThan(20_000);
    const ranges: (readonly number[])[] = [];
    const seen = (_: number, lo: number, hi: number): unknown => ranges.push([lo, hi]);
    threads.share({ ...module, nests: [seen] }, 0, 0, 8);
    expect(ranges).toEqual([[0, 8]]);
    await threads.end();
  }, 60_000);

  test('that the system does not give are done without', async () => {
    const heap = createHeap(true);
    let asked = 0;
    const threads = startThreads(heap, 3, () => {
      asked += 1;
      throw new Error('no more threads');
    });
    const ranges: (readonly number[])[] = [];
    const nests = [(_: number, lo: number, hi: number): unknown => ranges.push([lo, hi])];
    for (let i = 0; i < 2; i++) threads.share({ id: -4, address: 0, length: 0, nests }, 0, 0, 8);
    expect({ asked, ranges }).toEqual({
      asked: 1,
      ranges: [
        [0, 8],
        [0, 8],
      ],
    });
    await threads.end();
  });
});
