/** The product with JᵀJ as an operator: linearized at a point once, so that a loop around it computes no coefficient again. */
import type { Builder } from '../builder.js';
import { pushForward } from '../forward.js';
import { constantLike } from '../operations.js';
import { eliminateCommonSubexpressions } from '../passes/cse.js';
import { eliminateDeadCode } from '../passes/dce.js';
import { simplify } from '../passes/simplify.js';
import { type Equation, is, type Operator, type Program, type Var } from '../program.js';
import { pullBack, recording } from '../reverse.js';
import type { Type } from '../type.js';

/** An operator and what the variables that it captures are outside. */
export type Closure = { readonly operator: Operator; readonly captured: readonly Var[] };

/** Variables of an operator numbered from 0, so that equal operators are equal data. */
const numbered = ({ argument, captured, equations, out }: Operator): Operator => {
  const ids = new Map<number, number>();
  const again = ({ id, type }: Var): Var => {
    const known = ids.get(id) ?? ids.size;
    ids.set(id, known);
    return { id: known, type };
  };
  const [first, ...others] = [argument, ...captured].map(again);
  const renamed = equations.map((eq): Equation => ({
    ...eq,
    inputs: eq.inputs.map(again),
    out: again(eq.out),
  }));
  return { argument: first, captured: others, equations: renamed, out: again(out) };
};

/** Closes recorded equations over the variables outside that they use; constants come inside. */
const close = (argument: Var, recorded: readonly Equation[], out: Var, outside: Builder): Closure => {
  const inside = new Set([argument.id, ...recorded.map((eq) => eq.out.id)]);
  const used = recorded.flatMap((eq) => eq.inputs).filter((x) => !inside.has(x.id));
  const ids = new Set(used.map((x) => x.id));
  const constants = outside.equations().filter((eq) => ids.has(eq.out.id) && is(eq, 'constant'));
  const isConstant = new Set(constants.map((eq) => eq.out.id));
  const captured = [...new Map(used.filter((x) => !isConstant.has(x.id)).map((x) => [x.id, x])).values()];
  const program: Program = {
    name: 'operator',
    batch: 1,
    binders: [argument, ...captured].map((x, i) => ({ kind: 'data', name: String(i), var: x })),
    equations: [...constants, ...recorded],
    outputs: [{ kind: 'value', name: 'out', var: out }],
  };
  const passes = [
    simplify,
    eliminateCommonSubexpressions,
    simplify,
    eliminateCommonSubexpressions,
    eliminateDeadCode,
  ];
  const { binders, equations, outputs } = passes.reduce((result, pass) => pass(result), program);
  const kept = captured.filter((x) => binders.some((b) => b.var.id === x.id));
  return {
    operator: numbered({ argument, captured: kept, equations, out: outputs[0].var }),
    captured: kept,
  };
};

/** v ↦ Jᵀ·J·v for the Jacobian of `y` with respect to `at`, on arguments of a type; its coefficients go into the program. */
export const gramOperator = (builder: Builder, at: Var, y: Var, type: Type): Closure => {
  const v = builder.fresh(type);
  const { emit, recorded } = recording(builder, [v]);
  const [Jv] = pushForward(emit, builder.equations(), [{ primal: at, tangent: v }], [y], true);
  const zero = (): Var => emit('mul', {}, [v, constantLike(builder.emit, 0, type)]);
  const product = Jv === null ? null : pullBack({ ...builder, emit }, [at], [y], [Jv], true)[0];
  return close(v, recorded, product ?? zero(), builder);
};
