/** A device that is lost fails in one line, whatever it was doing, and the next that asks for a backend is given another. */
import { spawnSync } from 'node:child_process';
import { isLeft } from 'fp-ts/lib/Either.js';
import { describe, expect, test } from 'vitest';
import { BackendFailure } from '../../../backends/failure.js';
import { requestDevice } from '../../../backends/webgpu/device.js';
import { startEngine } from '../../../backends/webgpu/engine.js';
import { createHeap } from '../../../backends/webgpu/heap.js';
import { root } from '../../shared/command.js';
import { right } from '../../shared/either.js';

const found = await requestDevice();

describe.skipIf(isLeft(found))('a device that is lost', { timeout: 60_000 }, () => {
  test('fails a read as a backend fails, even before it says that it is lost', async () => {
    const device = right(found);
    const heap = createHeap(device, () => undefined);
    const range = heap.take(4);
    heap.write(range, Float32Array.of(1, 2, 3, 4));
    expect(await heap.read([range])).toEqual([Float32Array.of(1, 2, 3, 4)]);
    const reading = heap.read([range]);
    device.device.destroy();
    await expect(reading).rejects.toThrow(BackendFailure);
    await expect(heap.read([range])).rejects.toThrow(/^webgpu: found .*, expected a device that works/);
  });

  test('says so once', async () => {
    let heard = 0;
    const { heap } = right(await startEngine(() => (heard += 1)));
    const nowhere = { start: 2 ** 40, size: 4 };
    for (let i = 0; i < 2; i++) await expect(heap.read([nowhere])).rejects.toThrow(BackendFailure);
    expect(heard).toBe(1);
  });

  // In a process of its own, since a process has one backend.
  test('is not what the next backend runs on', () => {
    const script = `import { requestDevice } from './backends/webgpu/device.js';
import { createWebgpuBackend } from './backends/webgpu/webgpu.js';
const devices = [(await requestDevice()).right.device, (await requestDevice()).right.device];
const left = [...devices];
// A page's GPU that gives these devices.
const requestAdapter = async () => {
  const device = left.shift();
  return { limits: device.limits, info: device.adapterInfo, requestDevice: async () => device };
};
Object.defineProperty(globalThis, 'navigator', { value: { gpu: { requestAdapter } } });
const { right: first } = await createWebgpuBackend();
const { right: again } = await createWebgpuBackend();
devices[0].destroy();
await devices[0].lost;
const failed = await first.download(first.upload(Float32Array.of(1))).catch(({ name }) => name);
const { right: second } = await createWebgpuBackend();
const [one] = await second.download(second.upload(Float32Array.of(1)));
console.log(first === again, failed, first === second, one);`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--conditions=immersion-source', '--import', 'tsx', '--input-type=module', '--eval', script],
      { cwd: root, encoding: 'utf8', timeout: 60_000 },
    );
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: 'true BackendFailure false 1\n',
      stderr: '',
    });
  });
});
