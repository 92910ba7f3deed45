/** A GPU, as lowering sees it. */
import type { Target } from '../../compiler/loops/target.js';
import { placesOfKernel } from './wgsl.js';

export const gpuTarget: Target = {
  lanes: [4],
  registers: 64,
  readsMemory: false,
  // Tiles are read as they lie, into a workgroup's memory.
  blocks: [],
  arrays: placesOfKernel - 4,
  near: Infinity,
};
