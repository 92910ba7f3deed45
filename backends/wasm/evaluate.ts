/** The living definition of a loop kernel: what it computes, in float64 and in the order written. */
import type { Access, Binary, Instruction, LoopKernel, Unary } from '../../compiler/loops/loop.js';

const erf = (x: number): number => {
  const a = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    // erf(x) = 2/√π e^{-x²} Σ 2^n x^{2n+1} / (2n+1)!!: all terms positive.
    let term = a;
    let sum = a;
    for (let n = 1; n < 120; n += 1) {
      term *= (2 * a * a) / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum;
  }
  // The continued fraction of erfc, from its tail.
  let tail = a;
  for (let n = 60; n > 0; n -= 1) tail = a + n / 2 / tail;
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / tail);
};

const unary: Readonly<Record<Unary, (a: number) => number>> = {
  neg: (a) => -a,
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  sigmoid: (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a))),
  softplus: (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
  elu: (a) => (a > 0 ? a : Math.expm1(a)),
  erf,
  sqrt: Math.sqrt,
  finite: (a) => (Number.isFinite(a) ? 1 : 0),
};

const binary: Readonly<Record<Binary, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  divNoNan: (a, b) => (b === 0 ? 0 : a / b),
  max: Math.max,
  min: Math.min,
  greater: (a, b) => (a > b ? 1 : 0),
  pow: (a, b) => (b === 0 ? 1 : Math.pow(a, b)),
};

/** The value of one instruction, given the loads and the earlier values. */
export const evaluateInstruction = (
  instruction: Instruction,
  load: (index: number) => number,
  value: (index: number) => number,
): number => {
  switch (instruction.op) {
    case 'load':
      return load(instruction.load);
    case 'constant':
      return instruction.value;
    case 'select':
      return value(instruction.a) !== 0 ? value(instruction.b) : value(instruction.c);
    case 'neg':
    case 'exp':
    case 'log':
    case 'tanh':
    case 'sigmoid':
    case 'softplus':
    case 'elu':
    case 'erf':
    case 'sqrt':
    case 'finite':
      return unary[instruction.op](value(instruction.a));
    default:
      return binary[instruction.op](value(instruction.a), value(instruction.b));
  }
};

const position = (access: Access, index: readonly number[]): number =>
  index.reduce((sum, i, axis) => sum + i * (access.strides[axis] ?? 0), access.offset);

export const evaluateLoop = (
  kernel: LoopKernel,
  inputs: readonly (Float32Array | Float64Array)[],
): Float64Array[] => {
  const outputs = kernel.outputs.map((size) => new Float64Array(size));
  const index = kernel.extents.map(() => 0);
  const count = kernel.extents.reduce((a, b) => a * b, 1);
  for (let step = 0; step < count; step += 1) {
    const values: number[] = [];
    for (const instruction of kernel.body) {
      values.push(
        evaluateInstruction(
          instruction,
          (i) => {
            const access = kernel.loads[i];
            return access === undefined ? NaN : (inputs[access.buffer]?.[position(access, index)] ?? NaN);
          },
          (i) => values[i] ?? NaN,
        ),
      );
    }
    for (const store of kernel.stores) {
      const output = outputs[store.buffer];
      if (output === undefined) continue;
      const at = position(store, index);
      output[at] = (store.mode === 'sum' ? (output[at] ?? NaN) : 0) + (values[store.value] ?? NaN);
    }
    for (let axis = index.length - 1; axis >= 0; axis -= 1) {
      const next = (index[axis] ?? 0) + 1;
      index[axis] = next === kernel.extents[axis] ? 0 : next;
      if (index[axis] !== 0) break;
    }
  }
  return outputs;
};
