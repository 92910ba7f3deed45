/** The shape of an expression and the shape that a layer leads to: what constructors need where a type has lost a size. */
import { contractionShape } from './expressions/contraction.js';
import { once } from './expressions/once.js';
import type { Layer, NetworkValue, Node } from './grammar.js';
import { type Invertible, isInvertible, shapeAfter } from './layers/bijector.js';
import { sideAfter } from './layers/convolution.js';
import { type Shape, sizeOf } from './shape.js';

/** Undefined where a part does not fit: the compiler says which, and why. */
type Rule<A> = (of: A) => Shape | undefined;

const image = (
  shape: Shape,
  f: (h: number, w: number, c: number) => Shape | undefined,
): Shape | undefined => {
  const [h, w, c] = shape;
  return shape.length === 3 && h !== undefined && w !== undefined && c !== undefined ? f(h, w, c) : undefined;
};

type Ordinary = Exclude<Layer, Invertible>;

const afterOrdinary = (layer: Ordinary, shape: Shape): Shape | undefined => {
  switch (layer.tag) {
    case 'dense':
      return shape.length === 1 ? [layer.units] : undefined;
    case 'conv':
    case 'convTranspose':
      return image(shape, (h, w) => [sideAfter(layer, h), sideAfter(layer, w), layer.filters]);
    case 'spectral':
      return afterOrdinary(layer.layer, shape);
    case 'batchNorm':
    case 'dropout':
    case 'activation':
    case 'residual':
      return shape;
    case 'averagePool': {
      const { size } = layer;
      return image(shape, (h, w, c) =>
        h % size === 0 && w % size === 0 ? [h / size, w / size, c] : undefined,
      );
    }
    case 'upsample':
      return image(shape, (h, w, c) => [h * layer.size, w * layer.size, c]);
    case 'defined':
      return outputShape(layer, '');
    case 'heads':
      return undefined;
  }
};

const outputShape = (
  { outputs }: Extract<Layer, { readonly tag: 'defined' }>,
  name: string,
): Shape | undefined => {
  const body = outputs[name];
  return body === undefined ? undefined : shapeOf(body);
};

/** The shape after layers that take a shape. */
export const shapeAfterLayers = (layers: readonly Layer[], input: Shape): Shape | undefined =>
  layers.reduce<Shape | undefined>((shape, layer) => {
    if (shape === undefined) return undefined;
    if (!isInvertible(layer)) return afterOrdinary(layer, shape);
    const after = shapeAfter(layer, shape);
    return typeof after === 'string' ? undefined : after;
  }, input);

/** The shape of a network's output of that name. */
export const networkShape = ({ input, layers, inverts }: NetworkValue, output: string): Shape | undefined => {
  if (inverts !== undefined) return inverts;
  const last = layers.at(-1);
  if (last?.tag === 'defined') return outputShape(last, output);
  if (last?.tag !== 'heads') return shapeAfterLayers(layers, input);
  const trunk = shapeAfterLayers(layers.slice(0, -1), input);
  const head = last.heads[output];
  return trunk === undefined || head === undefined ? undefined : shapeAfterLayers(head, trunk);
};

/** The shape of a product over the leading axis of directions, where there is one. */
const overProbes = (
  direction: Shape | undefined,
  at: Shape | undefined,
  of: Shape | undefined,
): Shape | undefined =>
  direction === undefined || at === undefined || of === undefined
    ? undefined
    : direction.length === at.length
      ? of
      : [...direction.slice(0, 1), ...of];

const without = (shape: Shape | undefined, axes: Shape): Shape | undefined =>
  shape?.filter((_, i) => !axes.includes(i));

/** The shape of an expression for each example; undefined where a part of it does not fit. */
export const shapeOf: Rule<Node> = once((node) => {
  switch (node.tag) {
    case 'data':
    case 'field':
    case 'argument':
    case 'parameter':
    case 'fill':
    case 'reshape':
    case 'broadcast':
      return node.shape;
    case 'constant':
    case 'hyper':
    case 'step':
    case 'running':
    case 'sqNormOfWeights':
    case 'logDet':
    case 'logDetSPD':
    case 'volume':
      return [];
    case 'draw':
      return node.probes === undefined ? node.shape : [node.probes, ...node.shape];
    case 'through': {
      const shape = shapeOf(node.of);
      return shape === undefined ? undefined : shapeAfterLayers(node.layers, shape);
    }
    case 'apply':
      return networkShape(node.network, node.output);
    case 'jvp':
      return overProbes(shapeOf(node.tangent), shapeOf(node.at), networkShape(node.network, node.output));
    case 'vjp':
      return overProbes(shapeOf(node.cotangent), networkShape(node.network, node.output), shapeOf(node.at));
    case 'stop':
    case 'unary':
    case 'solveGram':
    case 'batchMean':
    case 'another':
    case 'scale':
    case 'band':
      return shapeOf(node.of);
    case 'binary':
      return shapeOf(node.left);
    case 'select':
      return shapeOf(node.then);
    case 'sum':
    case 'norm':
      return shapeOf(node.of)?.slice(0, node.keep);
    case 'slice':
      return node.size;
    case 'pad':
      return shapeOf(node.of)?.map((n, i) => n + (node.before[i] ?? 0) + (node.after[i] ?? 0));
    case 'concat': {
      const shapes = node.of.map(shapeOf);
      return shapes[0]?.map((n, i) =>
        i === node.axis ? shapes.reduce((sum, shape) => sum + (shape?.[i] ?? Number.NaN), 0) : n,
      );
    }
    case 'transpose': {
      const shape = shapeOf(node.of);
      return shape === undefined ? undefined : node.permutation.map((axis) => shape[axis] ?? Number.NaN);
    }
    case 'reduce':
      return without(shapeOf(node.of), node.axes);
    case 'contract': {
      const [left, right] = [shapeOf(node.left), shapeOf(node.right)];
      const shape = left && right && contractionShape(node.subscripts, left, right);
      return typeof shape === 'string' ? undefined : shape;
    }
    case 'gather': {
      const [table, index] = [shapeOf(node.table), shapeOf(node.index)];
      return table === undefined || table.length === 0 || index === undefined
        ? undefined
        : [...index, ...table.slice(1)];
    }
    case 'basis':
      return [sizeOf(node.shape), ...node.shape];
    case 'gram': {
      const shape = shapeOf(node.of);
      return shape === undefined ? undefined : [...shape.slice(0, 1), ...shape.slice(0, 1)];
    }
  }
});
