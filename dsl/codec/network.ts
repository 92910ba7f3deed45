/** Networks, with their name inside (`networkCodec`) or outside, as in the table of an experiment (`bodyCodec`). */
import type { NetworkValue } from '../network.js';
import type { Codec } from './codec.js';
import { record, struct } from './codec.js';
import { layersCodec } from './layer.js';
import { name } from './primitive.js';
import { exampleShapeCodec } from './shape.js';

const fields = { input: exampleShapeCodec, layers: layersCodec };

export const networkCodec: Codec<NetworkValue> = struct('a network', { name, ...fields });

type NetworkBody = Omit<NetworkValue, 'name'>;

export const bodyCodec: Codec<NetworkBody> = struct('a network', fields);

/** Name → structure. */
export const networkTableCodec = record('an object of named networks', name, bodyCodec, 0);
