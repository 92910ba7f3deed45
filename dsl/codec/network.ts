/** Networks, with their name inside or outside, as in the table of an experiment. */
import * as t from 'io-ts/lib/index.js';
import { isInvertible } from '../layers/bijector.js';
import type { Layer, NetworkValue } from '../grammar.js';
import type { Codec, Issue } from './codec.js';
import { checked, mapped, optional, remembered, struct } from './codec.js';
import { languageOf } from './language.js';
import { name } from './primitive.js';
import { exampleShapeCodec } from './shape.js';

const fieldsWith = (layers: Codec<readonly Layer[]>) => ({ input: exampleShapeCodec, layers });

/** What keeps a network from being inverted, told at a field. */
export const inversionIssues =
  (key: string) =>
  ({ name: its, layers, inverts }: NetworkValue): readonly Issue[] => {
    const obstacle = inverts === undefined ? undefined : layers.find((layer) => !isInvertible(layer));
    return obstacle === undefined
      ? []
      : [
          {
            key,
            found: `${its}, which has ${obstacle.tag}`,
            expected: 'a network of layers that have an inverse',
          },
        ];
  };

/** Networks with their name inside, and those in their expressions in place. For one value: remembers what it has seen. */
export const createNetworkCodec = (): Codec<NetworkValue> =>
  t.recursion<NetworkValue, unknown, unknown>('a network', (self) =>
    remembered(
      checked(
        mapped(
          struct('a network', {
            name,
            ...fieldsWith(languageOf(self).layers),
            inverts: optional(exampleShapeCodec),
          }),
          ({ inverts, ...rest }): NetworkValue => (inverts === undefined ? rest : { ...rest, inverts }),
          (net) => ({ inverts: undefined, ...net }),
        ),
        inversionIssues('layers'),
      ),
    ),
  );

export type NetworkBody = Omit<NetworkValue, 'name' | 'inverts'>;

/** A network without its name. */
export const bodyCodec = (layers: Codec<readonly Layer[]>): Codec<NetworkBody> =>
  struct('a network', fieldsWith(layers));
