/** Networks, with their name inside (`networkCodec`) or outside, as in the table of an experiment (`bodyCodec`). */
import { isInvertible } from '../layers/bijector.js';
import type { NetworkValue } from '../network.js';
import type { Codec, Issue } from './codec.js';
import { checked, mapped, optional, record, struct } from './codec.js';
import { layersCodec } from './layer.js';
import { name } from './primitive.js';
import { exampleShapeCodec } from './shape.js';

const fields = { input: exampleShapeCodec, layers: layersCodec };

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

export const networkCodec: Codec<NetworkValue> = checked(
  mapped(
    struct('a network', { name, ...fields, inverts: optional(exampleShapeCodec) }),
    ({ inverts, ...rest }): NetworkValue => (inverts === undefined ? rest : { ...rest, inverts }),
    (net) => ({ inverts: undefined, ...net }),
  ),
  inversionIssues('layers'),
);

type NetworkBody = Omit<NetworkValue, 'name' | 'inverts'>;

export const bodyCodec: Codec<NetworkBody> = struct('a network', fields);

/** Name → structure. */
export const networkTableCodec = record('an object of named networks', name, bodyCodec, 0);
