/**
 * A plan as one WebAssembly module: a function for each nest, `n<i>`, which takes a table of addresses and a range of an axis; one for
 * each step, `s<i>`, which calls the nests of a loop or the host; and `run`, which calls all steps in order.
 */
import { elementAt } from '../../dsl/lookup.js';
import { keyOf } from '../../compiler/ir/key.js';
import { clearedOutputs, directStores, startNest, startOf } from '../../compiler/loops/dependence.js';
import type { LoopKernel } from '../../compiler/loops/loop.js';
import { at } from '../../compiler/loops/nest.js';
import type { Plan } from '../../compiler/loops/plan.js';
import { costOfNest, inputCount, sharedAxis } from '../../compiler/loops/sharing.js';
import { emitContraction } from './contraction.js';
import { assembler, encodeModule, type FunctionCode, type Import } from './encode.js';
import { emitNest } from './emit.js';
import { nestsOf } from './schedule.js';

/** What a module asks of the host: a nest to be shared (its number, its table, the extent of its axis), and step i of the plan. */
export const imports: readonly Import[] = [
  { name: 'share', parameters: 3 },
  { name: 'host', parameters: 1 },
];
const [SHARE, HOST] = [0, 1];

const ADDRESS = 4;

export type ProgramCode = {
  readonly bytes: Uint8Array;
  /** Of each step, the byte at which its table begins, inputs then outputs; undefined for a step of the host. */
  readonly tables: readonly (number | undefined)[];
  /** How many nests there are, and whether any of them is shared. */
  readonly nests: number;
  readonly isShared: boolean;
  /** Of each step. */
  readonly sharing: readonly boolean[];
  /** Operations of a run. */
  readonly operations: number;
};

type Kernel = {
  /** Outputs that begin with zeros. */
  readonly clears: readonly { readonly argument: number; readonly bytes: number }[];
  readonly nests: readonly { readonly index: number; readonly extent: number; readonly shared: boolean }[];
  readonly operations: number;
};

export type ProgramOptions = {
  /** Whether the memory is one that threads share, and how many do. */
  readonly shared: boolean;
  readonly threads: number;
  /** Whether the engine has relaxed SIMD's fused multiply-add. */
  readonly fused: boolean;
};

export const programCode = (
  plan: Plan,
  tablesAt: number,
  { shared, threads, fused }: ProgramOptions,
): ProgramCode => {
  const functions: FunctionCode[] = [];
  const kernels = new Map<string, Kernel>();

  const kernelOf = (loop: LoopKernel): Kernel => {
    const key = keyOf(loop);
    const known = kernels.get(key);
    if (known !== undefined) return known;
    const nests = nestsOf(loop);
    const direct = directStores(loop, nests);
    const count = inputCount(loop);
    const cleared = clearedOutputs(loop, nests, direct);
    const started = cleared.flatMap((is, output) =>
      is && startOf(loop, output) !== 0 ? [startNest(loop, output)] : [],
    );
    const made: Kernel = {
      clears: cleared.flatMap((is, output) =>
        is && startOf(loop, output) === 0
          ? [{ argument: count + output, bytes: 4 * elementAt(loop.outputs, output) }]
          : [],
      ),
      nests: [...started, ...nests].map((nest, i) => {
        const asm = assembler(3);
        const addresses = Array.from({ length: count + loop.outputs.length }, (_, i) => {
          const local = asm.local('i32');
          asm.get(0);
          asm.loadI32(ADDRESS * i);
          asm.set(local);
          return local;
        });
        const [inputs, outputs] = [addresses.slice(0, count), addresses.slice(count)];
        const axis = threads > 1 ? sharedAxis(nest, threads) : undefined;
        const range = axis === undefined ? undefined : { axis, lo: 1, hi: 2 };
        if (nest.mode === 'contraction')
          emitContraction(asm, nest, inputs, outputs, direct[0] === true, fused, range);
        else emitNest(asm, nest, inputs, outputs, i < started.length ? [true] : direct, range);
        const index = functions.length;
        functions.push({ name: `n${index}`, parameters: 3, code: asm.finish() });
        return { index, extent: at(nest.extents, axis ?? 0), shared: axis !== undefined };
      }),
      operations: nests.reduce((sum, nest) => sum + costOfNest(nest), 0),
    };
    kernels.set(key, made);
    return made;
  };

  let size = 0;
  let operations = 0;
  const tables: (number | undefined)[] = [];
  const calls = plan.steps.map((step, i): FunctionCode => {
    const asm = assembler(0);
    if (step.tag !== 'loop') {
      tables.push(undefined);
      asm.i32(i);
      asm.call(HOST);
      return { name: `s${i}`, parameters: 0, code: asm.finish() };
    }
    const table = tablesAt + size;
    tables.push(table);
    size += ADDRESS * (step.inputs.length + step.outputs.length);
    const { clears, nests, operations: own } = kernelOf(step.loop);
    operations += own;
    for (const { argument, bytes } of clears) {
      asm.i32(table + ADDRESS * argument);
      asm.loadI32(0);
      asm.i32(0);
      asm.i32(bytes);
      asm.fill();
    }
    for (const nest of nests) {
      if (nest.shared) asm.i32(nest.index);
      asm.i32(table);
      if (!nest.shared) asm.i32(0);
      asm.i32(nest.extent);
      asm.call(nest.shared ? SHARE : imports.length + nest.index);
    }
    return { name: `s${i}`, parameters: 0, code: asm.finish() };
  });
  const first = imports.length + functions.length;
  const run = assembler(0);
  calls.forEach((_, i) => run.call(first + i));
  const bytes = encodeModule([...functions, ...calls, { name: 'run', parameters: 0, code: run.finish() }], {
    imports,
    shared,
  });
  const isShared = [...kernels.values()].some((kernel) => kernel.nests.some((nest) => nest.shared));
  const sharing = plan.steps.map(
    (step) => step.tag === 'loop' && kernelOf(step.loop).nests.some((nest) => nest.shared),
  );
  return { bytes, tables, nests: functions.length, isShared, sharing, operations };
};

/** Bytes of the tables of a plan. */
export const tableSize = (plan: Plan): number =>
  plan.steps.reduce(
    (sum, step) => sum + (step.tag === 'loop' ? ADDRESS * (step.inputs.length + step.outputs.length) : 0),
    0,
  );
