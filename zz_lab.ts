import * as tf from '@tensorflow/tfjs-core';
import v8 from 'node:v8';
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import type { LoopKernel } from './compiler/loop.js';
import type { Operand, PlanBuilder } from './compiler/plan.js';
import { generate } from './compiler/wasm/generate.js';
import { lowerConv, lowerConvFilter, lowerConvInput } from './compiler/wasm/convolution.js'; import { lowerMatmul } from './compiler/wasm/matmul.js';
import { instantiateLoops } from './runtime/loops.js';
v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
setThreadsCount(1); await tf.setBackend('wasm'); const B: any = tf.backend();
const T = Number(process.env.T ?? 250);
const best = (f: () => void) => { let m = 1e9; const end = performance.now() + T; for (let i = 0; i < 8 || performance.now() < end; i++) { const a = performance.now(); f(); m = Math.min(m, performance.now() - a); } return m; };
const prod = (v: readonly number[]) => v.reduce((a, b) => a * b, 1);
const lower = (shapes: number[][], f: (b: PlanBuilder, ...o: Operand[]) => Operand, fused: boolean) => {
  const addr: number[] = []; const steps: { loop: LoopKernel; at: number[] }[] = [];
  const alloc = (shape: readonly number[]): Operand => { addr.push(B.wasm._malloc(4 * prod(shape))); return { buffer: addr.length - 1, shape }; };
  const ins = shapes.map(alloc); ins.forEach((o) => { const v = new Float32Array(B.wasm.asm.memory.buffer, addr[o.buffer], prod(o.shape)); for (let i = 0; i < v.length; i++) v[i] = Math.random() - 0.5; });
  const builder: PlanBuilder = { kernel: () => { throw 0; }, constant: () => { throw 0; }, loop: (loop, inputs, sh) => { const outs = sh.map(alloc); steps.push({ loop, at: [...inputs, ...outs].map((o) => addr[o.buffer]!) }); return outs; } };
  f(builder, ...ins);
  const fs = instantiateLoops(B, generate(steps.map((s) => s.loop), { fused }));
  const ms = best(() => { for (let i = 0; i < steps.length; i++) fs[i]!(...steps[i]!.at); });
  const parts = steps.map((_, i) => best(() => fs[i]!(...steps[i]!.at)));
  addr.forEach((a) => B.wasm._free(a));
  return { ms, parts };
};
const kernel = (name: string, inputs: any, attrs: any) => { const k: any = tf.getKernel(name, 'wasm')!; return best(() => { const o = k.kernelFunc({ inputs, backend: B, attrs }); B.disposeData(o.dataId); }); };
const mmRef = () => { const a = tf.randomUniform([1, 1024, 1024]), b = tf.randomUniform([1, 1024, 1024]); const ms = best(() => { tf.matMul(a, b).dispose(); }); a.dispose(); b.dispose(); return 2 * 1024 ** 3 / ms / 1e6; };
console.log('tfjs matmul 1024', mmRef().toFixed(1));
const layers: [string, number, number, number, number][] = [['E1', 28, 1, 16, 1], ['E2', 28, 16, 32, 2], ['E3', 14, 32, 64, 2], ['E4', 7, 64, 128, 2], ['E5', 4, 128, 128, 1], ['D1 T', 7, 128, 64, 1], ['D2 T', 7, 64, 128, 1], ['D3 T', 14, 32, 64, 2], ['D4 T', 28, 16, 32, 2], ['D5 T', 28, 1, 16, 1]];
const sums: Record<string, [number, number]> = {};
for (const [name, H, Ci, Co, s] of layers) {
  const O = Math.ceil(H / s), P = Math.max(0, (O - 1) * s + 4 - H), t = Math.floor(P / 2);
  const params = { strides: [s, s] as const, padding: [t, P - t, t, P - t] as const };
  const x = [64, H, H, Ci], w = [4, 4, Ci, Co], ct = [64, O, O, Co]; const fl = 2 * 64 * O * O * 16 * Ci * Co;
  const gf = (ms: number) => (fl / ms / 1e6).toFixed(1).padStart(5);
  const pad = [[0, 0], [t, P - t], [t, P - t], [0, 0]];
  const X = tf.randomUniform(x), W = tf.randomUniform(w), CT = tf.randomUniform(ct);
  const attrs = { strides: [s, s], dilations: [1, 1], pad: 'same', dataFormat: 'NHWC' };
  const ref = process.env.REF ? { conv: kernel('Conv2D', { x: X, filter: W }, attrs), input: kernel('Conv2DBackpropInput', { dy: CT, filter: W }, { ...attrs, inputShape: x, dimRoundingMode: undefined }) } : { conv: NaN, input: NaN };
  const line: string[] = [];
  for (const fused of [false, true]) {
    const c = lower([x, w], (b, X, W) => lowerConv(b, X!, W!, params, ct), fused), i = lower([ct, w], (b, C, W) => lowerConvInput(b, C!, W!, params, x), fused), f = lower([x, ct], (b, X, C) => lowerConvFilter(b, X!, C!, params, w), fused);
    const show = (r: typeof c) => `${gf(r.ms)} (${r.parts.map((p) => p.toFixed(2)).join('+')})`;
    line.push(`${fused ? 'fused' : 'plain'} conv ${show(c)} input ${show(i)} filter ${show(f)}`);
    for (const [k, r] of [['conv', c], ['input', i], ['filter', f]] as const) { const e = (sums[`${fused} ${k}`] ??= [0, 0]); e[0] += fl; e[1] += r.ms; const g = (sums[`${fused} all`] ??= [0, 0]); g[0] += fl; g[1] += r.ms; }
  }
  console.log(`${name} ${H}x${H}x${Ci}->${Co} s${s} ${(fl / 1e6).toFixed(0)}MF  tfjs conv ${gf(ref.conv)} input ${gf(ref.input)}\n   ${line.join('\n   ')}`);
  [X, W, CT].forEach((z) => z.dispose());
}
for (const [k, [f, ms]] of Object.entries(sums)) console.log(k, (f / ms / 1e6).toFixed(1), 'GF/s');
for (const [m, k, n] of [[1024, 1024, 1024], [64, 2048, 32], [64, 32, 6272], [32, 64, 6272], [64, 6272, 32], [64, 128, 1], [1000, 16, 16], [256, 64, 64], [64, 64, 256]] as const) for (const [ta, tb] of [[false, false], [true, false], [false, true]] as const) {
  const r = [false, true].map((fused) => { const z = lower([ta ? [k, m] : [m, k], tb ? [n, k] : [k, n]], (b, A, C) => lowerMatmul(b, A!, C!, { transposeA: ta, transposeB: tb }), fused); return `${(2 * m * k * n / z.ms / 1e6).toFixed(1)} (${z.parts.map((p) => p.toFixed(3)).join('+')})`; });
  const A = tf.randomUniform([1, m, k]), C = tf.randomUniform([1, k, n]); const ms = best(() => { tf.matMul(A, C).dispose(); }); A.dispose(); C.dispose();
  console.log(`matmul ${m}x${k}x${n} ${ta ? 'aT' : tb ? 'bT' : ''}`.padEnd(26), r.join('  '), ' tfjs untransposed', (2 * m * k * n / ms / 1e6).toFixed(1));
}
console.log('tfjs matmul 1024', mmRef().toFixed(1));
