import * as tf from '@tensorflow/tfjs-core';
import v8 from 'node:v8';
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import type { LoopKernel, Instruction } from './compiler/loop.js';
import { generate } from './compiler/wasm/generate.js';
import { evaluateLoop } from './compiler/wasm/evaluate.js';
import { nestsOf } from './compiler/wasm/nest.js';
import { instantiateLoops } from './runtime/loops.js';
v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
setThreadsCount(1);
await tf.setBackend('wasm');
const B: any = tf.backend();
const med = (f: () => void) => { let best = 1e9; const end = performance.now() + 400; for (let i = 0; i < 8 || performance.now() < end; i++) { const a = performance.now(); f(); best = Math.min(best, performance.now() - a); } return best; };
const dot: Instruction[] = [{ op: 'load', load: 0 }, { op: 'load', load: 1 }, { op: 'mul', a: 0, b: 1 }];
const K = (extents: number[], a: number[], b: number[], o: number[], size: number): LoopKernel => ({ extents, loads: [{ buffer: 0, offset: 0, strides: a }, { buffer: 1, offset: 0, strides: b }], body: dot, stores: [{ buffer: 0, offset: 0, strides: o, value: 2, mode: 'sum' }], outputs: [size] });
const conv = (N: number, H: number, Ci: number, Co: number, s: number, k = 4): [string, LoopKernel, number, number] => {
  const O = Math.ceil(H / s), P = (O - 1) * s + k; // padded input
  return [`conv ${H}x${H}x${Ci} -> ${Co} s${s}`, K([N, O, O, Co, k, k, Ci], [P * P * Ci, s * P * Ci, s * Ci, 0, P * Ci, Ci, 1], [0, 0, 0, 1, k * Ci * Co, Ci * Co, Co], [O * O * Co, O * Co, Co, 1, 0, 0, 0], N * O * O * Co), N * P * P * Ci, k * k * Ci * Co];
};
const packed = (N: number, H: number, Ci: number, Co: number, s: number, k = 4): [string, LoopKernel, number, number] => {
  const O = Math.ceil(H / s), P = (O - 1) * s + k, w = 8, c = Co / w;
  return [`  packed ${H}x${H}x${Ci} -> ${Co} s${s}`, K([N, O, O, c, w, k, k, Ci], [P * P * Ci, s * P * Ci, s * Ci, 0, 0, P * Ci, Ci, 1], [0, 0, 0, k * k * Ci * w, 1, k * Ci * w, Ci * w, w], [O * O * Co, O * Co, Co, w, 1, 0, 0, 0], N * O * O * Co), N * P * P * Ci, k * k * Ci * Co];
};
const filt = (N: number, H: number, Ci: number, Co: number, s: number, k = 4, pack = 0): [string, LoopKernel, number, number] => {
  const O = Math.ceil(H / s), P = (O - 1) * s + k;
  const xs = [s * P * Ci, s * Ci]; 
  if (pack) { const c = Co / 8; return [`  filter packed ${H}x${H}x${Ci} -> ${Co} s${s}`, K([k, k, Ci, c, 8, N, O, O], [P * Ci, Ci, 1, 0, 0, P * P * Ci, ...xs], [0, 0, 0, N * O * O * 8, 1, O * O * 8, O * 8, 8], [k * Ci * Co, Ci * Co, Co, 8, 1, 0, 0, 0], k * k * Ci * Co), N * P * P * Ci, N * O * O * Co]; }
  return [`filter ${H}x${H}x${Ci} -> ${Co} s${s}`, K([k, k, Ci, Co, N, O, O], [P * Ci, Ci, 1, 0, P * P * Ci, ...xs], [0, 0, 0, 1, O * O * Co, O * Co, Co], [k * Ci * Co, Ci * Co, Co, 1, 0, 0, 0], k * k * Ci * Co), N * P * P * Ci, N * O * O * Co];
};
const mm = (M: number, Kk: number, N: number): [string, LoopKernel, number, number] => [`matmul ${M} ${Kk} ${N}`, K([M, N, Kk], [Kk, 0, 1], [0, 1, N], [N, 1, 0], M * N), M * Kk, Kk * N];
const mmp = (M: number, Kk: number, N: number): [string, LoopKernel, number, number] => [`  packed matmul ${M} ${Kk} ${N}`, K([M, N / 8, 8, Kk], [Kk, 0, 0, 1], [0, Kk * 8, 1, 8], [N, 8, 1, 0], M * N), M * Kk, Kk * N];
const mmt = (M: number, Kk: number, N: number): [string, LoopKernel, number, number] => [`matmul a bT ${M} ${Kk} ${N}`, K([M, N, Kk], [Kk, 0, 1], [0, Kk, 1], [N, 1, 0], M * N), M * Kk, Kk * N];
const L: [string, LoopKernel, number, number][] = [mm(1024, 1024, 1024), mmp(1024, 1024, 1024), mmt(1024, 1024, 1024), mm(256, 256, 256), mm(64, 2048, 32), mm(64, 32, 6272), mm(512, 16, 8),
  ...([[28, 1, 16, 1], [28, 16, 32, 2], [14, 32, 64, 2], [7, 64, 128, 2], [4, 128, 128, 1], [7, 128, 64, 1], [14, 32, 64, 2], [28, 16, 1, 1]] as const).flatMap(([h, i, o, s]) => [conv(64, h, i, o, s), ...(o % 8 ? [] : [packed(64, h, i, o, s)]), filt(64, h, i, o, s), ...(o % 8 ? [] : [filt(64, h, i, o, s, 4, 1)])])];
