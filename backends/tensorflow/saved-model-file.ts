/** Writes a graph as a TensorFlow SavedModel, with the protobuf classes that tfjs-node-gpu carries. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { problem } from '../../dsl/problem.js';
import {
  type DType,
  type Graph,
  type GraphAttribute,
  type GraphNode,
  type Port,
  type Signature,
  tensorBytes,
} from './graph.js';
import { BackendFailure } from '../failure.js';
import { tidied } from '../places.js';

/** A protobuf message of the package's generated code, which has no types of its own. */
type Message = {
  readonly [
    M in
      | `set${'B' | 'Dtype' | 'GraphDef' | 'I' | 'IList' | 'List' | 'MetaGraphsList' | 'MetaInfoDef' | 'MethodName' | 'Name'}`
      | `set${'NodeList' | 'Op' | 'InputList' | 'Producer' | 'S' | 'SavedModelSchemaVersion' | 'Shape' | 'Size' | 'TagsList'}`
      | `set${'Tensor' | 'TensorContent' | 'TensorShape' | 'Type' | 'Versions'}`
      | `get${'Attr' | 'Inputs' | 'Outputs' | 'SignatureDef'}Map`
      | 'addDim'
  ]: (...values: readonly unknown[]) => Message;
} & {
  readonly set: (key: string, value: Message) => void;
  readonly serializeBinary: () => Uint8Array;
};

type Messages = {
  readonly [
    M in 'GraphDef' | 'NodeDef' | 'SavedModel' | 'SignatureDef' | 'Tensor' | 'TensorInfo' | 'VersionDef'
  ]: new () => Message;
} & {
  readonly AttrValue: (new () => Message) & { readonly ListValue: new () => Message };
  readonly MetaGraphDef: (new () => Message) & { readonly MetaInfoDef: new () => Message };
  readonly TensorShape: (new () => Message) & { readonly Dim: new () => Message };
};

const dataTypes: Readonly<Record<DType, number>> = { float: 1, double: 2, int32: 3, bool: 10 };

/** Graph version 1087 is TensorFlow 2.8's: new enough for every operation used, old enough for every library supported. */
const producer = 1087;

const loadMessages = (): Messages =>
  createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as Messages;

const shapeOf = (pb: Messages, shape: readonly number[]): Message => {
  const message = new pb.TensorShape();
  for (const size of shape) {
    const dim = new pb.TensorShape.Dim();
    dim.setSize(size);
    message.addDim(dim);
  }
  return message;
};

const attributeOf = (pb: Messages, attribute: GraphAttribute): Message => {
  const message = new pb.AttrValue();
  switch (attribute.tag) {
    case 'type':
      return message.setType(dataTypes[attribute.value]);
    case 'bool':
      return message.setB(attribute.value);
    case 'int':
      return message.setI(attribute.value);
    case 'string':
      return message.setS(Buffer.from(attribute.value));
    case 'shape':
      return message.setShape(shapeOf(pb, attribute.value));
    case 'ints': {
      const list = new pb.AttrValue.ListValue();
      list.setIList([...attribute.value]);
      return message.setList(list);
    }
    case 'tensor': {
      const tensor = new pb.Tensor();
      tensor.setDtype(dataTypes[attribute.dtype]);
      tensor.setTensorShape(shapeOf(pb, attribute.shape));
      tensor.setTensorContent(tensorBytes(attribute.dtype, attribute.values));
      return message.setTensor(tensor);
    }
  }
};

const nodeOf = (pb: Messages, { name, op, inputs, attributes }: GraphNode): Message => {
  const message = new pb.NodeDef();
  message.setName(name);
  message.setOp(op);
  message.setInputList([...inputs]);
  const map = message.getAttrMap();
  for (const [key, value] of Object.entries(attributes)) map.set(key, attributeOf(pb, value));
  return message;
};

const portOf = (pb: Messages, { node, shape }: Port): Message => {
  const message = new pb.TensorInfo();
  message.setName(`${node}:0`);
  message.setDtype(dataTypes.float);
  message.setTensorShape(shapeOf(pb, shape));
  return message;
};

const signatureOf = (pb: Messages, { inputs, outputs }: Signature): Message => {
  const message = new pb.SignatureDef();
  message.setMethodName('tensorflow/serving/predict');
  for (const port of inputs) message.getInputsMap().set(port.name, portOf(pb, port));
  for (const port of outputs) message.getOutputsMap().set(port.name, portOf(pb, port));
  return message;
};

/** The bytes of `saved_model.pb`. */
export const encodeSavedModel = (graph: Graph): Uint8Array => {
  const pb = loadMessages();
  const definition = new pb.GraphDef();
  definition.setNodeList(graph.nodes.map((node) => nodeOf(pb, node)));
  const version = new pb.VersionDef();
  version.setProducer(producer);
  definition.setVersions(version);
  const info = new pb.MetaGraphDef.MetaInfoDef();
  info.setTagsList(['serve']);
  const meta = new pb.MetaGraphDef();
  meta.setMetaInfoDef(info);
  meta.setGraphDef(definition);
  for (const signature of graph.signatures) {
    meta.getSignatureDefMap().set(signature.name, signatureOf(pb, signature));
  }
  const model = new pb.SavedModel();
  model.setSavedModelSchemaVersion(1);
  model.setMetaGraphsList([meta]);
  return model.serializeBinary();
};

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'immersion-'));

/** Lends the graph as a SavedModel in a temporary folder, which is gone afterwards whatever happens. */
export const withSavedModel = async <A>(
  graph: Graph,
  use: (folder: string) => A,
  makeFolder: () => Promise<string> = newFolder,
): Promise<A> => {
  const bytes = encodeSavedModel(graph);
  const refused = (error: unknown): never => {
    const found = error instanceof Error ? error.message : String(error);
    const room = `room for ${Math.ceil(bytes.length / 1024)} KB in the temporary folder ${tmpdir()}`;
    throw new BackendFailure(problem('native', found, room, 'free some, or set TMPDIR to another folder'));
  };
  const folder = await makeFolder().catch(refused);
  try {
    await writeFile(join(folder, 'saved_model.pb'), bytes).catch(refused);
    return use(folder);
  } finally {
    // At once: a program that exits after its last await leaves nothing either.
    tidied(folder);
  }
};
