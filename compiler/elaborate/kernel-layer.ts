/** Elaborates the layers that hold a kernel, spectrally normalised or not. */
import { atLeast } from '../../dsl/lookup.js';
import type { KernelLayer, Layer, Padding, SpectralLayer } from '../../dsl/layers/layer.js';
import { sideAfter } from '../../dsl/layers/convolution.js';
import type { Var } from '../ir/program.js';
import { emitOf, parameter, type Rule, type Site, withBias, wrongShape } from './site.js';
import { type LinearMap, matrixMap, normalised } from './spectral-norm.js';

/** TensorFlow's 'same': ⌈n/s⌉ outputs, the odd padding at the end. */
const paddingOf = (
  padding: Padding,
  size: number,
  kernel: number,
  stride: number,
): readonly [number, number] => {
  if (padding === 'valid') return [0, 0];
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
};

const windowOf = (
  { kernel, stride, padding }: { kernel: number; stride: number; padding: Padding },
  image: readonly number[],
) => {
  const [h, w] = atLeast(2, image);
  const [top, bottom] = paddingOf(padding, h, kernel, stride);
  const [left, right] = paddingOf(padding, w, kernel, stride);
  return { strides: [stride, stride], padding: [top, bottom, left, right] } as const;
};

type Conv = Extract<KernelLayer, { tag: 'conv' | 'convTranspose' }>;

/** A layer that is a linear map x ↦ Wx plus a bias: its kernel, the map, and the kernel as a matrix [the rest, output channels]. */
type Linear = {
  readonly kernel: Var;
  readonly map: (kernel: Var) => LinearMap;
  readonly matrix: (kernel: Var) => Var;
};

const denseMap = (site: Site, layer: Extract<KernelLayer, { tag: 'dense' }>): Linear | null => {
  const { x } = site;
  if (x.type.shape.length !== 1) return wrongShape(site, 'a vector [n] (flatten first)');
  const [n] = atLeast(1, x.type.shape);
  const fans = { fanIn: n, fanOut: layer.units };
  return {
    kernel: parameter(site, 'kernel', [n, layer.units], layer.kernel, fans),
    map: (kernel) => matrixMap(emitOf(site), kernel),
    matrix: (kernel) => kernel,
  };
};

const fansOf = ({ kernel, filters }: Conv, channels: number) => ({
  fanIn: kernel ** 2 * channels,
  fanOut: kernel ** 2 * filters,
});

const convMap = (site: Site, layer: Conv): Linear | null => {
  const { x } = site;
  const emit = emitOf(site);
  if (x.type.shape.length !== 3) return wrongShape(site, 'an image [h,w,c]');
  const [h, w, c] = atLeast(3, x.type.shape);
  const size = [h, w] as const;
  const window = windowOf(layer, size);
  const output = [sideAfter(layer, h), sideAfter(layer, w), layer.filters];
  if (output.some((n) => n < 1)) {
    return wrongShape(site, `an image of at least ${layer.kernel}×${layer.kernel} pixels`);
  }
  const shape = [layer.kernel, layer.kernel, c, layer.filters];
  return {
    kernel: parameter(site, 'kernel', shape, layer.initializer, fansOf(layer, c)),
    map: (kernel) => ({
      output,
      forward: (image) => emit('conv', window, [image, kernel]),
      backward: (image) => emit('convInput', { ...window, size }, [image, kernel]),
    }),
    matrix: (kernel) => emit('reshape', { shape: [layer.kernel ** 2 * c, layer.filters] }, [kernel]),
  };
};

const convTransposeMap = (site: Site, layer: Conv): Linear | null => {
  const { x } = site;
  const emit = emitOf(site);
  if (x.type.shape.length !== 3) return wrongShape(site, 'an image [h,w,c]');
  const [h, w, c] = atLeast(3, x.type.shape);
  const size = [sideAfter(layer, h), sideAfter(layer, w)] as const;
  const window = windowOf(layer, size);
  const shape = [layer.kernel, layer.kernel, layer.filters, c];
  return {
    kernel: parameter(site, 'kernel', shape, layer.initializer, fansOf(layer, c)),
    map: (kernel) => ({
      output: [...size, layer.filters],
      forward: (image) => emit('convInput', { ...window, size }, [image, kernel]),
      backward: (image) => emit('conv', window, [image, kernel]),
    }),
    matrix: (kernel) => {
      const outputLast = emit('permute', { permutation: [0, 1, 3, 2] }, [kernel]);
      return emit('reshape', { shape: [layer.kernel ** 2 * c, layer.filters] }, [outputLast]);
    },
  };
};

const linearOf = (site: Site, layer: KernelLayer): Linear | null => {
  switch (layer.tag) {
    case 'dense':
      return denseMap(site, layer);
    case 'conv':
      return convMap(site, layer);
    case 'convTranspose':
      return convTransposeMap(site, layer);
  }
};

const plain: Rule<KernelLayer> = (site) => {
  const linear = linearOf(site, site.layer);
  return linear && withBias(site, linear.map(linear.kernel).forward(site.x), site.layer.bias);
};

const spectral: Rule<SpectralLayer> = (site) => {
  const { layer, norm } = site.layer;
  const linear = linearOf(site, layer);
  if (linear === null) return null;
  const { kernel, map, matrix } = linear;
  const measured = norm === 'operator' ? map(kernel) : matrixMap(emitOf(site), matrix(kernel));
  return withBias(site, map(normalised(site, kernel, measured)).forward(site.x), layer.bias);
};

/** Rules by tag. */
export const kernelRules: {
  readonly [T in 'dense' | 'conv' | 'convTranspose' | 'spectral']: Rule<Extract<Layer, { tag: T }>>;
} = { dense: plain, conv: plain, convTranspose: plain, spectral };
