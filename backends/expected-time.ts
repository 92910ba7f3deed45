/** What a run would take on each backend by its costs: what `auto` goes by. */
import { availableParallelism } from 'node:os';
import { costOf } from '../compiler/costs/cost.js';
import type { PrimitiveName } from '../compiler/ir/params.js';
import type { Program } from '../compiler/ir/program.js';
import type { GpuRates } from './webgpu/rates.js';

/** What is to be run: a program, so many times. */
export type Work = { readonly program: Program; readonly steps: number };

/** Of one core of a two-core Intel Xeon with 512-bit vectors; what is gone by is their quotients. */
type Rates = {
  /** FLOP/s of products of matrices and of convolutions. */
  readonly products: number;
  readonly convolutions: number;
  /** Seconds an equation takes in each step besides, and once, until the first step. */
  readonly equation: number;
  readonly ready: number;
  /** Equations that are made ready side by side with others, each so many on a core: one file of a C compiler's; absent where all are on one. */
  readonly file?: number;
};

const rates = {
  cc: { products: 100e9, convolutions: 100e9, equation: 0.1e-6, ready: 2.6e-3, file: 250 },
  native: { products: 65e9, convolutions: 62e9, equation: 0.6e-6, ready: 0.6e-3 },
  wasm: { products: 19e9, convolutions: 25e9, equation: 0.1e-6, ready: 0.7e-3 },
} as const satisfies Readonly<Record<string, Rates>>;

/** The backends that `auto` chooses among; a GPU's where its rates were measured. */
type Candidate = keyof typeof rates | 'webgpu';

/** Kernels that an equation becomes, and seconds until they are compiled. */
const gpu = { kernels: 0.6, ready: 3e-3 };

const isConvolution = (primitive: PrimitiveName): boolean => primitive.startsWith('conv');

/** Seconds of the whole run on each backend, the least first; on a GPU by what was measured of it. */
export const expectedTimes = (
  { program, steps }: Work,
  measured?: GpuRates,
): readonly { readonly name: Candidate; readonly seconds: number }[] => {
  const { equations } = costOf(program);
  const flopsWhere = (convolutions: boolean): number =>
    equations.reduce(
      (sum, { equation: { primitive }, flops }) =>
        isConvolution(primitive) === convolutions ? sum + flops : sum,
      0,
    );
  const [inProducts, inConvolutions] = [flopsWhere(false), flopsWhere(true)];
  const names: readonly (keyof typeof rates)[] = ['native', 'cc', 'wasm'];
  const onGpu = ({ products, kernel, step }: GpuRates): number =>
    equations.length * gpu.ready +
    steps * (step + equations.length * gpu.kernels * kernel + (inProducts + inConvolutions) / products);
  return [
    ...(measured === undefined ? [] : [{ name: 'webgpu' as const, seconds: onGpu(measured) }]),
    ...names.map((name) => {
      const { products, convolutions, equation, ready, file = Infinity }: Rates = rates[name];
      const cores = Math.min(availableParallelism(), Math.max(1, Math.round(equations.length / file)));
      const step = inProducts / products + inConvolutions / convolutions + equations.length * equation;
      return { name, seconds: (equations.length * ready) / cores + steps * step };
    }),
  ].sort((a, b) => a.seconds - b.seconds);
};
