/** Plain lowering: every equation as the tfjs kernels of its own name, for backends that cannot run generated loops. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { type Operands, operandsOf } from '../../compiler/ir/arity.js';
import type { BinaryName, Params, PrimitiveName, UnaryName } from '../../compiler/ir/params.js';
import type { Operand, Plan } from '../../compiler/loops/plan.js';
import type { EquationOf, Program, Var } from '../../compiler/ir/program.js';
import type { BilinearName } from '../../compiler/ir/primitives/bilinear.js';
import { type Decomposable, decompose } from '../../compiler/passes/decompose.js';
import { physicalShape, sizeOfShape } from '../../compiler/ir/type.js';
import { reductionKernels } from '../reductions.js';
import { bandFactor } from '../../compiler/ir/primitives/matrix.js';
import { withRows } from '../../compiler/loops/kernel-rows.js';
import { createPlan, imageAttributes, type PlanDraft } from '../../compiler/loops/builder.js';
import { gatherKernels, scatterKernels } from './places.js';
import { lowerSolve } from '../../compiler/loops/conjugate-gradients.js';

/** Kernels that a backend lacks are written with others. */
export type KernelTarget = { readonly hasFilterGradient: boolean };

type Site<P extends PrimitiveName> = {
  readonly plan: PlanDraft;
  readonly target: KernelTarget;
  readonly params: Params[P];
  /** Physical operands. */
  readonly inputs: Operands<P, Operand>;
  readonly eq: EquationOf<P>;
  /** Physical shape of the result. */
  readonly shape: readonly number[];
  readonly batch: number;
};

type Lower<P extends PrimitiveName> = (site: Site<P>) => Operand;

/** The same buffer seen with another shape. */
export const view = (x: Operand, shape: readonly number[]): Operand => ({ buffer: x.buffer, shape });

const unary =
  (kernel: string): Lower<Exclude<UnaryName, 'finite'>> =>
  ({ plan, inputs: [x], shape }) =>
    plan.kernel(kernel, { x }, {}, shape);

const binary =
  (kernel: string): Lower<Exclude<BinaryName, 'divNoNan' | 'greater'>> =>
  ({ plan, inputs: [a, b], shape }) =>
    plan.kernel(kernel, { a, b }, {}, shape);

const toFloat = (plan: PlanDraft, x: Operand): Operand =>
  plan.kernel('Cast', { x }, { dtype: 'float32' }, x.shape);

const asView: Lower<'stop' | 'statistics' | 'reshape' | 'axisToBatch' | 'batchToAxis'> = ({
  inputs: [x],
  shape,
}) => view(x, shape);

const tile = (
  plan: PlanDraft,
  x: Operand,
  shape: readonly number[],
  repeated: readonly number[],
): Operand => {
  const small = shape.map((n, i) => (repeated.includes(i) ? 1 : n));
  const reps = shape.map((n, i) => (repeated.includes(i) ? n : 1));
  return plan.kernel('Tile', { x: view(x, small) }, { reps }, shape);
};

/** Leading physical axes: 1 for a value of each example. */
const lead = ({ type }: Var): number => (type.rows === 0 ? 0 : 1);

const matmul = (
  plan: PlanDraft,
  a: Operand,
  b: Operand,
  transposeA: boolean,
  transposeB: boolean,
): Operand => {
  const [n, k] = atLeast(2, a.shape);
  const [p, q] = atLeast(2, b.shape);
  const shape = [transposeA ? k : n, transposeB ? p : q];
  const product = plan.kernel(
    'BatchMatMul',
    // Rank 3: on wasm the rank-2 path of the fused kernel reads out of bounds.
    { a: view(a, [1, n, k]), b: view(b, [1, p, q]) },
    { transposeA, transposeB },
    [1, ...shape],
  );
  return view(product, shape);
};

