/** Layers; what a constructor defaults may be left out of the JSON. */
import * as t from 'io-ts/lib/index.js';
import { glorotUniform } from '../layers/initializer.js';
import { isInvertible } from '../layers/bijector.js';
import { affine } from '../layers/flow.js';
import type {
  ActivationName,
  KernelLayer,
  Layer,
  Padding,
  Part,
  SpectralNorm,
  Statistics,
  Transform,
} from '../layers/layer.js';
import type { Codec, Issue, Rows } from './codec.js';
import { checked, list, oneOf, record, struct, tagged, withDefault } from './codec.js';
import { initializerCodec } from './initializer.js';
import {
  atLeastTwo,
  finite,
  fraction,
  name as nameCodec,
  positiveInteger,
  positiveNumber,
  truth,
} from './primitive.js';
import { exampleShapeCodec, shapeCodec } from './shape.js';

const name = 'a layer';

const padding: Codec<Padding> = oneOf('same', 'valid');
const spectralNorm: Codec<SpectralNorm> = oneOf('kernel', 'operator');
const statistics: Codec<Statistics> = oneOf('constant', 'differentiated');
const activationName: Codec<ActivationName> = oneOf(
  'relu',
  'leakyRelu',
  'elu',
  'tanh',
  'sigmoid',
  'softplus',
  'silu',
  'gelu',
);

const convFields = {
  filters: positiveInteger,
  kernel: positiveInteger,
  stride: withDefault(positiveInteger, 1),
  padding: withDefault<Padding>(padding, 'same'),
  bias: withDefault(truth, true),
  initializer: withDefault(initializerCodec, glorotUniform),
};

const part: Codec<Part> = oneOf('first', 'last');

const transformName = 'a transform';

const transformRows: Rows<Transform> = {
  affine: struct(transformName, { tag: t.literal('affine'), bound: withDefault(positiveNumber, 2) }),
  spline: struct(transformName, {
    tag: t.literal('spline'),
    bins: withDefault(atLeastTwo, 8),
    bound: withDefault(positiveNumber, 3),
  }),
};

const transformCodec: Codec<Transform> = tagged<Transform>(transformName, transformRows);

/** What a conditioner may not hold: both directions of a coupling must see one function. */
const couplesOrMasks = (layer: Layer): boolean =>
  layer.tag === 'batchNorm' ||
  layer.tag === 'dropout' ||
  (layer.tag === 'residual' && layer.layers.some(couplesOrMasks));

const conditionerIssues = ({ conditioner }: { readonly conditioner: readonly Layer[] }): readonly Issue[] =>
  conditioner.some(couplesOrMasks)
    ? [
        {
          key: 'conditioner',
          found: 'batch statistics or dropout',
          expected: 'layers that are a function of their input alone',
          hint: 'the inverse of a coupling must see the same function',
        },
      ]
    : [];

/** Layers of a part of a flow. */
const invertibleIssues = ({ layers }: { readonly layers: readonly Layer[] }): readonly Issue[] =>
  layers.flatMap((layer) =>
    isInvertible(layer) && layer.tag !== 'inject'
      ? []
      : [{ key: 'layers', found: layer.tag, expected: 'layers that have an inverse on both sides' }],
  );

/** Layers that may stand anywhere. */
const innerLayerCodec: Codec<Layer> = t.recursion<Layer, unknown, unknown>(name, (self) =>
  tagged<Layer>(name, rowsWith(self), { heads: 'heads may only be the last layer of a network' }),
);

const kernelRows: Rows<KernelLayer> = {
  dense: struct(name, {
    tag: t.literal('dense'),
    units: positiveInteger,
    bias: withDefault(truth, true),
    kernel: withDefault(initializerCodec, glorotUniform),
  }),
  conv: struct(name, { tag: t.literal('conv'), ...convFields }),
  convTranspose: struct(name, { tag: t.literal('convTranspose'), ...convFields }),
};

const rowsWith = (inner: Codec<Layer>): Rows<Layer, Exclude<Layer['tag'], 'heads'>> => ({
  ...kernelRows,
  spectral: struct(name, {
    tag: t.literal('spectral'),
    norm: withDefault<SpectralNorm>(spectralNorm, 'kernel'),
    iterations: withDefault(positiveInteger, 1),
    layer: tagged<KernelLayer>(`a layer with a kernel (${Object.keys(kernelRows).join(', ')})`, kernelRows),
  }),
  flatten: struct(name, { tag: t.literal('flatten') }),
  reshape: struct(name, { tag: t.literal('reshape'), shape: shapeCodec }),
  batchNorm: struct(name, {
    tag: t.literal('batchNorm'),
    statistics: withDefault<Statistics>(statistics, 'constant'),
    momentum: withDefault(fraction, 0.99),
    epsilon: withDefault(positiveNumber, 1e-3),
  }),
  dropout: struct(name, { tag: t.literal('dropout'), rate: fraction }),
  activation: struct(name, {
    tag: t.literal('activation'),
    name: activationName,
    slope: withDefault(finite, 0.2),
  }),
  residual: struct(name, { tag: t.literal('residual'), layers: layersOf(inner) }),
  averagePool: struct(name, { tag: t.literal('averagePool'), size: positiveInteger }),
  upsample: struct(name, { tag: t.literal('upsample'), size: positiveInteger }),
  coupling: checked(
    struct(name, {
      tag: t.literal('coupling'),
      transform: withDefault(transformCodec, affine()),
      part: withDefault<Part>(part, 'last'),
      conditioner: layersOf(inner),
    }),
    conditionerIssues,
  ),
  elementwise: struct(name, {
    tag: t.literal('elementwise'),
    transform: withDefault(transformCodec, affine()),
  }),
  permutation: struct(name, { tag: t.literal('permutation'), seed: finite }),
  luLinear: struct(name, { tag: t.literal('luLinear') }),
  squeeze: struct(name, { tag: t.literal('squeeze'), size: withDefault(positiveInteger, 2) }),
  factorOut: checked(
    struct(name, { tag: t.literal('factorOut'), layers: layersOf(inner) }),
    invertibleIssues,
  ),
  inverse: checked(
    struct(name, { tag: t.literal('inverse'), input: exampleShapeCodec, layers: layersOf(inner) }),
    invertibleIssues,
  ),
  inject: struct(name, { tag: t.literal('inject'), units: positiveInteger }),
});

const layersOf = (layer: Codec<Layer>): Codec<readonly Layer[]> => list('an array of layers', () => layer);

const allRows: Rows<Layer> = {
  ...rowsWith(innerLayerCodec),
  heads: struct(name, {
    tag: t.literal('heads'),
    heads: record('an object with at least one head', nameCodec, layersOf(innerLayerCodec), 1),
  }),
};

/** Any layer. */
export const layerCodec: Codec<Layer> = tagged<Layer>(name, allRows);

/** The layers of a network: heads only at the end. */
export const layersCodec: Codec<readonly Layer[]> = list('an array of layers', (i, length) =>
  i === length - 1 ? layerCodec : innerLayerCodec,
);
