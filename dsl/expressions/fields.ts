/**
 * What each expression holds, one row each and exhaustive by type: walking, rewriting, equality and the JSON form all follow from it.
 * Printing and meaning are two tables more (printing/format.ts, compiler/elaborate/expression.ts).
 */
import { oneOf } from '../codec/codec.js';
import { initializerCodec } from '../codec/initializer.js';
import {
  anyString,
  finite,
  name,
  nonNegative,
  nonNegativeInteger,
  positiveInteger,
} from '../codec/primitive.js';
import { exampleShapeCodec, offsetsCodec, shapeCodec } from '../codec/shape.js';
import {
  type Fields,
  type FieldTable,
  layers,
  network,
  node,
  nodes,
  optional,
  optionalNamed,
  optionalNode,
  value,
  withDefault,
} from '../field.js';
import { type Node, unaryOps } from '../grammar.js';

const distribution = oneOf('normal', 'sphere', 'rademacher', 'uniform', 'orthonormal');
const unaryOp = oneOf(...unaryOps);
const binaryOp = oneOf('add', 'sub', 'mul', 'div', 'max', 'min', 'pow', 'greater');

const output = withDefault(anyString, '');
const places = { at: node, argument: optional(name), given: optionalNamed };
const keep = withDefault(nonNegativeInteger, 0);

export const expressionFields: FieldTable<Node> = {
  data: { shape: value(exampleShapeCodec) },
  field: {
    name: value(name),
    shape: value(shapeCodec),
    type: withDefault(oneOf('integer', 'float'), 'float'),
  },
  argument: { name: value(name), shape: value(shapeCodec) },
  through: { name: value(name), layers, of: node },
  constant: { value: value(finite) },
  hyper: { name: value(name), value: value(finite) },
  step: {},
  draw: {
    name: value(name),
    distribution: value(distribution),
    shape: value(shapeCodec),
    probes: optional(positiveInteger),
  },
  parameter: { name: value(name), shape: value(shapeCodec), initializer: value(initializerCodec) },
  running: { name: value(name), initial: value(finite), update: optionalNode },
  sqNormOfWeights: { network, only: withDefault(oneOf('all', 'kernels'), 'all') },
  apply: { network, ...places, output },
  jvp: { network, ...places, tangent: node, output },
  vjp: { network, ...places, cotangent: node, output },
  logDet: { network, at: node },
  stop: { of: node },
  unary: { op: value(unaryOp), of: node },
  binary: { op: value(binaryOp), left: node, right: node },
  scale: { by: node, of: node },
  fill: { of: node, shape: value(shapeCodec) },
  transpose: { of: node, permutation: value(offsetsCodec) },
  broadcast: { of: node, shape: value(shapeCodec), axes: value(offsetsCodec) },
  reduce: { op: value(oneOf('add', 'max', 'min', 'mul')), of: node, axes: value(offsetsCodec) },
  contract: { subscripts: value(anyString), left: node, right: node },
  gather: { table: node, index: node },
  band: { of: node, below: value(finite), diagonal: value(finite), above: value(finite) },
  batchMean: { of: node },
  another: { of: node, by: withDefault(positiveInteger, 1) },
  sum: { of: node, keep },
  norm: { of: node, keep },
  select: { condition: node, then: node, otherwise: node },
  reshape: { of: node, shape: value(shapeCodec) },
  slice: { of: node, begin: value(offsetsCodec), size: value(shapeCodec) },
  concat: { of: nodes, axis: withDefault(nonNegativeInteger, 0) },
  pad: { of: node, before: value(offsetsCodec), after: value(offsetsCodec) },
  basis: { shape: value(shapeCodec) },
  gram: { of: node },
  logDetSPD: { of: node },
  solveGram: {
    network,
    ...places,
    of: node,
    output,
    iterations: optional(positiveInteger),
    tolerance: withDefault(nonNegative, 1e-6),
  },
  volume: {
    network,
    ...places,
    output,
    method: withDefault(oneOf('auto', 'exact', 'stochastic'), 'auto'),
    probes: optionalNode,
    iterations: optional(positiveInteger),
  },
};

export const fieldsOf = ({ tag }: Node): Fields => expressionFields[tag];
