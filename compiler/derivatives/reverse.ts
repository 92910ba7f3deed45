/** Reverse mode: linearize by forward mode, then transpose the linear part (Radul et al., You Only Linearize Once, 2022). */
import { elementAt } from '../../dsl/lookup.js';
import type { Builder } from '../ir/builder.js';
import { equation } from '../ir/builder.js';
import { pushForward } from './forward.js';
import { add } from '../ir/operations.js';
import type { Emit, Equation, Var } from '../ir/program.js';
import { transposeOf } from '../ir/primitive-table.js';

type Linearized = {
  /** Equations linear in the inputs' tangents, in order; their other operands are variables of the builder. */
  readonly equations: readonly Equation[];
  readonly inputs: readonly Var[];
  readonly outputs: readonly (Var | null)[];
  readonly isLinear: (x: Var) => boolean;
};

export type Recorder = {
  /** What depends on the unknowns is recorded aside, everything else goes into the program. */
  readonly emit: Emit;
  readonly isUnknown: (x: Var) => boolean;
  readonly recorded: readonly Equation[];
};

/** Partial evaluation: splits what is emitted into equations of some unknown variables and the rest, their coefficients. */
export const recording = (builder: Builder, unknowns: readonly Var[]): Recorder => {
  const ids = new Set(unknowns.map((x) => x.id));
  const isUnknown = (x: Var): boolean => ids.has(x.id);
  const recorded: Equation[] = [];
  const emit: Emit = (primitive, params, operands) => {
    if (!operands.some(isUnknown)) return builder.emit(primitive, params, operands);
    const eq = equation(primitive, params, operands, builder.fresh);
    ids.add(eq.out.id);
    recorded.push(eq);
    return eq.out;
  };
  return { emit, isUnknown, recorded };
};

/** Forward mode with unknown tangents. */
const linearize = (
  builder: Builder,
  inputs: readonly Var[],
  outputs: readonly Var[],
  user: boolean,
): Linearized => {
  const tangents = inputs.map((x) => builder.fresh(x.type));
  const { emit, isUnknown, recorded } = recording(builder, tangents);
  const seeds = inputs.map((primal, i) => ({ primal, tangent: elementAt(tangents, i) }));
  const results = pushForward(emit, builder.equations(), seeds, outputs, user);
  return { equations: recorded, inputs: tangents, outputs: results, isLinear: isUnknown };
};

/** Emits the transpose of a linearized program: cotangents of its inputs, null for zero. */
const transpose = (
  emit: Emit,
  { equations, inputs, outputs, isLinear }: Linearized,
  cotangents: readonly Var[],
): readonly (Var | null)[] => {
  const known = new Map<number, Var>();
  const accumulate = (x: Var, cotangent: Var): void => {
    const sum = known.get(x.id);
    known.set(x.id, sum === undefined ? cotangent : add(emit, sum, cotangent));
  };
  outputs.forEach((x, i) => {
    if (x !== null) accumulate(x, elementAt(cotangents, i));
  });
  for (let i = equations.length - 1; i >= 0; i--) {
    const eq = elementAt(equations, i);
    const cotangent = known.get(eq.out.id);
    if (cotangent === undefined) continue;
    const contributions = transposeOf(eq, { emit, linear: eq.inputs.map(isLinear), cotangent });
    if (contributions === null) throw new Error(`no transpose for ${eq.primitive}`);
    contributions.forEach((contribution, k) => {
      if (contribution !== null) accumulate(elementAt(eq.inputs, k), contribution);
    });
  }
  return inputs.map((x) => known.get(x.id) ?? null);
};

/** Emits Jᵀ·cotangents for the Jacobian of `outputs` with respect to `inputs`; null where it is zero. */
export const pullBack = (
  builder: Builder,
  inputs: readonly Var[],
  outputs: readonly Var[],
  cotangents: readonly Var[],
  user: boolean,
): readonly (Var | null)[] => transpose(builder.emit, linearize(builder, inputs, outputs, user), cotangents);
