/** One WebAssembly module for many loop kernels: function `k<i>` takes the byte addresses of kernel i's inputs, then of its outputs. */
import { elementAt } from '../../dsl/lookup.js';
import type { LoopKernel } from '../../compiler/loops/loop.js';
import { assembler, encodeModule, type FunctionCode } from './encode.js';
import { emitContraction } from './contraction.js';
import { emitNest } from './emit.js';
import { clearedOutputs, directStores, startNest, startOf } from '../../compiler/loops/dependence.js';
import { inputCount } from '../../compiler/loops/sharing.js';
import { nestsOf } from './schedule.js';

const functionOf = (kernel: LoopKernel, index: number, fused: boolean): FunctionCode => {
  const inputs = Array.from({ length: inputCount(kernel) }, (_, i) => i);
  const outputs = kernel.outputs.map((_, i) => inputs.length + i);
  const parameters = inputs.length + outputs.length;
  const asm = assembler(parameters);
  const nests = nestsOf(kernel);
  const direct = directStores(kernel, nests);
  clearedOutputs(kernel, nests, direct).forEach((cleared, buffer) => {
    const output = outputs[buffer];
    if (!cleared || output === undefined) return;
    if (startOf(kernel, buffer) !== 0)
      return asm.scope(() => emitNest(asm, startNest(kernel, buffer), inputs, outputs, [true]));
    asm.get(output);
    asm.i32(0);
    asm.i32(4 * elementAt(kernel.outputs, buffer));
    asm.fill();
  });
  for (const nest of nests) {
    asm.scope(() => {
      if (nest.mode === 'contraction') emitContraction(asm, nest, inputs, outputs, direct[0] === true, fused);
      else emitNest(asm, nest, inputs, outputs, direct);
    });
  }
  return { name: `k${index}`, parameters, code: asm.finish() };
};

export type GenerateOptions = {
  /** Use relaxed SIMD's fused multiply-add in contractions: twice the speed and one rounding less, where the engine has it. */
  readonly fused?: boolean;
};

export const generate = (
  kernels: readonly LoopKernel[],
  { fused = false }: GenerateOptions = {},
): Uint8Array => encodeModule(kernels.map((kernel, index) => functionOf(kernel, index, fused)));
