/** Systems with JᵀJ: its product as an operator, linearized once, so that a loop around it computes no coefficient again; or its factor. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import type { Builder } from '../ir/builder.js';
import { pushForward } from '../derivatives/forward.js';
import { atRows, constantLike, sub, sumAll, unary } from '../ir/operations.js';
import { eliminateCommonSubexpressions } from '../passes/cse.js';
import { eliminateDeadCode } from '../passes/dce.js';
import { simplify } from '../passes/simplify.js';
import type { PrimitiveName } from '../ir/params.js';
import { type Emit, type Equation, type Operator, type Program, type Var } from '../ir/program.js';
import { pullBack, recording } from '../derivatives/reverse.js';
import { sizeOfShape, type Type } from '../ir/type.js';
import type { Context } from './context.js';

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
  const [first, ...others] = atLeast(1, [argument, ...captured].map(again));
  const renamed = equations.map((eq): Equation => ({
    ...eq,
    inputs: eq.inputs.map(again),
    out: again(eq.out),
  }));
  return { argument: first, captured: others, equations: renamed, out: again(out) };
};

/**
 * Closes recorded equations over the variables outside that they use. Constants come inside, and comparisons: their operand is
 * captured in place of what they give, so that a target still sees a derivative of relu where there is one.
 */
const close = (argument: Var, recorded: readonly Equation[], out: Var, outside: Builder): Closure => {
  const outsideOf = (inner: readonly Equation[]): readonly Var[] => {
    const inside = new Set([argument.id, ...inner.map((eq) => eq.out.id)]);
    return inner.flatMap((eq) => eq.inputs).filter((x) => !inside.has(x.id));
  };
  const behind = (xs: readonly Var[], primitive: PrimitiveName): readonly Equation[] => {
    const ids = new Set(xs.map((x) => x.id));
    return outside.equations().filter((eq) => ids.has(eq.out.id) && eq.primitive === primitive);
  };
  const compared = [...behind(outsideOf(recorded), 'greater'), ...recorded];
  const used = outsideOf(compared);
  const constants = behind(used, 'constant');
  const isConstant = new Set(constants.map((eq) => eq.out.id));
  const captured = [...new Map(used.filter((x) => !isConstant.has(x.id)).map((x) => [x.id, x])).values()];
  const program: Program = {
    name: 'operator',
    batch: 1,
    binders: [argument, ...captured].map((x, i) => ({ kind: 'data', name: String(i), var: x })),
    equations: [...constants, ...compared],
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
    operator: numbered({ argument, captured: kept, equations, out: elementAt(outputs, 0).var }),
    captured: kept,
  };
};

/** v ↦ Jᵀ·J·v for the Jacobian of `y` with respect to `at`, on arguments of a type; its coefficients go into the program. */
export const gramOperator = (builder: Builder, at: Var, y: Var, type: Type): Closure => {
  const v = builder.fresh(type);
  const { emit, recorded } = recording(builder, [v]);
  const [Jv] = atLeast(1, pushForward(emit, builder.equations(), [{ primal: at, tangent: v }], [y], true));
  const zero = (): Var => emit('mul', {}, [v, constantLike(builder.emit, 0, type)]);
  const product = Jv === null ? null : pullBack({ ...builder, emit }, [at], [y], [Jv], true)[0];
  return close(v, recorded, product ?? zero(), builder);
};

/** The unit matrix [n, …shape], n elements in the shape. */
export const unitProbes = (emit: Emit, shape: readonly number[]): Var => {
  const n = sizeOfShape(shape);
  const ones = constantLike(emit, 1, { rows: 0, shape: [n, n] });
  const identity = emit('band', { below: 0, diagonal: 1, above: 0 }, [ones]);
  return emit('reshape', { shape: [n, ...shape] }, [identity]);
};

/** How often jitter may be added before a factor is given up. */
export const jitters = 3;

/** What part of its diagonal element single precision knows a pivot to: a smaller one may as well be 0. */
export const smallestPivot = 1e-6;

/** What part of its length single precision knows of a column of J. */
export const least = 1e-6;

/** What is added to the diagonal of JᵀJ, as a part of its mean, where its columns are not independent as far as that is known. */
export const jitter = 1e-6;

/** L of A = L·Q, with jitter where the rows of A are not independent; of a training step with a note of the examples where that is so. */
export const factorOf = ({ builder: { emit }, mode, guards }: Context, rows: Var, jittered: number): Var => {
  if (mode === 'train') {
    const known = unary(emit, 'finite', sumAll(emit, emit('lq', { jitter: 0, least }, [rows])));
    guards.push({ name: 'jitter', acts: sub(emit, constantLike(emit, 1, known.type), known) });
  }
  return emit('lq', { jitter: jittered, least }, [rows]);
};

/**
 * (JᵀJ)⁻¹·b for b of the shape of `at`, or [k, …] of it, by all columns of J and their triangular factor L, JᵀJ = L·Lᵀ. Where it `gives` the
 * root, L⁻ᵀ·b: a random direction with E bbᵀ = I becomes one with E wwᵀ = (JᵀJ)⁻¹.
 */
export const solveByFactor = (context: Context, at: Var, y: Var, b: Var, gives?: 'root'): Var => {
  const { builder } = context;
  const { emit } = builder;
  const { rows, shape } = at.type;
  const d = sizeOfShape(shape);
  const right = atRows(emit, Math.max(rows, b.type.rows), b);
  const unit = emit('axisToBatch', {}, [atRows(emit, rows, unitProbes(emit, shape))]);
  const [columns] = atLeast(
    1,
    pushForward(emit, builder.equations(), [{ primal: at, tangent: unit }], [y], true),
  );
  const J =
    columns === null
      ? constantLike(emit, 0, { rows, shape: [d, 1] })
      : emit('reshape', { shape: [d, sizeOfShape(y.type.shape)] }, [
          emit('batchToAxis', { times: d }, [columns]),
        ]);
  const factor = factorOf(context, J, jitter);
  const count = sizeOfShape(right.type.shape) / d;
  const turned = (x: Var): Var => emit('permute', { permutation: [1, 0] }, [x]);
  const sides = turned(emit('reshape', { shape: [count, d] }, [right]));
  const half =
    gives === 'root'
      ? sides
      : emit('triangularSolve', { lower: true, transposed: false }, [
          atRows(emit, right.type.rows, factor),
          sides,
        ]);
  const whole = emit('triangularSolve', { lower: true, transposed: true }, [
    atRows(emit, right.type.rows, factor),
    half,
  ]);
  return emit('reshape', { shape: right.type.shape }, [turned(whole)]);
};