/** A filter's gradient tap by tap, for backends without the kernel: strided slices of the padded input times the cotangent. */
const filterGradientByTaps = ({ plan, params, inputs: [x, y], shape }: Site<'convFilter'>): Operand => {
  const [kh, kw, c, f] = atLeast(4, shape);
  const [n, oh, ow] = atLeast(3, y.shape);
  const [sh, sw] = params.strides;
  const [top, bottom, left, right] = params.padding;
  const paddings = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  const padded = plan.kernel('PadV2', { x }, { paddings, constantValue: 0 }, [
    n,
    elementAt(x.shape, 1) + top + bottom,
    elementAt(x.shape, 2) + left + right,
    c,
  ]);
  const taps = Array.from({ length: kh * kw }, (_, tap) => {
    const [a, b] = [Math.floor(tap / kw), tap % kw];
    const end = [n, a + (oh - 1) * sh + 1, b + (ow - 1) * sw + 1, c];
    const masks = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
    const attributes = { begin: [0, a, b, 0], end, strides: [1, sh, sw, 1], ...masks };
    const patch = plan.kernel('StridedSlice', { x: padded }, attributes, [n, oh, ow, c]);
    const rows = n * oh * ow;
    return view(matmul(plan, view(patch, [rows, c]), view(y, [rows, f]), true, false), [1, c, f]);
  });
  return view(plan.kernel('Concat', taps, { axis: 0 }, [kh * kw, c, f]), shape);
};

/** The factors of a band as a matrix. */
export const bandOf = (plan: PlanDraft, params: Params['band'], shape: readonly number[]): Operand => {
  const [n, m] = atLeast(2, shape);
  const values = Array.from({ length: n * m }, (_, i) => bandFactor(params, Math.floor(i / m), i % m));
  return plan.constant(values, shape);
};

/** A rule for operands with an axis of rows, for operands with or without. */
const withRowAxis =
  <P extends BilinearName>(rule: Lower<P>): Lower<P> =>
  (site) => {
    const { inputs, shape, eq } = site;
    const rows = inputs.map((x) => view(x, withRows(eq.primitive, x.shape)));
    return view(
      rule({ ...site, inputs: operandsOf(eq.primitive, rows), shape: withRows(eq.primitive, shape) }),
      shape,
    );
  };

/** What tfjs has no kernel for, and passes/decompose.ts takes apart before. */
const lacking: ReadonlySet<Decomposable> = new Set<Decomposable>(['divNoNan']);

const decomposed = ({ eq }: Site<Decomposable>): never => {
  throw new Error(`${eq.primitive} reached the kernels whole`);
};