if (!process.env.SKIP) for (const small of [conv(3, 7, 5, 12, 2, 3), packed(2, 6, 3, 16, 1), filt(3, 5, 6, 7, 2), mm(13, 70, 19), mmt(9, 35, 13), mm(7, 4000, 9), conv(2, 5, 16, 1, 1)]) {
  const [name, k, na, nb] = small; const a = Float32Array.from({ length: na }, () => Math.random() - .5), b = Float32Array.from({ length: nb }, () => Math.random() - .5);
  const e = evaluateLoop(k, [a, b])[0]!;
  for (const fused of [false, true]) {
    const [f] = instantiateLoops(B, generate([k], { fused })); const p = [na, nb, e.length].map((n) => B.wasm._malloc(4 * n)); const v = (i: number, n: number) => new Float32Array(B.wasm.asm.memory.buffer, p[i], n);
    v(0, na).set(a); v(1, nb).set(b); v(2, e.length).fill(99); f!(...p); let err = 0; v(2, e.length).forEach((x, i) => { err = Math.max(err, Math.abs(x - e[i]!)); if (Number.isNaN(x)) err = NaN; });
    console.log('check', name, nestsOf(k).map((n) => n.mode).join(), err);
  }
}
const fl = (k: LoopKernel) => 2 * k.extents.reduce((a, b) => a * b, 1);
const A1 = tf.randomUniform([1, 1024, 1024]), B1 = tf.randomUniform([1, 1024, 1024]);
const t = med(() => { tf.matMul(A1, B1).dispose(); }); console.log('tfjs matmul 1024', (2 * 1024 ** 3 / t / 1e6).toFixed(1), 'GF/s');
for (const [name, k, na, nb] of L.slice(...(process.env.R ?? "0,99").split(",").map(Number))) {
  const res: string[] = [];
  for (const fused of [false, true]) {
    const [f] = instantiateLoops(B, generate([k], { fused })); const p = [na, nb, k.outputs[0]!].map((n) => B.wasm._malloc(4 * n));
    new Float32Array(B.wasm.asm.memory.buffer, p[0], na).fill(0.5); new Float32Array(B.wasm.asm.memory.buffer, p[1], nb).fill(0.25);
    const ms = med(() => f!(...p)); res.push(`${fused ? 'fused' : 'plain'} ${ms.toFixed(2)} ms ${(fl(k) / ms / 1e6).toFixed(1)} GF/s`); p.forEach((x) => B.wasm._free(x));
  }
  const n = nestsOf(k);
  console.log(name.padEnd(34), res.join('   '), n.map((x) => `${x.mode[0]}[${x.extents}]`).join(' '));
}
const t2 = med(() => { tf.matMul(A1, B1).dispose(); }); console.log('tfjs matmul 1024', (2 * 1024 ** 3 / t2 / 1e6).toFixed(1), 'GF/s');
