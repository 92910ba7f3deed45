/** Steps on wasm that a page and Node run alike: what they leave behind as one number, and what is said of the backend. */
import { assembler, encodeModule } from '../../../backends/wasm/encode.js';
import { createHeap } from '../../../backends/wasm/heap.js';
import { imports } from '../../../backends/wasm/program.js';
import { startThreads } from '../../../backends/wasm/threads.js';
import { createWasmBackend } from '../../../backends/wasm/wasm.js';
import { compile, elementCount } from '../../../compiler/index.js';
import mlp from '../../../examples/mlp.js';
import { right } from '../../shared/either.js';

export type PageRun = { readonly description: string; readonly digest: number };

/** FNV-1a of the bits. */
const digestOf = (arrays: readonly Float32Array[]): number => {
  let hash = 0x811c9dc5;
  for (const array of arrays)
    for (const byte of new Uint8Array(array.buffer)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
};

/** With pauses, in which a page's threads begin. */
export const runSteps = async (threads: number): Promise<PageRun> => {
  const { step } = right(compile({ ...mlp, batch: 256 }));
  const backend = await createWasmBackend({ threads });
  const executable = backend.load(step);
  const inputs = new Map(
    step.binders.map(({ kind, name, var: x }) => {
      const size = kind === 'scalar' ? 1 : elementCount(x.type, step.batch);
      return [
        name,
        backend.upload(
          Float32Array.from({ length: size }, (_, i) =>
            kind === 'scalar' ? 3 : Math.fround((i * i) % 1.7) - 0.8,
          ),
        ),
      ];
    }),
  );
  const digests = new Set<number>();
  for (let i = 0; i < 40; i++) {
    const outputs = executable.run(inputs);
    digests.add(digestOf(await Promise.all(outputs.map(backend.download))));
    outputs.forEach(backend.dispose);
    await new Promise((resolve) => setTimeout(resolve, i < 10 ? 20 : 0));
  }
  if (digests.size !== 1) throw new Error('one step has other bits than the step before it');
  return { description: backend.description, digest: [...digests][0] ?? 0 };
};

/** How many parts of some jobs a worker takes, which counts them in the shared memory, and how many this thread, which is slow. */
export const partsOf = async (): Promise<{
  readonly worker: number;
  readonly own: number;
  readonly all: number;
}> => {
  const heap = createHeap(true);
  const threads = startThreads(heap, 2);
  const asm = assembler(3);
  asm.get(0);
  asm.get(0);
  asm.loadF32(0);
  asm.f32(1);
  asm.addF32();
  asm.storeF32(0);
  const bytes = encodeModule([{ name: 'n0', parameters: 3, code: asm.finish() }], { imports, shared: true });
  const address = heap.take(bytes.length);
  heap.bytes().set(bytes, address);
  const count = heap.take(1);
  heap.floats()[count / 4] = 0;
  let own = 0;
  const slow = (): void => {
    own += 1;
    const end = performance.now() + 2;
    while (performance.now() < end);
  };
  const [jobs, parts] = [20, 8];
  for (let i = 0; i < jobs; i++) {
    threads.share({ id: -3, address, length: bytes.length, nests: [slow] }, 0, count, parts);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await threads.end();
  return { worker: heap.floats()[count / 4] ?? 0, own, all: jobs * parts };
};