const rules: { readonly [P in PrimitiveName]: Lower<P> } = {
  constant: ({ plan, params, shape }) =>
    plan.constant(new Array<number>(sizeOfShape(shape)).fill(params.value), shape),
  neg: unary('Neg'),
  exp: unary('Exp'),
  log: unary('Log'),
  sqrt: unary('Sqrt'),
  tanh: unary('Tanh'),
  sigmoid: unary('Sigmoid'),
  softplus: unary('Softplus'),
  elu: unary('Elu'),
  erf: unary('Erf'),
  sin: unary('Sin'),
  cos: unary('Cos'),
  atan: unary('Atan'),
  finite: ({ plan, inputs: [x], shape }) => toFloat(plan, plan.kernel('IsFinite', { x }, {}, shape)),
  add: binary('Add'),
  sub: binary('Sub'),
  mul: binary('Multiply'),
  div: binary('RealDiv'),
  divNoNan: decomposed,
  max: binary('Maximum'),
  min: binary('Minimum'),
  pow: binary('Pow'),
  greater: ({ plan, inputs: [a, b], shape }) => toFloat(plan, plan.kernel('Greater', { a, b }, {}, shape)),
  select: ({ plan, inputs: [mask, t, e], shape }) => {
    const condition = plan.kernel('NotEqual', { a: mask, b: plan.constant([0], []) }, {}, shape);
    return plan.kernel('Select', { condition, t, e }, {}, shape);
  },
  stop: asView,
  statistics: asView,
  broadcast: ({ plan, params, inputs: [x], eq, shape }) => {
    const axes = params.axes.map((axis) => axis + lead(eq.out));
    const kept = lead(eq.out) === 1 ? [0, ...axes] : axes;
    return tile(
      plan,
      x,
      shape,
      shape.map((_, i) => i).filter((i) => !kept.includes(i)),
    );
  },
  reduce: ({ plan, params, inputs: [x], eq, shape }) =>
    // No axis is every axis to some of its kernels.
    params.axes.length === 0
      ? view(x, shape)
      : plan.kernel(
          reductionKernels[params.op],
          { x },
          {
            [params.op === 'max' ? 'reductionIndices' : 'axis']: params.axes.map(
              (axis) => axis + lead(eq.out),
            ),
            keepDims: false,
          },
          shape,
        ),
  reshape: asView,
  permute: ({ plan, params, inputs: [x], eq, shape }) => {
    const moved = params.permutation.map((axis) => axis + lead(eq.out));
    return plan.kernel('Transpose', { x }, { perm: lead(eq.out) === 1 ? [0, ...moved] : moved }, shape);
  },
  reorder: ({ plan, params, inputs: [x], shape }) =>
    plan.kernel(
      'GatherV2',
      { x, indices: plan.constant(params.order, [params.order.length], 'int32') },
      { axis: shape.length - 1, batchDims: 0 },
      shape,
    ),
  slice: ({ plan, params, inputs: [x], eq, shape }) =>
    // tfjs slices no scalar.
    shape.length === 0
      ? view(x, shape)
      : plan.kernel(
          'Slice',
          { x },
          { begin: lead(eq.out) === 1 ? [0, ...params.begin] : params.begin, size: shape },
          shape,
        ),
  pad: ({ plan, params, inputs: [x], eq, shape }) => {
    const own = params.before.map((before, i) => [before, elementAt(params.after, i)]);
    const paddings = lead(eq.out) === 1 ? [[0, 0], ...own] : own;
    return plan.kernel('PadV2', { x }, { paddings, constantValue: 0 }, shape);
  },
  concat: ({ plan, params, inputs, eq, shape }) =>
    plan.kernel('Concat', inputs, { axis: params.axis + lead(eq.out) }, shape),
  broadcastBatch: ({ plan, inputs: [x], shape }) => tile(plan, x, shape, [0]),
  sumBatch: ({ plan, inputs: [x], shape }) =>
    plan.kernel('Sum', { x }, { axis: [0], keepDims: false }, shape),
  axisToBatch: asView,
  batchToAxis: asView,
  rotateBatch: ({ plan, params, inputs: [x], eq, shape, batch }) => {
    const places = (((params.by % batch) + batch) % batch) * eq.out.type.rows;
    if (places === 0) return view(x, shape);
    const [rows = 1, ...rest] = shape;
    const block = (from: number, count: number): Operand => {
      const size = [count, ...rest];
      return plan.kernel('Slice', { x }, { begin: [from, ...rest.map(() => 0)], size }, size);
    };
    return plan.kernel('Concat', [block(places, rows - places), block(0, places)], { axis: 0 }, shape);
  },
  gather: ({ plan, inputs: [table, index], eq, batch, shape }) => {
    const [entries, places] = atLeast(2, eq.inputs);
    const types = [entries.type, places.type, eq.out.type] as const;
    return gatherKernels({ plan, index, types, batch, shape }, table);
  },
  scatterAdd: ({ plan, inputs: [values, index], eq, batch, shape }) => {
    const [entries, places] = atLeast(2, eq.inputs);
    const types = [eq.out.type, places.type, entries.type] as const;
    return scatterKernels({ plan, index, types, batch, shape }, values);
  },
  linear: withRowAxis(({ plan, inputs: [x, w] }) => matmul(plan, x, w, false, false)),
  linearInput: withRowAxis(({ plan, inputs: [y, w] }) => matmul(plan, y, w, false, true)),
  linearFilter: withRowAxis(({ plan, inputs: [x, y] }) => matmul(plan, x, y, true, false)),
  conv: withRowAxis(({ plan, params, inputs: [x, filter], shape }) =>
    plan.kernel('Conv2D', { x, filter }, imageAttributes(params.strides, params.padding), shape),
  ),
  convInput: withRowAxis(({ plan, params, inputs: [dy, filter], shape }) =>
    plan.kernel(
      'Conv2DBackpropInput',
      { dy, filter },
      { ...imageAttributes(params.strides, params.padding), inputShape: shape },
      shape,
    ),
  ),
  convFilter: withRowAxis((site) => {
    const { plan, target, params, inputs, shape } = site;
    if (!target.hasFilterGradient) return filterGradientByTaps(site);
    const [x, dy] = inputs;
    const attributes = { ...imageAttributes(params.strides, params.padding), filterShape: shape };
    return plan.kernel('Conv2DBackpropFilter', { x, dy }, attributes, shape);
  }),
  band: ({ plan, params, inputs: [x], eq, shape }) =>
    plan.kernel('Multiply', { a: x, b: bandOf(plan, params, eq.out.type.shape) }, {}, shape),
  matmul: ({ plan, params, inputs: [a, b], eq, shape }) => {
    const own = (x: Operand): readonly number[] => (lead(eq.out) === 1 ? x.shape : [1, ...x.shape]);
    const result = lead(eq.out) === 1 ? shape : [1, ...shape];
    const operands = { a: view(a, own(a)), b: view(b, own(b)) };
    return view(plan.kernel('BatchMatMul', operands, { ...params }, result), shape);
  },
  cholesky: ({ plan, params, inputs: [a], eq, shape }) =>
    plan.routine({ name: 'cholesky', params, n: elementAt(eq.out.type.shape, 0) }, [a], shape),
  lq: ({ plan, params, inputs: [a], eq, shape }) => {
    const [n, m] = atLeast(2, elementAt(eq.inputs, 0).type.shape);
    return plan.routine({ name: 'lq', params, n, m }, [a], shape);
  },
  triangularSolve: ({ plan, params, inputs, eq, shape }) => {
    const [n, columns] = atLeast(2, eq.out.type.shape);
    return plan.routine({ name: 'triangularSolve', params, n, columns }, inputs, shape);
  },
  solveSPD: ({ plan, target, inputs, eq, batch }) =>
    lowerSolve(plan, eq, inputs, batch, (program) => lowerToKernels(program, target)),
};

