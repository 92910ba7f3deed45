/** How many threads an operation of the native backend is worth. */
import { costOf } from '../../compiler/costs/cost.js';
import type { Program } from '../../compiler/ir/program.js';

/**
 * Where no product or convolution has this many FLOPs, handing a part of an operation to another thread takes longer than it
 * saves: on two cores one thread takes 0.87 of the time at 2 MFLOP, and the same at 8.
 */
const worthSharing = 4e6;

/** 1 for a program of small operations, else undefined: all cores. */
export const threadsFor = (program: Program): 1 | undefined =>
  costOf(program).equations.every(({ flops }) => flops < worthSharing) ? 1 : undefined;
