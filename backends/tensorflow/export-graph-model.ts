/** Writes a graph as a tfjs GraphModel: `model.json` with the topology, and the weights as one binary file beside it. */
import { atLeast } from '../../dsl/lookup.js';
import {
  type DType,
  type Graph,
  type GraphAttribute,
  type GraphNode,
  type Signature,
  tensorBytes,
} from './graph.js';

const dataTypes: Readonly<Record<DType, string>> = {
  float: 'DT_FLOAT',
  double: 'DT_DOUBLE',
  int32: 'DT_INT32',
  bool: 'DT_BOOL',
};
const weightTypes: Readonly<Record<DType, string>> = {
  float: 'float32',
  double: 'float64',
  int32: 'int32',
  bool: 'bool',
};

const shapeOf = (shape: readonly number[]) => ({ dim: shape.map((size) => ({ size: String(size) })) });

/** An attribute in protobuf's JSON form; a tensor's values are in the weights file. */
const attributeOf = (a: GraphAttribute): unknown => {
  switch (a.tag) {
    case 'type':
      return { type: dataTypes[a.value] };
    case 'bool':
      return { b: a.value };
    case 'int':
      return { i: String(a.value) };
    case 'ints':
      return { list: { i: a.value.map(String) } };
    case 'string':
      return { s: Buffer.from(a.value).toString('base64') };
    case 'shape':
      return { shape: shapeOf(a.value) };
    case 'tensor':
      return { tensor: { dtype: dataTypes[a.dtype], tensorShape: shapeOf(a.shape) } };
  }
};

const nodeOf = ({ name, op, inputs, attributes }: GraphNode) => ({
  name,
  op,
  input: inputs,
  attr: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, attributeOf(value)])),
});

const portsOf = (ports: Signature['inputs']) =>
  Object.fromEntries(
    ports.map(({ name, node, shape }) => [
      name,
      { name: `${node}:0`, dtype: dataTypes.float, tensorShape: shapeOf(shape) },
    ]),
  );

type Constant = {
  readonly name: string;
  readonly tensor: Extract<GraphAttribute, { readonly tag: 'tensor' }>;
};

const constantsOf = ({ nodes }: Graph): readonly Constant[] =>
  nodes.flatMap(({ name, attributes }) =>
    Object.values(attributes).flatMap((a) => (a.tag === 'tensor' ? [{ name, tensor: a }] : [])),
  );

export type GraphModel = { readonly json: string; readonly weights: Uint8Array };

/** The first signature of the graph is the model's. `weightsFile` is the name that model.json refers to. */
export const encodeGraphModel = (graph: Graph, weightsFile: string): GraphModel => {
  const constants = constantsOf(graph).map(({ name, tensor }) => ({
    entry: { name, shape: tensor.shape, dtype: weightTypes[tensor.dtype] },
    bytes: tensorBytes(tensor.dtype, tensor.values),
  }));
  const [signature] = atLeast(1, graph.signatures);
  const model = {
    format: 'graph-model',
    generatedBy: 'immersion',
    convertedBy: null,
    signature: { inputs: portsOf(signature.inputs), outputs: portsOf(signature.outputs) },
    modelTopology: { node: graph.nodes.map(nodeOf), library: {}, versions: { producer: 1087 } },
    weightsManifest: [{ paths: [weightsFile], weights: constants.map((c) => c.entry) }],
  };
  return { json: JSON.stringify(model), weights: Buffer.concat(constants.map((c) => c.bytes)) };
};
