/** Expressions, layers and networks, which hold one another: their codecs, given how a network is written inside an expression. */
import * as t from 'io-ts/lib/index.js';
import { expressionFields } from '../expressions/fields.js';
import type { KernelLayer, Layer, NetworkValue, Node } from '../grammar.js';
import { layerFields } from '../layers/fields.js';
import { type Codec, list, remembered, tagged } from './codec.js';
import { expressionConditions } from './expr.js';
import { layerConditions } from './layer.js';
import { type Parts, rowsOf } from './node.js';

const { heads, ...anywhere } = layerFields;
const { dense, conv, convTranspose } = layerFields;
const kernels = { dense, conv, convTranspose };

export type Language = {
  readonly expression: Codec<Node>;
  /** Any layer. */
  readonly layer: Codec<Layer>;
  /** The layers of a network: heads only at the end. */
  readonly layers: Codec<readonly Layer[]>;
};

/** For one value: remembers the nodes it has seen. */
export const languageOf = (network: Codec<NetworkValue>): Language => {
  const parts = (): Parts => ({ node: expression, layer: inner, kernel, network });
  const expression = t.recursion<Node, unknown, unknown>('an expression', () =>
    remembered(
      tagged<Node>('an expression', rowsOf('an expression', expressionFields, parts(), expressionConditions)),
    ),
  );
  const kernel = t.recursion<KernelLayer, unknown, unknown>(
    `a layer with a kernel (${Object.keys(kernels).join(', ')})`,
    ({ name }) => tagged<KernelLayer>(name, rowsOf('a layer', kernels, parts())),
  );
  const inner = t.recursion<Layer, unknown, unknown>('a layer', ({ name }) =>
    tagged<Layer>(name, rowsOf(name, anywhere, parts(), layerConditions), {
      heads: 'heads may only be the last layer of a network',
    }),
  );
  const layer = t.recursion<Layer, unknown, unknown>('a layer', ({ name }) =>
    tagged<Layer>(name, rowsOf(name, { ...anywhere, heads }, parts(), layerConditions)),
  );
  const layers = list('an array of layers', (i, length) => (i === length - 1 ? layer : inner));
  return { expression, layer, layers };
};
