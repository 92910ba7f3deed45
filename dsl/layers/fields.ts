/** What each layer holds, one row each and exhaustive by type: walking, rewriting and the JSON form follow from it. */
import { oneOf, record, type Rows, struct, tagged } from '../codec/codec.js';
import * as t from 'io-ts/lib/index.js';
import { initializerCodec } from '../codec/initializer.js';
import {
  atLeastTwo,
  finite,
  fraction,
  positiveInteger,
  positiveNumber,
  truth,
  name,
} from '../codec/primitive.js';
import { exampleShapeCodec, shapeCodec } from '../codec/shape.js';
import { withDefault as optionalIn } from '../codec/codec.js';
import {
  branches,
  type Fields,
  type FieldTable,
  kernel,
  layers,
  named,
  node,
  value,
  withDefault,
} from '../field.js';
import type { Layer, Transform } from '../grammar.js';
import { glorotUniform } from './initializer.js';

const activationName = oneOf('relu', 'leakyRelu', 'elu', 'tanh', 'sigmoid', 'softplus', 'silu', 'gelu');

const transformName = 'a transform';

const transformRows: Rows<Transform> = {
  affine: struct(transformName, { tag: t.literal('affine'), bound: optionalIn(positiveNumber, 2) }),
  spline: struct(transformName, {
    tag: t.literal('spline'),
    bins: optionalIn(atLeastTwo, 8),
    bound: optionalIn(positiveNumber, 3),
  }),
  circularSpline: struct(transformName, {
    tag: t.literal('circularSpline'),
    bins: optionalIn(atLeastTwo, 8),
    bound: optionalIn(positiveNumber, Math.PI),
  }),
};

const transform = withDefault(tagged<Transform>(transformName, transformRows), { tag: 'affine', bound: 2 });

const convolution = {
  filters: value(positiveInteger),
  kernel: value(positiveInteger),
  stride: withDefault(positiveInteger, 1),
  padding: withDefault(oneOf('same', 'valid'), 'same'),
  bias: withDefault(truth, true),
  initializer: withDefault(initializerCodec, glorotUniform),
};

const argumentsCodec = record('an object with the shape of at least one argument', name, shapeCodec, 1);

/** What a constructor defaults may be left out of the JSON. */
export const layerFields: FieldTable<Layer> = {
  dense: {
    units: value(positiveInteger),
    bias: withDefault(truth, true),
    kernel: withDefault(initializerCodec, glorotUniform),
  },
  conv: convolution,
  convTranspose: convolution,
  spectral: {
    norm: withDefault(oneOf('kernel', 'operator'), 'kernel'),
    iterations: withDefault(positiveInteger, 1),
    layer: kernel,
  },
  flatten: {},
  reshape: { shape: value(shapeCodec) },
  batchNorm: {
    statistics: withDefault(oneOf('constant', 'differentiated'), 'constant'),
    momentum: withDefault(fraction, 0.99),
    epsilon: withDefault(positiveNumber, 1e-3),
  },
  dropout: { rate: value(fraction) },
  activation: { name: value(activationName), slope: withDefault(finite, 0.2) },
  residual: { layers },
  averagePool: { size: value(positiveInteger) },
  upsample: { size: value(positiveInteger) },
  coupling: { transform, part: withDefault(oneOf('first', 'last'), 'last'), conditioner: layers },
  elementwise: { transform },
  permutation: { seed: value(finite) },
  luLinear: {},
  squeeze: { size: withDefault(positiveInteger, 2) },
  factorOut: { layers },
  inverse: { input: value(exampleShapeCodec), layers },
  inject: { units: value(positiveInteger) },
  bijection: {
    name: value(name),
    input: value(exampleShapeCodec),
    output: value(exampleShapeCodec),
    forward: node,
    inverse: node,
    logDeterminant: node,
  },
  defined: { name: value(name), arguments: value(argumentsCodec), outputs: named },
  heads: { heads: branches },
};

export const layerFieldsOf = ({ tag }: Layer): Fields => layerFields[tag];
