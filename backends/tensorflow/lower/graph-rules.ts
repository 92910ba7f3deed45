/** Each primitive as TensorFlow operations; repeated values stay small and are broadcast by the operation that uses them. */
import { type Operands, operandsOf } from '../../../compiler/ir/arity.js';
import { atLeast, elementAt } from '../../../dsl/lookup.js';
import type { GraphAttribute } from '../graph.js';
import { firstJitter } from '../../../compiler/ir/primitives/factorization.js';
import type { Params, PrimitiveName, ReductionName, Window } from '../../../compiler/ir/params.js';
import { reductionKernels } from '../../reductions.js';
import { bandFactor } from '../../../compiler/ir/primitives/matrix.js';
import type { BilinearName } from '../../../compiler/ir/primitives/bilinear.js';
import type { EquationOf } from '../../../compiler/ir/program.js';
import { physicalShape } from '../../../compiler/ir/type.js';
import { float, type GraphBuilder, int32 } from './graph-builder.js';
import { type LowerInside, lowerSolve } from './graph-loop.js';
import { lqNodes } from './graph-lq.js';
import { gatherNodes, scatterNodes } from './graph-places.js';
import { matmul, reduced, sum } from './graph-sum.js';
import {
  aligned,
  broadcastShape,
  materialised,
  openSizes,
  reshaped,
  shapeTensor,
  toFloat,
  type Value,
} from './graph-value.js';
import { withRows } from '../../../compiler/loops/kernel-rows.js';

type Site<P extends PrimitiveName> = {
  readonly graph: GraphBuilder;
  readonly params: Params[P];
  readonly inputs: Operands<P, Value>;
  readonly eq: EquationOf<P>;
  /** Physical shapes of the inputs and the result. */
  readonly full: readonly (readonly number[])[];
  readonly shape: readonly number[];
  /** Leading physical axes: 1 for a value of each example. */
  readonly lead: number;
  readonly batch: number;
  readonly inside: LowerInside;
  /** A value that has the batch's size, where the graph has one. */
  readonly like: Value | undefined;
};

type Lower<P extends PrimitiveName> = (site: Site<P>) => Value;

const T = { T: float } as const;

const fullInput = <P extends PrimitiveName>({ graph, inputs, full, like }: Site<P>, i: number): Value =>
  materialised(graph, elementAt(inputs, i), elementAt(full, i), like);

/** A rule for operands written out and with an axis of rows, for operands with or without. */
const withRowAxis =
  <P extends BilinearName>(rule: Lower<P>): Lower<P> =>
  (site) => {
    const { graph, eq, full, shape } = site;
    const rows = full.map((own, i) => reshaped(graph, fullInput(site, i), withRows(eq.primitive, own)));
    return reshaped(
      graph,
      rule({ ...site, inputs: operandsOf(eq.primitive, rows), shape: withRows(eq.primitive, shape) }),
      shape,
    );
  };

const elementwise =
  <P extends PrimitiveName>(op: string): Lower<P> =>
  ({ graph, inputs }) => ({
    node: graph.node(
      op,
      inputs.map((x) => x.node),
      T,
    ),
    shape: broadcastShape(inputs.map((x) => x.shape)),
  });

const addRows: Lower<'add'> = ({ graph, inputs: [a, b] }) => ({
  node: sum(graph, a.node, b.node),
  shape: broadcastShape([a.shape, b.shape]),
});

/** A single row is added as a vector: TensorFlow 2.21 takes a row that is added to a product for a bias, and then refuses it. */
const addition: Lower<'add'> = (site) => {
  const { graph, inputs, shape } = site;
  if (shape.length !== 2 || shape[0] !== 1) return addRows(site);
  const vector = (x: Value): Value => (x.shape.length === 2 ? reshaped(graph, x, x.shape.slice(1)) : x);
  const result = addRows({ ...site, inputs: [vector(inputs[0]), vector(inputs[1])] });
  return result.shape.length === 1 ? reshaped(graph, result, [1, ...result.shape]) : result;
};

const same: Lower<'stop' | 'statistics' | 'broadcastBatch'> = ({ inputs: [x] }) => x;

/** A view with another shape: repeated values must be written out first. */
const asReshape = <P extends PrimitiveName>(site: Site<P>): Value =>
  reshaped(site.graph, fullInput(site, 0), site.shape);

