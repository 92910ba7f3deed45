/** A device that is lost fails in one line, whatever it was doing, and the next that asks for a backend is given another. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { BackendFailure } from '../../../backends/failure.js';
import { requestDevice } from '../../../backends/webgpu/device.js';
import { startEngine } from '../../../backends/webgpu/engine.js';
import { createHeap } from '../../../backends/webgpu/heap.js';
import { createWebgpuBackend } from '../../../backends/webgpu/webgpu.js';
import { right } from '../../shared/either.js';

const found = await requestDevice();

afterEach(() => vi.restoreAllMocks());

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

  test('is not what the next backend runs on', async () => {
    const [one, other] = [right(await requestDevice()).device, right(await requestDevice()).device];
    vi.spyOn(GPUAdapter.prototype, 'requestDevice').mockResolvedValueOnce(one).mockResolvedValueOnce(other);
    const first = right(await createWebgpuBackend());
    expect(right(await createWebgpuBackend())).toBe(first);
    one.destroy();
    await expect(first.download(first.upload(Float32Array.of(1)))).rejects.toThrow(BackendFailure);
    const second = right(await createWebgpuBackend());
    expect(second).not.toBe(first);
    expect(await second.download(second.upload(Float32Array.of(1)))).toEqual(Float32Array.of(1));
    other.destroy();
    await expect(second.download(second.upload(Float32Array.of(1)))).rejects.toThrow(BackendFailure);
  });
});
