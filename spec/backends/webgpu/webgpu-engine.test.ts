/** A device's memory comes back, its failures are one line each, and a process that used it ends on its own. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isLeft } from 'fp-ts/lib/Either.js';
import { describe, expect, test } from 'vitest';
import { startEngine } from '../../../backends/webgpu/engine.js';
import { createBuilder } from '../../../compiler/ir/builder.js';
import type { Program } from '../../../compiler/ir/program.js';
import { hasWebgpu, webgpuBackend } from '../../shared/backends.js';
import { right } from '../../shared/either.js';

const found = await startEngine();

const doubled = (): Program => {
  const builder = createBuilder();
  const x = builder.bind('parameter', 'x', { rows: 0, shape: [3] });
  const out = builder.emit('add', {}, [x, x]);
  const sum = builder.emit('reduce', { op: 'add', axes: [0] }, [out]);
  return {
    name: 'doubled',
    batch: 1,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: [
      { kind: 'next', name: 'x', var: out },
      { kind: 'value', name: 'sum', var: sum },
    ],
  };
};

describe.skipIf(!hasWebgpu() || isLeft(found))('a device', { timeout: 120_000 }, () => {
  test('runs step after step in the same memory, its state with it', async () => {
    const backend = right(webgpuBackend);
    const before = backend.liveCount();
    const program = doubled();
    const instance = await backend.open(
      new Map([[program.name, program]]),
      new Map([['x', Float32Array.of(1, 2, 3)]]),
    );
    const once = async (): Promise<number> =>
      (await instance.run(program.name, new Map())).value.get('sum')?.[0] ?? NaN;
    for (let step = 1; step <= 100; step++) expect(await once()).toBe(6 * 2 ** step);
    expect(backend.liveCount()).toBe(before + 1);
    expect((await instance.read()).get('x')).toEqual(Float32Array.of(2 ** 100, 2 * 2 ** 100, 3 * 2 ** 100));
    instance.dispose();
    expect(backend.liveCount()).toBe(before);
  });

  test('shows the plan that it runs', () => {
    const { plan } = right(webgpuBackend);
    expect(plan?.(doubled()).steps).toMatchObject([{ tag: 'loop' }]);
  });

  test('keeps what it holds when its memory grows', async () => {
    const { heap } = right(found);
    const values = Float32Array.from({ length: 1000 }, (_, i) => i);
    const small = heap.take(values.length);
    heap.write(small, values);
    const large = heap.take(5_000_000);
    expect(await heap.read([small])).toEqual([values]);
    heap.give(large);
    heap.give(small);
  });

  test('says in one line what it has no memory for, and goes on', async () => {
    const { heap } = right(found);
    expect(() => heap.take(2 ** 40)).toThrow(
      /^webgpu: found 4.* of arrays, expected at most .*, which is what/,
    );
    const range = heap.take(2);
    heap.write(range, Float32Array.of(1, 2));
    expect(await heap.read([range])).toEqual([Float32Array.of(1, 2)]);
    heap.give(range);
  });

  test('says in one line which kernel does not compile', async () => {
    const { compile } = right(found);
    const code = { body: 'nonsense', declarations: '', threads: 1, bytes: 0 };
    const kernel = { code, groups: 1, slots: [], scratch: 0 };
    const why = await compile({ lots: [[{ kernel, places: [] }]], constants: [], scratch: 0 });
    expect(why).toMatch(/\w/);
    expect(why).not.toContain('\n');
  });

  test('lets its process end', () => {
    const script = `import { createWebgpuBackend } from './backends/webgpu/webgpu.js';
const { right: backend } = await createWebgpuBackend();
const [values] = [await backend.download(backend.upload(Float32Array.of(1, 2)))];
console.log([...values].join());`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--conditions=immersion-source', '--import', 'tsx', '--input-type=module', '--eval', script],
      { cwd: fileURLToPath(new URL('../../..', import.meta.url)), encoding: 'utf8', timeout: 60_000 },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '1,2\n', stderr: '' });
  });
});
