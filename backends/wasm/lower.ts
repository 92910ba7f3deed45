/** A program as the loops and routines that the wasm backend runs. */
import type { Program } from '../../compiler/ir/program.js';
import { lowerLoops } from '../../compiler/loops/lower.js';
import type { Plan } from '../../compiler/loops/plan.js';
import { wasmTarget } from './target.js';

/** A program as the wasm backend runs it. */
export const lowerWasm = (program: Program): Plan => lowerLoops(program, wasmTarget);
