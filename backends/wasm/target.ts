/** WebAssembly in V8, as lowering sees it. */
import type { Target } from '../../compiler/loops/target.js';

export const wasmTarget: Target = {
  lanes: [4],
  // V8 has x64's 16, and keeps one for itself.
  registers: 15,
  readsMemory: false,
  near: 0,
  blocks: [8],
  // A nest holds their addresses in locals.
  arrays: 1000,
};
