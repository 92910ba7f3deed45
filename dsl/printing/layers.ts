/** Layers in a few words: `conv 64, 4×4, stride 2, same`. */
import type { Initializer } from '../layers/initializer.js';
import type { Layer, Transform } from '../layers/layer.js';
import { showShape } from '../shape.js';
import { digits } from './notation.js';

const initializerText = (initializer: Initializer): string => {
  switch (initializer.tag) {
    case 'constant':
      return `constant ${initializer.value}`;
    case 'normal':
      return `normal ${initializer.stddev}`;
    case 'uniform':
      return `uniform ${initializer.limit}`;
    default:
      return initializer.tag;
  }
};

/** What differs from the default: `, no bias, heNormal`. */
const weights = (bias: boolean, initializer: Initializer): string =>
  `${bias ? '' : ', no bias'}${initializer.tag === 'glorotUniform' ? '' : `, ${initializerText(initializer)}`}`;

const transformText = (transform: Transform): string => {
  switch (transform.tag) {
    case 'affine':
      return `affine within e^±${transform.bound}`;
    case 'spline':
      return `spline, ${transform.bins} bins within ±${transform.bound}`;
    case 'circularSpline':
      return `circular spline, ${transform.bins} bins within ±${digits(transform.bound)}`;
  }
};

const describeLayers = (layers: readonly Layer[]): string => layers.map(describeLayer).join('; ');

/** A layer in a few words, without defaults: `conv 64, 4×4, stride 2, same`. */
export const describeLayer = (layer: Layer): string => {
  switch (layer.tag) {
    case 'dense':
      return `dense ${layer.units}${weights(layer.bias, layer.kernel)}`;
    case 'conv':
    case 'convTranspose': {
      const name = layer.tag === 'conv' ? 'conv' : 'transposed conv';
      const geometry = `${layer.filters}, ${layer.kernel}×${layer.kernel}, stride ${layer.stride}, ${layer.padding}`;
      return `${name} ${geometry}${weights(layer.bias, layer.initializer)}`;
    }
    case 'spectral': {
      const options = [
        ...(layer.norm === 'kernel' ? [] : ['norm of the operator']),
        ...(layer.iterations === 1 ? [] : [`${layer.iterations} iterations`]),
      ];
      return `${['spectral', ...options].join(', ')} (${describeLayer(layer.layer)})`;
    }
    case 'flatten':
      return 'flatten';
    case 'reshape':
      return `reshape ${showShape(layer.shape)}`;
    case 'batchNorm':
      return [
        'batch norm',
        ...(layer.statistics === 'constant' ? [] : [layer.statistics]),
        ...(layer.momentum === 0.99 ? [] : [`momentum ${layer.momentum}`]),
        ...(layer.epsilon === 1e-3 ? [] : [`epsilon ${layer.epsilon}`]),
      ].join(', ');
    case 'dropout':
      return `dropout ${layer.rate}`;
    case 'activation':
      return layer.name === 'leakyRelu' ? `leakyRelu ${layer.slope}` : layer.name;
    case 'residual':
      return `residual (${describeLayers(layer.layers)})`;
    case 'averagePool':
      return `average pool ${layer.size}×${layer.size}`;
    case 'upsample':
      return `upsample ${layer.size}×${layer.size}`;
    case 'coupling': {
      const conditioner = layer.conditioner.length === 0 ? '' : ` (${describeLayers(layer.conditioner)})`;
      return `coupling of the ${layer.part} half, ${transformText(layer.transform)}${conditioner}`;
    }
    case 'elementwise':
      return `element-wise ${transformText(layer.transform)}`;
    case 'permutation':
      return `permutation, seed ${layer.seed}`;
    case 'luLinear':
      return 'LU linear';
    case 'squeeze':
      return `squeeze ${layer.size}×${layer.size}`;
    case 'factorOut':
      return `factor out, rest (${describeLayers(layer.layers)})`;
    case 'inverse':
      return `inverse from ${showShape(layer.input)} (${describeLayers(layer.layers)})`;
    case 'inject':
      return `inject ${layer.units}`;
    case 'defined':
    case 'bijection':
      return layer.name;
    case 'heads':
      return `heads ${Object.entries(layer.heads)
        .map(([name, layers]) => `${name} (${describeLayers(layers)})`)
        .join(', ')}`;
  }
};
