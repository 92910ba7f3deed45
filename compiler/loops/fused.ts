/** Lowering for backends that run generated loops: clusters become loops, products and convolutions the target's best kernels. */
import { atLeast, elementAt, getFrom } from '../../dsl/lookup.js';
import { keyOf } from '../ir/key.js';
import { instructionOf } from './instruction.js';
import type { Instruction, LoopKernel, Store } from './loop.js';
import type { Operand, Plan } from './plan.js';
import { type Equation, is, type Program, type Var } from '../ir/program.js';
import { physicalShape, sizeOfShape } from '../ir/type.js';
import { stridesOf } from '../ir/primitives/structure.js';
import { isContiguous, type View } from './access.js';
import { refined, refinement } from './refinement.js';
import type { Target } from './target.js';
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
  const shared = new Map<string, number>();
  const values = new Map<number, number>();
  const push = (instruction: Instruction): number => {
    const key = keyOf(instruction);
    const before = shared.get(key);
    if (before !== undefined) return before;
    shared.set(key, instructions.push(instruction) - 1);
    return instructions.length - 1;
  };
  const places = new Map<string, number>();
  const load = (l: Load): number => {
    const key = keyOf([l.operand.buffer, l.offset, l.strides]);
    const place = places.get(key) ?? loads.push(l) - 1;
    places.set(key, place);
    return push({ op: 'load', load: place });
  };
  const compute = (x: Var): number => {
    const eq = members.get(x.id);
    if (eq !== undefined) return push(instructionOf(eq, eq.inputs.map(known)));
    const source = read(x);
    return typeof source === 'number' ? push({ op: 'constant', value: source }) : load(source);
  };
  const known = (x: Var): number => {
    const index = values.get(x.id) ?? compute(x);
    values.set(x.id, index);
    return index;
  };
  /** Left to right, each after what it is made of: without recursion, since a chain of members may be longer than a stack of calls. */
  const value = (x: Var): number => {
    const waiting = [x];
    for (let top = waiting.at(-1); top !== undefined; top = waiting.at(-1)) {
      let next: Var | undefined;
      for (const y of values.has(top.id) ? [] : (members.get(top.id)?.inputs ?? [])) {
        if (members.has(y.id) && !values.has(y.id)) next = y;
        else known(y);
        if (next !== undefined) break;
      }
      if (next === undefined) known(waiting.pop() ?? top);
      else waiting.push(next);
    }
    return known(x);
  };
  return { loads, instructions, value };
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
  const numbers = new Map(buffers.map((buffer, i) => [buffer, i]));
  const loop: LoopKernel = {
    extents: space,
    loads: body.loads.map(({ operand, offset, strides }) => ({
      buffer: getFrom(numbers, operand.buffer),
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

export const lowerFused = (program: Program, lowerKernel: LowerKernel, target: Target): Plan => {
  const { batch } = program;
  const plan = createPlan(target);
  const { items, viewOf, definition } = clusterProgram(program, target);
  const operands = new Map<number, Operand>();
  const copies = new Map<number, Operand>();
  const shapeOf = (x: Var): readonly number[] => physicalShape(x.type, batch);

  const inMemory = (x: Var): Operand => {
    const operand = operands.get(x.id);
    if (operand === undefined) throw new Error(`variable ${x.id} is not in memory`);
    return operand;
  };

  const isConstant = (x: Var): boolean => definition(x)?.primitive === 'constant';

  /** A variable as a loop over these extents reads it, which are its view's or finer. */
  const readOver =
    (extents: readonly number[]) =>
    (x: Var): Load | number => {
      const eq = definition(x);
      if (eq !== undefined && is(eq, 'constant')) return eq.params.value;
      const { source, offset, ...view }: View = viewOf(x);
      return { operand: inMemory(source), offset, strides: refined(view.strides, view.extents, extents) };
    };

  /** The variable in its own order, copied if it is only a view. */
  const materialise = (x: Var): Operand => {
    const known = operands.get(x.id) ?? copies.get(x.id);
    if (known !== undefined) return known;
    const shape = shapeOf(x);
    const extents = isConstant(x) ? shape : viewOf(x).extents;
    const source = readOver(extents)(x);
    if (
      typeof source !== 'number' &&
      sizeOfShape(source.operand.shape) === sizeOfShape(shape) &&
      isContiguous({ ...source, extents })
    ) {
      return { buffer: source.operand.buffer, shape };
    }
    const body = createBody(new Map(), readOver(extents));
    const [copy] = atLeast(
      1,
      emitLoop(plan, extents, body, [{ value: x, strides: stridesOf(extents), mode: 'set', shape }]),
    );
    copies.set(x.id, copy);
    return copy;
  };

  const runCluster = ({ space, members, reductions, stored }: Cluster): void => {
    const kept = [...members.values()].map((eq) => eq.out).filter((x) => stored.has(x.id));
    const isRead = (x: Var): boolean => !members.has(x.id) && !isConstant(x);
    const inputs = [...[...members.values()].flatMap((eq) => eq.inputs), ...reductions.map((r) => r.value)];
    /** As fine as all that is read; what fits in no way is copied into its own order. */
    let extents = space;
    const copied = new Set<number>();
    for (const x of inputs.filter(isRead)) {
      const own = viewOf(x).extents;
      if (own.join() === space.join()) continue;
      const both = refinement(extents, own);
      if (both === null) copied.add(x.id);
      else extents = both;
    }
    const finer = (strides: readonly number[]): readonly number[] => refined(strides, space, extents);
    const inOrder = finer(stridesOf(space));
    const read = (x: Var): Load | number =>
      copied.has(x.id) ? { operand: materialise(x), offset: 0, strides: inOrder } : readOver(extents)(x);
    const stores = [
      ...kept.map((value) => ({
        out: value,
        value,
        strides: inOrder,
        mode: 'set' as const,
        shape: space,
      })),
      ...reductions.map(({ op, value, out, strides }) => ({
        out,
        value,
        strides: finer(strides),
        mode: op,
        shape: shapeOf(out),
      })),
    ];
    const results = emitLoop(plan, extents, createBody(members, read), stores);
    stores.forEach(({ out }, i) => operands.set(out.id, elementAt(results, i)));
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
    program.outputs.map((o) => ({ kind: o.kind, name: o.name, operand: materialise(o.var) })),
  );
};
