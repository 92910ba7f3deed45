/** Entries at places that are read, and sums of what goes to each, as nodes of TensorFlow. */
import { operandsOf } from '../../../compiler/ir/arity.js';
import type { EquationOf } from '../../../compiler/ir/program.js';
import { elementAt } from '../../../dsl/lookup.js';
import { bool, float, type GraphBuilder, int32 } from './graph-builder.js';
import { materialised, openSizes, shapeTensor, type Value } from './graph-value.js';

const T = { T: float } as const;

type Places = {
  /** The nearest whole numbers, 0 where there is no place, and whether there is one. */
  readonly ids: string;
  readonly found: string;
};

const placesOf = (graph: GraphBuilder, index: string, size: number): Places => {
  const whole = graph.node('Round', [index], T);
  const distance = graph.node('Abs', [graph.node('Sub', [index, whole], T)], T);
  const near = graph.node('Less', [distance, graph.floats([0.5], [])], T);
  const above = graph.node('Greater', [whole, graph.floats([-0.5], [])], T);
  const below = graph.node('Less', [whole, graph.floats([size], [])], T);
  const found = graph.node('LogicalAnd', [near, graph.node('LogicalAnd', [above, below])]);
  const inside = graph.node('SelectV2', [found, whole, graph.floats([0], [])], T);
  const ids = graph.node('Cast', [inside], {
    SrcT: float,
    DstT: int32,
    Truncate: { tag: 'bool', value: false },
  });
  return { ids, found };
};

/** Operands are written out. */
export const gatherNodes = (
  graph: GraphBuilder,
  eq: EquationOf<'gather'>,
  table: Value,
  index: Value,
  shape: readonly number[],
): Value => {
  const [entriesType, indexType] = operandsOf(
    eq.primitive,
    eq.inputs.map((x) => x.type),
  );
  const lead = Math.min(1, entriesType.rows);
  const { ids, found } = placesOf(graph, index.node, elementAt(entriesType.shape, 0));
  const entries = graph.node('GatherV2', [table.node, ids, graph.int(lead)], {
    Tparams: float,
    Tindices: int32,
    Taxis: int32,
    batch_dims: { tag: 'int', value: Math.min(lead, indexType.rows) },
  });
  const across = new Array<number>(entriesType.shape.length - 1).fill(1);
  const open = graph.ints([...openSizes(index.shape), ...across]);
  const mask = graph.node('Reshape', [found, open], { T: bool, Tshape: int32 });
  return { node: graph.node('SelectV2', [mask, entries, graph.floats([0], [])], T), shape };
};

/** Operands are written out. */
export const scatterNodes = (
  graph: GraphBuilder,
  { params: { size }, inputs, out }: EquationOf<'scatterAdd'>,
  values: Value,
  index: Value,
  shape: readonly number[],
): Value => {
  const sumsOf = (ids: string, count: string): string =>
    graph.node('UnsortedSegmentSum', [values.node, ids, count], {
      ...T,
      Tindices: int32,
      Tnumsegments: int32,
    });
  // What has no place has a negative one, and is dropped.
  const chosen = ({ ids, found }: Places): string =>
    graph.node('SelectV2', [found, ids, graph.int(-1)], { T: int32 });
  if (out.type.rows === 0)
    return { node: sumsOf(chosen(placesOf(graph, index.node, size)), graph.int(size)), shape };
  // Rows have places of their own, one row's after another's.
  const own = elementAt(inputs, 1).type.shape;
  const [lead = 1] = values.shape;
  const whole = materialised(graph, index, [lead, ...own], values);
  const { ids, found } = placesOf(graph, whole.node, size);
  const count = graph.node('Prod', [shapeTensor(graph, [lead, size], values), graph.ints([0])], {
    T: int32,
    Tidx: int32,
    keep_dims: { tag: 'bool', value: false },
  });
  const begins = graph.node('Range', [graph.int(0), count, graph.int(size)], { Tidx: int32 });
  const across = graph.node('Reshape', [begins, graph.ints([-1, ...own.map(() => 1)])], {
    T: int32,
    Tshape: int32,
  });
  const places = graph.node('AddV2', [ids, across], { T: int32 });
  const sums = sumsOf(chosen({ ids: places, found }), count);
  const node = graph.node('Reshape', [sums, graph.ints(openSizes(shape))], { ...T, Tshape: int32 });
  return { node, shape };
};
