/** What a device does in a second, measured in about a quarter of one: what decides whether it is worth its start. */
import { createBuilder } from '../../compiler/ir/builder.js';
import type { Program, Var } from '../../compiler/ir/program.js';
import { existsSync, readdirSync } from 'node:fs';
import { elementAt } from '../../dsl/lookup.js';
import type { ArrayBackend, Handle } from '../backend.js';

export type GpuRates = {
  /** FLOP/s of products of matrices. */
  readonly products: number;
  /** Seconds of a kernel that computes next to nothing, and of a step that waits for one number. */
  readonly kernel: number;
  readonly step: number;
};

/** Products one after another, of which none can join another. */
const chain = (n: number, products: number): Program => {
  const builder = createBuilder();
  const x = builder.bind('data', 'x', { rows: 1, shape: [n] });
  const w = builder.bind('data', 'w', { rows: 0, shape: [n, n] });
  const last = Array.from({ length: products }).reduce<Var>((y) => builder.emit('linear', {}, [y, w]), x);
  const out = builder.emit('sumBatch', {}, [builder.emit('reduce', { op: 'add', axes: [0] }, [last])]);
  return {
    name: `${products} products of ${n}`,
    batch: n,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: [{ kind: 'value', name: 'out', var: out }],
  };
};

/** Seconds of a run and of waiting for its result. */
const secondsOf = async (backend: ArrayBackend, program: Program, size: number): Promise<number> => {
  await backend.prepare?.(program);
  const executable = backend.load(program);
  const array = backend.upload(new Float32Array(size));
  const inputs = new Map(program.binders.map(({ name }) => [name, array] as const));
  const run = async (): Promise<number> => {
    const start = performance.now();
    const [out]: readonly Handle[] = executable.run(inputs);
    if (out === undefined) throw new Error('a program without an output');
    await backend.download(out);
    backend.dispose(out);
    return (performance.now() - start) / 1000;
  };
  const seconds: number[] = [];
  for (let i = 0; i < 6; i++) seconds.push(await run());
  backend.dispose(array);
  executable.dispose();
  return elementAt(
    seconds.slice(1).sort((a, b) => a - b),
    2,
  );
};

export const measureRates = async (backend: ArrayBackend): Promise<GpuRates> => {
  const [large, small, few, many] = [2048, 16, 2, 66];
  const step = await secondsOf(backend, chain(small, few), small * small);
  const kernel = Math.max(
    1e-7,
    ((await secondsOf(backend, chain(small, many), small * small)) - step) / (many - few),
  );
  const product = await secondsOf(backend, chain(large, few), large * large);
  return { products: (few * 2 * large ** 3) / Math.max(1e-6, product - step), kernel, step };
};

/** Whether it may have a GPU at all, known without loading anything. */
export const mayHaveGpu = (): boolean => {
  if (process.platform !== 'linux') return true;
  if (['/dev/nvidiactl', '/dev/dxg'].some((path) => existsSync(path))) return true;
  try {
    return readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
  } catch {
    return false;
  }
};
