/** Layers and stacks of layers as the calls that make them. */
import type { DefinedBijection, DefinedLayer, Layer, Transform } from '../../grammar.js';
import { isInvertible } from '../../layers/bijector.js';
import type { Initializer } from '../../layers/initializer.js';
import { type Shape } from '../../shape.js';
import { shapeAfterLayers } from '../../shape-rules.js';
import { call, enclosed, keyText, literal, options, record, unless, type Word } from './text.js';

/** How the body of a layer is written; undefined where no constructor makes it. */
export type BodyText = (layer: DefinedLayer | DefinedBijection, shape: Shape) => string | undefined;

/** Undefined where no call makes it: then its network is written as plain data. */
type Text = string | undefined;

const numbers = (values: Shape): readonly string[] => values.map(String);

export const initializerText = (initializer: Initializer): string => {
  switch (initializer.tag) {
    case 'constant':
      return call('constantInitializer', String(initializer.value));
    case 'normal':
      return call('normalInitializer', String(initializer.stddev));
    case 'uniform':
      return call('uniformInitializer', String(initializer.limit));
    default:
      return initializer.tag satisfies Word;
  }
};

const transformText = (transform: Transform): string => {
  switch (transform.tag) {
    case 'affine':
      return call('affine', ...options({ bound: unless(2, transform.bound) }));
    case 'spline':
    case 'circularSpline': {
      const bound = transform.tag === 'spline' ? 3 : Math.PI;
      return call(
        transform.tag,
        ...options({ bins: unless(8, transform.bins), bound: unless(bound, transform.bound) }),
      );
    }
  }
};

/** `{ bias: false, kernel: ones }`; an initializer is text already. */
const withInitializer = (
  values: Readonly<Record<string, unknown>>,
  field: string,
  initializer: Initializer,
): readonly string[] => {
  const own = Object.entries(values).flatMap(([name, value]): readonly (readonly [string, string])[] =>
    value === undefined ? [] : [[name, literal(value)]],
  );
  const all: readonly (readonly [string, string])[] =
    initializer.tag === 'glorotUniform' ? own : [...own, [field, initializerText(initializer)]];
  return all.length === 0 ? [] : [record(all)];
};

const joined = (parts: readonly Text[], f: (texts: readonly string[]) => string): Text => {
  const texts = parts.flatMap((part) => (part === undefined ? [] : [part]));
  return texts.length === parts.length ? f(texts) : undefined;
};

/** Layers as a function of a stack. */
const blockText = (layers: readonly Layer[], shape: Shape, body: BodyText, isFlow: boolean): Text => {
  const texts = layerTexts(layers, shape, body, isFlow);
  if (texts === undefined) return undefined;
  return texts.length === 0 ? '(s) => s' : texts.length === 1 ? texts[0] : `(s) => ${piped('s', texts)}`;
};

/** What fp-ts's pipe takes at once. */
const MOST = 19;

/** `pipe(start, …)`, in parts where there are many. */
const piped = (start: string, blocks: readonly string[]): string => {
  if (blocks.length === 0) return start;
  const first = call('pipe', start, ...blocks.slice(0, MOST));
  return blocks.length <= MOST ? first : piped(first, blocks.slice(MOST));
};

/** The blocks of layers that take a shape. */
const layerTexts = (
  layers: readonly Layer[],
  shape: Shape,
  body: BodyText,
  isFlow: boolean,
): readonly string[] | undefined => {
  const texts = layers.flatMap((layer, i) => {
    const before = shapeAfterLayers(layers.slice(0, i), shape);
    const text = before && (isFlow ? bijectorText(layer, before, body) : layerText(layer, before, body));
    return text === undefined ? [] : [text];
  });
  return texts.length === layers.length ? texts : undefined;
};