const alongAxes = <P extends PrimitiveName>(
  site: Site<P>,
  op: ReductionName,
  axes: readonly number[],
): Value => ({
  node: reduced(site.graph, reductionKernels[op], fullInput(site, 0).node, axes),
  shape: site.shape,
});

/** 'SAME' where it means the same: oneDNN's kernels take it, explicit padding falls back to slower ones. */
const windowAttributes = (
  { strides: [sh, sw], padding: [t, b, l, r] }: Window,
  image: readonly number[],
  filter: readonly number[],
): Readonly<Record<string, GraphAttribute>> => {
  const [h, w] = atLeast(2, image);
  const [kh, kw] = atLeast(2, filter);
  const total = (n: number, k: number, s: number): number => Math.max((Math.ceil(n / s) - 1) * s + k - n, 0);
  const isSame = (n: number, k: number, s: number, before: number, after: number): boolean =>
    before === Math.floor(total(n, k, s) / 2) && before + after === total(n, k, s);
  const padding =
    isSame(h, kh, sh, t, b) && isSame(w, kw, sw, l, r)
      ? 'SAME'
      : [t, b, l, r].every((p) => p === 0)
        ? 'VALID'
        : 'EXPLICIT';
  return {
    ...T,
    strides: { tag: 'ints', value: [1, sh, sw, 1] },
    padding: { tag: 'string', value: padding },
    explicit_paddings: { tag: 'ints', value: padding === 'EXPLICIT' ? [0, 0, t, b, l, r, 0, 0] : [] },
    data_format: { tag: 'string', value: 'NHWC' },
    dilations: { tag: 'ints', value: [1, 1, 1, 1] },
  };
};

/** The factor of A + j·I for the first j of the list that has one: TensorFlow fills a factor that does not exist with NaN. */
const choleskyNodes = (graph: GraphBuilder, a: string, jitters: number, n: number): string => {
  const keep: GraphAttribute = { tag: 'bool', value: true };
  const total = (x: string): string =>
    graph.node('Sum', [x, graph.ints([-2, -1])], { ...T, Tidx: int32, keep_dims: keep });
  const diagonal = Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  const identity = graph.floats(diagonal, [n, n]);
  const trace = total(graph.node('Mul', [a, identity], T));
  const factor = (attempt: number): string => {
    if (attempt === 0) return graph.node('Cholesky', [a], T);
    const part = graph.floats([(firstJitter * 10 ** (attempt - 1)) / n], []);
    const jitter = graph.node('Mul', [graph.node('Mul', [trace, part], T), identity], T);
    return graph.node('Cholesky', [sum(graph, a, jitter)], T);
  };
  const attempts = Array.from({ length: jitters + 1 }, (_, attempt) => factor(attempt));
  return attempts.reduceRight((later, first) => {
    const holds = graph.node('IsFinite', [total(first)], T);
    return graph.node('SelectV2', [holds, first, later], T);
  });
};

