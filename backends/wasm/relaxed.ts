/** Relaxed SIMD's multiply-add (WebAssembly 3.0): one rounding less where it is fused, and so other bits than without. */
import { assembler, encodeModule } from './encode.js';
import { engine } from './engine.js';

/** `f(address)`: of the vectors a, b and c there, puts a·b + c in their place. */
const probe = (): Uint8Array => {
  const asm = assembler(1);
  asm.get(0);
  for (const offset of [0, 16, 32]) {
    asm.get(0);
    asm.access('v128.load', offset);
  }
  asm.vector('f32x4.relaxed_madd');
  asm.access('v128.store', 0);
  return encodeModule([{ name: 'f', parameters: 1, code: asm.finish() }]);
};

/** A square whose last bit is lost when it is rounded by itself. */
const [a, c, lost] = [1 + 2 ** -12, -(1 + 2 ** -11), 2 ** -24];

/**
 * Whether the engine multiplies and adds with one rounding: from Node 22 on (Node 20 has it behind `--experimental-wasm-relaxed-simd`), where the
 * processor does. Asked of a small module once, when this is loaded.
 */
export const fusedMultiplyAdd: boolean = ((): boolean => {
  const bytes = probe();
  if (!engine.validate(bytes)) return false;
  const memory = new engine.Memory({ initial: 1 });
  const { exports } = new engine.Instance(new engine.Module(bytes), { env: { memory } });
  const numbers = new Float32Array(memory.buffer);
  numbers.set([a, a, a, a, a, a, a, a, c, c, c, c]);
  exports['f']?.(0);
  return numbers[0] === lost;
})();

/** What bits depend on, beside the backend's name. */
export const variant: string | undefined = fusedMultiplyAdd ? 'relaxed SIMD' : undefined;
