/** All arrays of the device in one buffer, which grows by being copied; work is gathered in one encoder until something must be submitted. */
import { bytesText } from '../../dsl/bytes.js';
import { errorText, problem } from '../../dsl/problem.js';
import { BackendFailure } from '../failure.js';
import { createGaps, inLines } from '../../compiler/loops/gaps.js';
import type { Device } from './device.js';

/** A range of numbers of the heap. */
export type Range = { readonly start: number; readonly size: number };

export type Heap = {
  readonly take: (size: number) => Range;
  readonly give: (range: Range) => void;
  readonly write: (range: Range, values: Float32Array) => void;
  readonly read: (ranges: readonly Range[]) => Promise<readonly Float32Array[]>;
  /** The buffer; another one after it has grown. */
  readonly buffer: () => GPUBuffer;
  /** The encoder of the work that is gathered; what is written before it must have been written by `write`. */
  readonly encoder: () => GPUCommandEncoder;
  readonly submit: () => void;
};

const first = 1 << 20;

/** Numbers of the heap that are copied at once, whatever lies between those that are wanted. */
const closeTogether = 1 << 13;

export const createHeap = ({ device, most }: Device, failed: () => string | undefined): Heap => {
  const gaps = createGaps();
  const make = (numbers: number): GPUBuffer =>
    device.createBuffer({
      size: 4 * numbers,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  let length = Math.min(first, Math.floor(most / 4));
  let buffer = make(length);
  let gathered: GPUCommandEncoder | undefined;
  let staging: GPUBuffer | undefined;

  const submit = (): void => {
    if (gathered === undefined) return;
    device.queue.submit([gathered.finish()]);
    gathered = undefined;
  };
  const encoder = (): GPUCommandEncoder => (gathered ??= device.createCommandEncoder());
  const grow = (numbers: number): void => {
    const limit = Math.floor(most / 4);
    if (numbers > limit)
      throw new BackendFailure(
        problem(
          'webgpu',
          `${bytesText(4 * numbers)} of arrays`,
          `at most ${bytesText(4 * limit)}, which is what the device gives`,
          'a smaller batch, or --backend cc or wasm',
        ),
      );
    length = Math.min(limit, Math.max(numbers, 2 * length));
    const larger = make(length);
    encoder().copyBufferToBuffer(buffer, 0, larger, 0, buffer.size);
    submit();
    buffer.destroy();
    buffer = larger;
  };
  const failure = (why: string): BackendFailure =>
    new BackendFailure(problem('webgpu', why, 'a device that works', 'use --backend cc or wasm'));
  const check = (): void => {
    const why = failed();
    if (why !== undefined) throw failure(why);
  };

  return {
    take: (size) => {
      const start = gaps.take(size);
      if (start + inLines(size) > length) {
        try {
          grow(start + inLines(size));
        } catch (error) {
          gaps.give(start, size);
          throw error;
        }
      }
      return { start, size };
    },
    give: ({ start, size }) => gaps.give(start, size),
    write: ({ start }, values) => {
      submit();
      device.queue.writeBuffer(buffer, 4 * start, values.buffer, values.byteOffset, values.byteLength);
    },
    read: async (wanted) => {
      const filled = wanted.filter(({ size }) => size > 0);
      const low = Math.min(...filled.map(({ start }) => start));
      const span = Math.max(0, ...filled.map(({ start, size }) => start + size)) - low;
      // What lies close together is copied as a whole.
      const together = filled.length > 0 && span <= closeTogether;
      const total = together ? span : wanted.reduce((sum, { size }) => sum + inLines(size), 0);
      let target = staging;
      staging = undefined;
      if (target === undefined || target.size < 4 * total) {
        target?.destroy();
        target = device.createBuffer({
          size: 4 * Math.max(total, 1024),
          usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        });
      }
      if (together) encoder().copyBufferToBuffer(buffer, 4 * low, target, 0, 4 * span);
      let at = 0;
      const starts = wanted.map(({ start, size }) => {
        if (together) return size > 0 ? start - low : 0;
        const own = at;
        if (size > 0) encoder().copyBufferToBuffer(buffer, 4 * start, target, 4 * own, 4 * size);
        at += inLines(size);
        return own;
      });
      submit();
      try {
        check();
        await target.mapAsync(GPUMapMode.READ, 0, 4 * total);
        check();
      } catch (error) {
        target.destroy();
        // A device that is lost may reject before it says so.
        throw error instanceof BackendFailure ? error : failure(failed() ?? errorText(error));
      }
      const mapped = new Float32Array(target.getMappedRange(0, 4 * total));
      const values = wanted.map(({ size }, i) => mapped.slice(starts[i], (starts[i] ?? 0) + size));
      target.unmap();
      // A large one is not kept: parameters are read seldom.
      if (staging === undefined && target.size <= 1 << 16) staging = target;
      else target.destroy();
      return values;
    },
    buffer: () => buffer,
    encoder,
    submit,
  };
};
