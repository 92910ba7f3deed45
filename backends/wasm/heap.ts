/** The memory that arrays of the wasm backend lie in: one that threads share where that can be, and that grows. */
import { createGaps, inLines } from '../../compiler/loops/gaps.js';
import { errorText, problem } from '../../dsl/problem.js';
import { BackendFailure } from '../failure.js';
import { mostPages } from './encode.js';
import { engine, type SharedMemory } from './engine.js';

const PAGE = 2 ** 16;

export type Heap = {
  readonly memory: SharedMemory;
  readonly shared: boolean;
  /** The byte at which so many numbers lie; what was there before is still there. */
  readonly take: (size: number) => number;
  readonly give: (address: number, size: number) => void;
  /** All of it, as it is now: to be asked for again after `take`. */
  readonly floats: () => Float32Array;
  readonly ints: () => Int32Array;
  readonly bytes: () => Uint8Array;
};

const INITIAL = 16;

/** A shared memory's addresses are reserved at once, up to the most that it may have: less where a system gives no more. */
const reserved = (pages: number): { readonly memory: SharedMemory; readonly most: number } => {
  try {
    return { memory: new engine.Memory({ initial: INITIAL, maximum: pages, shared: true }), most: pages };
  } catch (error) {
    if (pages <= INITIAL) throw error;
    return reserved(Math.max(INITIAL, Math.floor(pages / 4)));
  }
};

export const createHeap = (shared: boolean): Heap => {
  const { memory, most } = shared
    ? reserved(mostPages)
    : { memory: new engine.Memory({ initial: INITIAL }), most: mostPages };
  const gaps = createGaps();
  let floats = new Float32Array(memory.buffer);
  let ints = new Int32Array(memory.buffer);
  let bytes = new Uint8Array(memory.buffer);
  const grow = (wanted: number): void => {
    const missing = wanted - memory.buffer.byteLength;
    if (missing <= 0) return;
    // By a quarter more than there is, so that it seldom grows.
    const pages = Math.ceil(Math.max(missing, memory.buffer.byteLength / 4) / PAGE);
    const room = most - memory.buffer.byteLength / PAGE;
    try {
      memory.grow(Math.max(Math.ceil(missing / PAGE), Math.min(pages, room)));
    } catch (error) {
      throw new BackendFailure(
        problem(
          'wasm',
          errorText(error),
          `${Math.ceil(wanted / 2 ** 20)} MiB of memory, of ${(most * PAGE) / 2 ** 20} MiB that there may be`,
        ),
      );
    }
    floats = new Float32Array(memory.buffer);
    ints = new Int32Array(memory.buffer);
    bytes = new Uint8Array(memory.buffer);
  };
  return {
    memory,
    shared,
    take: (size) => {
      const start = gaps.take(size);
      try {
        grow(4 * (start + inLines(size)));
      } catch (error) {
        gaps.give(start, size);
        throw error;
      }
      return 4 * start;
    },
    give: (address, size) => gaps.give(address / 4, size),
    floats: () => floats,
    ints: () => ints,
    bytes: () => bytes,
  };
};
