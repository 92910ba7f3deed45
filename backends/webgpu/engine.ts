/** A device with its heap and its pipelines: runs plans on ranges of the heap. */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { Plan } from '../../compiler/loops/plan.js';
import { elementAt } from '../../dsl/lookup.js';
import type { Problem } from '../../dsl/problem.js';
import { requestDevice } from './device.js';
import { createHeap, type Heap, type Range } from './heap.js';
import type { Place } from './kernel.js';
import { createPipelines } from './pipelines.js';
import type { Schedule } from './program.js';

/** A plan that is ready to run. */
export type Loaded = {
  /** Its outputs' ranges, which are the caller's; where its inputs begin is given in its order. */
  readonly run: (inputs: readonly number[]) => readonly Range[];
  readonly dispose: () => void;
};

export type Engine = {
  readonly description: string;
  /** Whether a processor computes in place of a GPU. */
  readonly software: boolean;
  /** Bytes of memory that a workgroup may have. */
  readonly workgroup: number;
  readonly heap: Heap;
  /** Compiles what a schedule needs; the first line of what was wrong with it, if anything. */
  readonly compile: (schedule: Schedule) => Promise<string | undefined>;
  readonly load: (plan: Plan, schedule: Schedule) => Loaded;
};

const firstLine = (text: string): string => text.split('\n')[0] ?? '';

/** Problems where there is no GPU, or none that works; `onFailure` hears once that the device works no more. */
export const startEngine = async (
  onFailure: () => void = () => undefined,
): Promise<Either<readonly Problem[], Engine>> => {
  const found = await requestDevice();
  if (isLeft(found)) return found;
  const { device, description, software, workgroup } = found.right;
  let failure: string | undefined;
  const fail = (why: string): void => {
    if (failure === undefined) onFailure();
    failure ??= why;
  };
  device.addEventListener('uncapturederror', (event) => {
    fail(firstLine(event.error.message));
    event.preventDefault();
  });
  void device.lost.then(({ message }) => fail(`the device is lost: ${firstLine(message)}`));
  const heap = createHeap(found.right, () => failure);
  const pipelines = createPipelines(device, heap);

  const load = (plan: Plan, schedule: Schedule): Loaded => {
    const calls = pipelines.prepared(schedule.lots);
    const constants: Range[] = [];
    try {
      for (const values of schedule.constants) {
        const range = heap.take(values.length);
        constants.push(range);
        heap.write(range, values);
      }
    } catch (error) {
      constants.forEach(heap.give);
      throw error;
    }
    const sizes = plan.outputs.map(({ operand }) => elementAt(plan.buffers, operand.buffer));
    return {
      run: (inputs) => {
        const taken: Range[] = [];
        const take = (size: number): Range => {
          const range = heap.take(size);
          taken.push(range);
          return range;
        };
        try {
          const outputs = sizes.map(take);
          const scratch = take(schedule.scratch);
          const startOf = (place: Place): number => {
            switch (place.of) {
              case 'input':
                return elementAt(inputs, place.index);
              case 'output':
                return elementAt(outputs, place.index).start;
              case 'constant':
                return elementAt(constants, place.index).start;
              case 'scratch':
                return scratch.start + place.start;
            }
          };
          calls.run(startOf);
          // What is submitted later runs later, so this memory may be another's at once.
          heap.give(scratch);
          return outputs;
        } catch (error) {
          taken.forEach(heap.give);
          throw error;
        }
      },
      dispose: () => constants.forEach(heap.give),
    };
  };
  return right({
    description,
    software,
    workgroup,
    heap,
    compile: ({ lots }) => pipelines.compile(lots),
    load,
  });
};
