/** Layers; what a constructor defaults may be left out of the JSON. */
import * as t from 'io-ts/lib/index.js';
import { glorotUniform } from '../initializer.js';
import type { ActivationName, KernelLayer, Layer, Padding, SpectralNorm, Statistics } from '../layer.js';
import type { Codec, Rows } from './codec.js';
import { list, oneOf, record, struct, tagged, withDefault } from './codec.js';
import { initializerCodec } from './initializer.js';
import { finite, fraction, name as nameCodec, positiveInteger, positiveNumber, truth } from './primitive.js';
import { shapeCodec } from './shape.js';

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