export const graphRules: { readonly [P in PrimitiveName]: Lower<P> } = {
  constant: ({ graph, params }) => ({ node: graph.floats([params.value], []), shape: [] }),
  neg: elementwise('Neg'),
  exp: elementwise('Exp'),
  log: elementwise('Log'),
  sqrt: elementwise('Sqrt'),
  tanh: elementwise('Tanh'),
  sigmoid: elementwise('Sigmoid'),
  softplus: elementwise('Softplus'),
  elu: elementwise('Elu'),
  erf: elementwise('Erf'),
  sin: elementwise('Sin'),
  cos: elementwise('Cos'),
  atan: elementwise('Atan'),
  finite: ({ graph, inputs: [x] }) => ({
    node: toFloat(graph, graph.node('IsFinite', [x.node], T)),
    shape: x.shape,
  }),
  add: addition,
  sub: elementwise('Sub'),
  mul: elementwise('Mul'),
  div: elementwise('RealDiv'),
  divNoNan: elementwise('DivNoNan'),
  max: elementwise('Maximum'),
  min: elementwise('Minimum'),
  pow: elementwise('Pow'),
  greater: ({ graph, inputs }) => ({
    node: toFloat(
      graph,
      graph.node(
        'Greater',
        inputs.map((x) => x.node),
        T,
      ),
    ),
    shape: broadcastShape(inputs.map((x) => x.shape)),
  }),
  select: ({ graph, inputs: [mask, a, b] }) => {
    const incompatible = { tag: 'bool', value: true } as const;
    const condition = graph.node('NotEqual', [mask.node, graph.floats([0], [])], {
      ...T,
      incompatible_shape_error: incompatible,
    });
    return {
      node: graph.node('SelectV2', [condition, a.node, b.node], T),
      shape: broadcastShape([mask.shape, a.shape, b.shape]),
    };
  },
  stop: same,
  statistics: same,
  broadcast: ({ graph, params, inputs: [x], shape, lead }) => {
    if (x.shape.length === 0) return x;
    const kept = [...Array.from({ length: lead }, (_, i) => i), ...params.axes.map((axis) => axis + lead)];
    const sizes = aligned(x.shape, kept.length);
    return reshaped(
      graph,
      x,
      shape.map((_, i) => (kept.includes(i) ? elementAt(sizes, kept.indexOf(i)) : 1)),
    );
  },
  reduce: (site) =>
    alongAxes(
      site,
      site.params.op,
      site.params.axes.map((axis) => axis + site.lead),
    ),
  reshape: asReshape,
  permute: (site) => {
    const { graph, params, shape, lead } = site;
    const moved = params.permutation.map((axis) => axis + lead);
    const perm = lead === 1 ? [0, ...moved] : moved;
    return {
      node: graph.node('Transpose', [fullInput(site, 0).node, graph.ints(perm)], { ...T, Tperm: int32 }),
      shape,
    };
  },
  reorder: (site) => {
    const { graph, params, shape } = site;
    const inputs = [fullInput(site, 0).node, graph.ints(params.order), graph.int(shape.length - 1)];
    const attributes = {
      Tparams: float,
      Tindices: int32,
      Taxis: int32,
      batch_dims: { tag: 'int', value: 0 },
    } as const;
    return { node: graph.node('GatherV2', inputs, attributes), shape };
  },
  slice: (site) => {
    const { graph, params, shape, lead } = site;
    const begin = lead === 1 ? [0, ...params.begin] : params.begin;
    const inputs = [fullInput(site, 0).node, graph.ints(begin), graph.ints(openSizes(shape))];
    return { node: graph.node('Slice', inputs, { ...T, Index: int32 }), shape };
  },
  pad: (site) => {
    const { graph, params, shape, lead } = site;
    const own = params.before.flatMap((before, i) => [before, elementAt(params.after, i)]);
    const values = lead === 1 ? [0, 0, ...own] : own;
    const paddings = graph.node('Const', [], {
      dtype: int32,
      value: { tag: 'tensor', dtype: 'int32', shape: [values.length / 2, 2], values },
    });
    return {
      node: graph.node('Pad', [fullInput(site, 0).node, paddings], { ...T, Tpaddings: int32 }),
      shape,
    };
  },
  concat: (site) => {
    const { graph, params, inputs, shape, lead } = site;
    // TensorFlow joins two parts or more.
    if (inputs.length === 1) return inputs[0];
    const axis = graph.int(params.axis + lead);
    const parts = inputs.map((_, i) => fullInput(site, i).node);
    return {
      node: graph.node('ConcatV2', [...parts, axis], {
        ...T,
        Tidx: int32,
        N: { tag: 'int', value: parts.length },
      }),
      shape,
    };
  },
  // Shapes align from the right; TensorFlow fuses a bias with its product only where it has one axis.
  broadcastBatch: same,
  sumBatch: (site) => alongAxes(site, 'add', [0]),
  axisToBatch: asReshape,
  batchToAxis: asReshape,
  rotateBatch: (site) => {
    const { graph, params, shape, eq } = site;
    const places = graph.int(-params.by * eq.out.type.rows);
    const inputs = [fullInput(site, 0).node, places, graph.int(0)];
    return { node: graph.node('Roll', inputs, { ...T, Tshift: int32, Taxis: int32 }), shape };
  },
  gather: (site) => gatherNodes(site.graph, site.eq, fullInput(site, 0), fullInput(site, 1), site.shape),
  scatterAdd: (site) => scatterNodes(site.graph, site.eq, fullInput(site, 0), fullInput(site, 1), site.shape),
  linear: withRowAxis(({ graph, inputs: [x, w], shape }) => matmul(graph, x, w, false, false, shape)),
  linearInput: withRowAxis(({ graph, inputs: [y, w], shape }) => matmul(graph, y, w, false, true, shape)),
  linearFilter: withRowAxis(({ graph, inputs: [x, y], shape }) => matmul(graph, x, y, true, false, shape)),
  conv: withRowAxis((site) => {
    const [x, filter] = site.inputs;
    const attributes = windowAttributes(site.params, x.shape.slice(1, 3), filter.shape);
    const gpu: GraphAttribute = { tag: 'bool', value: true };
    return {
      node: site.graph.node('Conv2D', [x.node, filter.node], { ...attributes, use_cudnn_on_gpu: gpu }),
      shape: site.shape,
    };
  }),
  convInput: withRowAxis((site) => {
    const [y, filter] = atLeast(2, site.inputs);
    const attributes = windowAttributes(site.params, site.params.size, filter.shape);
    const gpu: GraphAttribute = { tag: 'bool', value: true };
    return {
      node: site.graph.node(
        'Conv2DBackpropInput',
        [shapeTensor(site.graph, site.shape, y), filter.node, y.node],
        {
          ...attributes,
          use_cudnn_on_gpu: gpu,
        },
      ),
      shape: site.shape,
    };
  }),
  convFilter: withRowAxis((site) => {
    const [x, y] = atLeast(2, site.inputs);
    const attributes = windowAttributes(site.params, x.shape.slice(1, 3), site.shape);
    const gpu: GraphAttribute = { tag: 'bool', value: true };
    return {
      node: site.graph.node('Conv2DBackpropFilter', [x.node, site.graph.ints(site.shape), y.node], {
        ...attributes,
        use_cudnn_on_gpu: gpu,
      }),
      shape: site.shape,
    };
  }),
  band: (site) => {
    const [n, m] = atLeast(2, site.eq.out.type.shape);
    const factors = Array.from({ length: n * m }, (_, i) =>
      bandFactor(site.params, Math.floor(i / m), i % m),
    );
    const mask = site.graph.floats(factors, [n, m]);
    return { node: site.graph.node('Mul', [fullInput(site, 0).node, mask], T), shape: site.shape };
  },
  matmul: (site) => ({
    node: site.graph.node('BatchMatMulV2', [fullInput(site, 0).node, fullInput(site, 1).node], {
      ...T,
      adj_x: { tag: 'bool', value: site.params.transposeA },
      adj_y: { tag: 'bool', value: site.params.transposeB },
    }),
    shape: site.shape,
  }),
  cholesky: (site) => ({
    node: choleskyNodes(
      site.graph,
      fullInput(site, 0).node,
      site.params.jitters,
      elementAt(site.eq.out.type.shape, 0),
    ),
    shape: site.shape,
  }),
  lq: (site) => ({
    node: lqNodes(site.graph, fullInput(site, 0).node, site.params, elementAt(site.eq.out.type.shape, 0)),
    shape: site.shape,
  }),
  triangularSolve: (site) => ({
    node: site.graph.node('MatrixTriangularSolve', [fullInput(site, 0).node, fullInput(site, 1).node], {
      ...T,
      lower: { tag: 'bool', value: site.params.lower },
      adjoint: { tag: 'bool', value: site.params.transposed },
    }),
    shape: site.shape,
  }),
  solveSPD: ({ graph, eq, inputs, batch, inside, like }) =>
    lowerSolve(graph, eq, inputs, batch, inside, like),
};

/** One equation as nodes of the graph. */
export const lowerToGraph = <P extends PrimitiveName>(
  graph: GraphBuilder,
  eq: EquationOf<P>,
  inputs: readonly Value[],
  batch: number,
  inside: LowerInside,
  like?: Value,
): Value =>
  graphRules[eq.primitive]({
    graph,
    batch,
    inside,
    like,
    params: eq.params,
    inputs: operandsOf(eq.primitive, inputs),
    eq,
    full: eq.inputs.map((x) => physicalShape(x.type, batch)),
    shape: physicalShape(eq.out.type, batch),
    lead: eq.out.type.rows === 0 ? 0 : 1,
  });
