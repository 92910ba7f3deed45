import v8 from 'node:v8';
import { assembler, encodeModule } from './compiler/wasm/encode.js';
v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
v8.setFlagsFromString('--print-wasm-code');
v8.setFlagsFromString('--no-liftoff'); v8.setFlagsFromString('--no-wasm-dynamic-tiering');
const mem = new (globalThis as any).WebAssembly.Memory({ initial: 16 });
const asm = assembler(1); const acc = Array.from({ length: 4 }, () => asm.local('v128')); const y = asm.local('v128');
for (const l of [y]) { asm.get(0); asm.access('v128.load', 16); asm.set(l); }
for (const l of acc) { asm.get(0); asm.access('v128.load', 32); asm.set(l); }
asm.repeat(2000, () => { for (let u = 0; u < 2; u++) for (const l of acc) { asm.get(0); asm.access('v128.load32_splat', 16*u); asm.get(y); asm.get(l); asm.vector('f32x4.relaxed_madd'); asm.set(l); } });
for (const l of acc) { asm.get(0); asm.get(l); asm.access('v128.store', 32); }
const f = new (globalThis as any).WebAssembly.Instance(new (globalThis as any).WebAssembly.Module(encodeModule([{ name: 'k0', parameters: 1, code: asm.finish() }])), { env: { memory: mem } }).exports.k0;
for (let i = 0; i < 100; i++) f(0);