/** One equation as tfjs kernels; `inputs` are physical operands. */
export const lowerEquation = <P extends PrimitiveName>(
  plan: PlanDraft,
  target: KernelTarget,
  eq: EquationOf<P>,
  inputs: readonly Operand[],
  batch: number,
): Operand =>
  rules[eq.primitive]({
    plan,
    target,
    params: eq.params,
    inputs: operandsOf(eq.primitive, inputs),
    eq,
    shape: physicalShape(eq.out.type, batch),
    batch,
  });

export const lowerToKernels = (whole: Program, target: KernelTarget): Plan => {
  const program = decompose(whole, lacking);
  const plan = createPlan();
  const operands = new Map<number, Operand>();
  const operandOf = (x: Var): Operand => {
    const operand = operands.get(x.id);
    if (operand === undefined) throw new Error(`variable ${x.id} has no operand`);
    return operand;
  };
  for (const { name, var: x } of program.binders) {
    operands.set(x.id, plan.input(name, physicalShape(x.type, program.batch)));
  }
  for (const eq of program.equations) {
    operands.set(eq.out.id, lowerEquation(plan, target, eq, eq.inputs.map(operandOf), program.batch));
  }
  return plan.finish(program.outputs.map((o) => ({ kind: o.kind, name: o.name, operand: operandOf(o.var) })));
};
