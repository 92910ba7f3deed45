/** Whether this machine has the memory for what is asked, known from sizes alone and before anything is allocated. */
import { readFileSync } from 'node:fs';
import { bytesText } from '../dsl/bytes.js';
import type { Compiled } from '../compiler/index.js';
import { costOf } from '../compiler/costs/cost.js';
import { type Problem, problem } from '../dsl/problem.js';

/** What a process may still take, within the limits of its container. */
export const freeBytes = (): number => process.availableMemory();

/**
 * Bytes that this process held at most so far. What `resourceUsage` says begins with the memory of the process that this one was started from, so Linux is asked
 * for this program's own.
 */
export const peakMemory = (): number => {
  if (process.platform === 'linux') {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
};

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A backend holds the state, and it is made on the host. */
const COPIES = 2;

/**
 * Parameters, moments and running values that do not fit, by the largest of them; and a step whose values do not fit where they are held in
 * this machine's own memory.
 */
export const memoryProblems = (
  { parameters, states, step }: Pick<Compiled, 'parameters' | 'states' | 'step'>,
  { free = freeBytes(), isOnHost = true }: { readonly free?: number; readonly isOnHost?: boolean } = {},
): readonly Problem[] => {
  const arrays = [...parameters, ...states].map(({ name, shape }) => ({
    name,
    shape,
    bytes: 4 * sizeOf(shape),
  }));
  const state = arrays.reduce((sum, { bytes }) => sum + bytes, 0);
  const [largest] = arrays.toSorted((a, b) => b.bytes - a.bytes);
  const room = `at most ${bytesText(free)}, what is free on this machine`;
  if (COPIES * state > free && largest !== undefined)
    return [
      problem(
        largest.name,
        `[${largest.shape.join(', ')}], ${bytesText(largest.bytes)}; ${bytesText(COPIES * state)} with all other weights and moments, held twice`,
        room,
        'fewer units or channels',
      ),
    ];
  const { peak } = costOf(step);
  return isOnHost && state + peak > free
    ? [
        problem(
          'batch',
          `${step.batch} examples, whose step holds ${bytesText(state + peak)} at once`,
          room,
          'a smaller batch, or fewer probes',
        ),
      ]
    : [];
};