const layerText = (layer: Layer, shape: Shape, body: BodyText): Text => {
  switch (layer.tag) {
    case 'dense':
      return call(
        'dense',
        String(layer.units),
        ...withInitializer({ bias: unless(true, layer.bias) }, 'kernel', layer.kernel),
      );
    case 'conv':
    case 'convTranspose': {
      const { filters, kernel, stride, padding, bias } = layer;
      const values = {
        kernel,
        stride: unless(1, stride),
        padding: unless('same', padding),
        bias: unless(true, bias),
      };
      return call(layer.tag, String(filters), ...withInitializer(values, 'initializer', layer.initializer));
    }
    case 'spectral':
      return joined([layerText(layer.layer, shape, body)], (texts) =>
        call(
          'spectral',
          ...texts,
          ...options({ norm: unless('kernel', layer.norm), iterations: unless(1, layer.iterations) }),
        ),
      );
    case 'flatten':
      return 'flatten' satisfies Word;
    case 'reshape':
      return call('reshape', ...numbers(layer.shape));
    case 'batchNorm':
      return call(
        'batchNorm',
        ...options({
          statistics: unless('constant', layer.statistics),
          momentum: unless(0.99, layer.momentum),
          epsilon: unless(1e-3, layer.epsilon),
        }),
      );
    case 'dropout':
      return call('dropout', String(layer.rate));
    case 'activation':
      return layer.name === 'leakyRelu'
        ? call('leakyRelu', String(layer.slope))
        : layer.slope === 0.2
          ? (layer.name satisfies Word)
          : call('activation', literal(layer.name), String(layer.slope));
    case 'residual':
      return joined([blockText(layer.layers, shape, body, false)], (texts) => call('residual', ...texts));
    case 'averagePool':
    case 'upsample':
      return call(layer.tag, String(layer.size));
    case 'heads':
      return joined(
        Object.values(layer.heads).map((inner) => blockText(inner, shape, body, false)),
        (texts) => call('heads', record(Object.keys(layer.heads).map((name, i) => [name, texts[i] ?? '']))),
      );
    case 'defined':
      return body(layer, shape);
    default:
      // An invertible layer among others.
      return undefined;
  }
};

/** A layer of a flow. */
const bijectorText = (layer: Layer, shape: Shape, body: BodyText): Text => {
  if (!isInvertible(layer)) return undefined;
  switch (layer.tag) {
    case 'coupling': {
      const channels = shape.at(-1) ?? 0;
      const cut = Math.floor(channels / 2);
      const condition = [...shape.slice(0, -1), layer.part === 'first' ? channels - cut : cut];
      return joined([blockText(layer.conditioner, condition, body, false)], ([conditioner = '']) => {
        const entries: readonly (readonly [string, string])[] = [
          ['transform', transformText(layer.transform)],
          ...(layer.part === 'last' ? [] : ([['part', `'first'`]] as const)),
          ['conditioner', conditioner],
        ];
        return call(shape.length === 1 ? 'coupling' : 'imageCoupling', record(entries));
      });
    }
    case 'elementwise':
      return call('elementwise', transformText(layer.transform));
    case 'permutation':
      return call('permutation', String(layer.seed));
    case 'luLinear':
      return 'luLinear' satisfies Word;
    case 'squeeze':
      return call('squeeze', String(layer.size));
    case 'factorOut': {
      const inner = [...shape.slice(0, -1), Math.floor((shape.at(-1) ?? 0) / 2)];
      return shape.length === 3
        ? joined([blockText(layer.layers, inner, body, true)], (texts) => call('factorOut', ...texts))
        : undefined;
    }
    case 'inverse':
      return joined([flowText('observed', layer.layers, layer.input, body)], (texts) =>
        call('inverse', ...texts),
      );
    case 'inject':
      return call('inject', String(layer.units));
    case 'bijection':
      return body(layer, shape);
    case 'reshape':
      return call('arrange', ...numbers(layer.shape));
    case 'flatten':
      return undefined;
  }
};

const flowText = (
  start: 'latent' | 'observed',
  layers: readonly Layer[],
  shape: Shape,
  body: BodyText,
): Text => {
  const texts = layerTexts(layers, shape, body, true);
  return texts && piped(call(start, ...numbers(shape)), texts);
};

/** `pipe(input(2), dense(3))`, or from `latent` where all layers have an inverse and some are made for it. */
export const stackText = (layers: readonly Layer[], shape: Shape, body: BodyText): Text => {
  const isFlow =
    layers.every(isInvertible) && layers.some(({ tag }) => tag !== 'flatten' && tag !== 'reshape');
  if (isFlow) return flowText('latent', layers, shape, body);
  const texts = layerTexts(layers, shape, body, false);
  return texts && piped(call('input', ...numbers(shape)), texts);
};

/** Layers on the way from an expression to another. */
export const throughText = (layers: readonly Layer[], shape: Shape, body: BodyText): Text =>
  blockText(layers, shape, body, false);

/** `(x: Expr<readonly [3]>) => …`. */
export const typedArgument = (name: string, shape: Shape): string =>
  `${keyText(name)}: Expr<readonly ${enclosed('[', numbers(shape), ']')}>`;
