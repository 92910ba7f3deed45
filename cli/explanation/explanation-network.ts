/** What `immersion explain` says of a network: its layers one by one, and their sums. */
import * as E from 'fp-ts/lib/Either.js';
import { type LayerOutline, outline } from '../../compiler/index.js';
import { describeLayer, type NetworkValue, type Problem, sizeOf } from '../../dsl/index.js';

/** One layer, for one example. */
export type LayerRow = {
  readonly path: string;
  readonly layer: string;
  /** Shapes by output; a layer with one output has the single name ''. */
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  readonly parameters: number;
  readonly flops: number;
  /** Of the outputs, in float32. */
  readonly bytes: number;
};

export type NetworkPart = {
  readonly name: string;
  readonly input: readonly number[];
  readonly layers: readonly LayerRow[];
  readonly parameters: number;
  readonly flops: number;
  readonly bytes: number;
};

const sum = (values: readonly number[]): number => values.reduce((total, n) => total + n, 0);

const layerRow = ({ path, layer, outputs, parameters, flops }: LayerOutline): LayerRow => ({
  path,
  layer: describeLayer(layer),
  outputs: Object.fromEntries(outputs),
  parameters,
  flops,
  bytes: 4 * sum([...outputs.values()].map(sizeOf)),
});

/** A network layer by layer; problems where its layers do not fit each other. */
export const networkPart = (net: NetworkValue): E.Either<readonly Problem[], NetworkPart> =>
  E.Functor.map(outline(net), (outlines) => {
    const layers = outlines.map(layerRow);
    return {
      name: net.name,
      input: net.input,
      layers,
      parameters: sum(layers.map((row) => row.parameters)),
      flops: sum(layers.map((row) => row.flops)),
      bytes: sum(layers.map((row) => row.bytes)),
    };
  });
