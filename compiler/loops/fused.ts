/** Lowering for backends that run generated loops: clusters become loops, products and convolutions the target's best kernels. */
import { keyOf } from '../ir/key.js';
import type { Instruction, LoopKernel, Store } from './loop.js';
import { outputKey } from '../ir/interpret.js';
import type { Operand, Plan } from './plan.js';
import { type Equation, is, type Program, type Var } from '../ir/program.js';
import { physicalShape, sizeOfShape } from '../ir/type.js';
import { stridesOf } from '../ir/primitives/structure.js';
import type { View } from './access.js';
import { createPlan, type PlanDraft } from './builder.js';
import { clusterProgram } from './cluster.js';
import type { Cluster } from './items.js';

/** Lowers one equation that is no loop; `shape` is its physical result. */
export type LowerKernel = (
  plan: PlanDraft,
  eq: Equation,
  inputs: readonly Operand[],
  shape: readonly number[],
) => Operand;

type Load = { readonly operand: Operand; readonly offset: number; readonly strides: readonly number[] };

type Body = {
  readonly loads: Load[];
  readonly instructions: Instruction[];
  /** The instruction that holds a variable's value. */
  readonly value: (x: Var) => number;
};

/** Writes a loop body: members are computed, everything else is loaded or constant; equal loads and constants are shared. */
const createBody = (members: ReadonlyMap<number, Equation>, read: (x: Var) => Load | number): Body => {
  const loads: Load[] = [];
  const instructions: Instruction[] = [];
  const known = new Map<string, number>();
  const values = new Map<number, number>();
  const push = (instruction: Instruction): number => {
    const key = keyOf(instruction);
    const before = known.get(key);
    if (before !== undefined) return before;
    known.set(key, instructions.push(instruction) - 1);
    return instructions.length - 1;
  };
  const load = (l: Load): number => {
    const key = JSON.stringify([l.operand.buffer, l.offset, l.strides]);
    const before = loads.findIndex(
      (other) => JSON.stringify([other.operand.buffer, other.offset, other.strides]) === key,
    );
    return push({ op: 'load', load: before >= 0 ? before : loads.push(l) - 1 });
  };
  const compute = (x: Var): number => {
    const eq = members.get(x.id);
    if (eq === undefined) {
      const source = read(x);
      return typeof source === 'number' ? push({ op: 'constant', value: source }) : load(source);
    }
    return push(instructionOf(eq, eq.inputs.map(value)));
  };
  const value = (x: Var): number => {
    const before = values.get(x.id);
    if (before !== undefined) return before;
    const index = compute(x);
    values.set(x.id, index);
    return index;
  };
  return { loads, instructions, value };
};

const instructionOf = (eq: Equation, [a, b, c]: readonly number[]): Instruction => {
  switch (eq.primitive) {
    case 'neg': case 'exp': case 'log': case 'tanh': case 'sigmoid': case 'softplus': case 'elu': case 'erf':
    case 'sqrt': case 'finite':
      return { op: eq.primitive, a };
    case 'add': case 'sub': case 'mul': case 'div': case 'divNoNan': case 'max': case 'min': case 'greater': case 'pow':
      return { op: eq.primitive, a, b };
    case 'select':
      return { op: 'select', a, b, c };
    default:
      throw new Error(`${eq.primitive} is no instruction of a loop`);
  } // prettier-ignore
};

/** One loop over a space; `stores` name the outputs in order. */
const emitLoop = (
  plan: PlanDraft,
  space: readonly number[],
  body: Body,
  stores: readonly {
    readonly value: Var;
    readonly strides: readonly number[];
    readonly mode: Store['mode'];
    readonly shape: readonly number[];
  }[],
): readonly Operand[] => {
  const written = stores.map(({ value, strides, mode }, buffer): Store => ({
    buffer,
    offset: 0,
    strides,
    mode,
    value: body.value(value),
  }));
  const buffers = [...new Set(body.loads.map((l) => l.operand.buffer))];
  const loop: LoopKernel = {
    extents: space,
    loads: body.loads.map(({ operand, offset, strides }) => ({
      buffer: buffers.indexOf(operand.buffer),
      offset,
      strides,
    })),
    body: body.instructions,
    stores: written,
    outputs: stores.map(({ shape }) => sizeOfShape(shape)),
  };
  const inputs = buffers.map((buffer) => ({ buffer, shape: [] }));
  return plan.loop(
    loop,
    inputs,
    stores.map(({ shape }) => shape),
  );
};

export const lowerFused = (program: Program, lowerKernel: LowerKernel): Plan => {
  const { batch } = program;
  const plan = createPlan();
  const { items, viewOf, definition } = clusterProgram(program);
  const operands = new Map<number, Operand>();
  const copies = new Map<number, Operand>();
  const shapeOf = (x: Var): readonly number[] => physicalShape(x.type, batch);

  const inMemory = (x: Var): Operand => {
    const operand = operands.get(x.id);
    if (operand === undefined) throw new Error(`variable ${x.id} is not in memory`);
    return operand;
  };

  const read = (x: Var): Load | number => {
    const eq = definition(x);
    if (eq !== undefined && is(eq, 'constant')) return eq.params.value;
    const view: View = viewOf(x);
    return { operand: inMemory(view.source), offset: view.offset, strides: view.strides };
  };

  /** The variable in its own order, copied if it is only a view. */
  const materialise = (x: Var): Operand => {
    const known = operands.get(x.id) ?? copies.get(x.id);
    if (known !== undefined) return known;
    const shape = shapeOf(x);
    const source = read(x);
    const ordered = stridesOf(shape);
    if (
      typeof source !== 'number' &&
      source.offset === 0 &&
      sizeOfShape(source.operand.shape) === sizeOfShape(shape) &&
      ordered.every((stride, i) => shape[i] === 1 || stride === source.strides[i])
    ) {
      return { buffer: source.operand.buffer, shape };
    }
    const body = createBody(new Map(), read);
    const [copy] = emitLoop(plan, shape, body, [{ value: x, strides: ordered, mode: 'set', shape }]);
    copies.set(x.id, copy);
    return copy;
  };

  const runCluster = ({ space, members, reductions, stored }: Cluster): void => {
    const kept = [...members.values()].map((eq) => eq.out).filter((x) => stored.has(x.id));
    const stores = [
      ...kept.map((value) => ({
        out: value,
        value,
        strides: stridesOf(space),
        mode: 'set' as const,
        shape: space,
      })),
      ...reductions.map(({ value, out, strides }) => ({
        out,
        value,
        strides,
        mode: 'sum' as const,
        shape: shapeOf(out),
      })),
    ];
    const results = emitLoop(plan, space, createBody(members, read), stores);
    stores.forEach(({ out }, i) => operands.set(out.id, results[i]));
  };

  for (const { name, var: x } of program.binders) operands.set(x.id, plan.input(name, shapeOf(x)));
  for (const item of items) {
    if (item.tag === 'cluster') runCluster(item);
    else
      operands.set(
        item.eq.out.id,
        lowerKernel(plan, item.eq, item.eq.inputs.map(materialise), shapeOf(item.eq.out)),
      );
  }
  return plan.finish(
    program.outputs.map((o) => ({ name: outputKey(o.kind, o.name), operand: materialise(o.var) })),
  );
};
