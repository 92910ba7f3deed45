/** Optimizers, given the codec of the expressions in them. */
import * as t from 'io-ts/lib/index.js';
import type { Node } from '../expressions/expression.js';
import type { Optimizer } from '../optimizer.js';
import type { Codec, Rows } from './codec.js';
import { mapped, optional, struct, tagged, withDefault } from './codec.js';
import { fraction, positiveNumber, positiveSingle, truth } from './primitive.js';

const name = 'an optimizer';

/** `clipNorm` absent rather than undefined. */
const clipped = <A extends { readonly clipNorm: number | undefined }>({
  clipNorm,
  ...rest
}: A): Omit<A, 'clipNorm'> & { readonly clipNorm?: number } =>
  clipNorm === undefined ? rest : { ...rest, clipNorm };

export const optimizerCodec = (expr: Codec<Node>): Codec<Optimizer> => {
  const rows: Rows<Optimizer> = {
    sgd: mapped(
      struct(name, {
        tag: t.literal('sgd'),
        rate: expr,
        momentum: withDefault(fraction, 0),
        nesterov: withDefault(truth, false),
        clipNorm: optional(positiveNumber),
      }),
      clipped,
      (optimizer) => ({ clipNorm: undefined, ...optimizer }),
    ),
    adam: mapped(
      struct(name, {
        tag: t.literal('adam'),
        rate: expr,
        beta1: withDefault(fraction, 0.9),
        beta2: withDefault(fraction, 0.999),
        epsilon: withDefault(positiveSingle, 1e-8),
        clipNorm: optional(positiveNumber),
      }),
      clipped,
      (optimizer) => ({ clipNorm: undefined, ...optimizer }),
    ),
  };
  return tagged<Optimizer>(name, rows);
};
