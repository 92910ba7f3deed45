/** A network layer by layer: what each gives, holds and costs, found by elaborating every prefix of the network. */
import { elementAt } from '../dsl/lookup.js';
import type { Layer } from '../dsl/layers/layer.js';
import { argumentsOf, layerName, type NetworkValue, outputNames, written } from '../dsl/network.js';
import { fieldPath } from '../dsl/path.js';
import type { Problem } from '../dsl/problem.js';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { costOf } from './costs/cost.js';
import { createContext } from './elaborate/context.js';
import { createElaborate } from './elaborate/expression.js';
import { applicationOf } from './elaborate/network.js';
import type { Program } from './ir/program.js';

/** One layer, for one example in inference. */
export type LayerOutline = {
  /** `encoder/2.elu`: what its parameters' names begin with. */
  readonly path: string;
  readonly layer: Layer;
  /** Shapes of its outputs by name; a layer with one output has the single name ''. */
  readonly outputs: ReadonlyMap<string, readonly number[]>;
  /** Trainable numbers. */
  readonly parameters: number;
  readonly flops: number;
};

type Prefix = { readonly program: Program; readonly outputs: ReadonlyMap<string, readonly number[]> };

const elaboratePrefix = (net: NetworkValue, count: number): Either<readonly Problem[], Prefix> => {
  const { input } = written(net);
  const context = createContext(createElaborate, 'inference', 1, input);
  const prefix = { ...written(net), layers: net.layers.slice(0, count) };
  const bound = Object.entries(argumentsOf(prefix)).map(
    ([name, shape]) =>
      [name, context.builder.bind('data', name === '' ? 'x' : name, { rows: 1, shape })] as const,
  );
  const application = applicationOf(context, prefix, new Map(bound), fieldPath('networks', net.name));
  if (application === null) return left(context.problems);
  const { builder } = context;
  const names = outputNames(prefix);
  const outputs = names.flatMap((name) => {
    const y = application.outputs.get(name);
    return y === undefined ? [] : [{ kind: 'value', name, var: y } as const];
  });
  return right({
    program: {
      name: net.name,
      batch: 1,
      binders: builder.binders(),
      equations: builder.equations(),
      outputs,
    },
    outputs: new Map(outputs.map((output) => [output.name, output.var.type.shape])),
  });
};

/** The layers of a network in order, as it was written; problems where they do not fit each other. */
export const outline = (net: NetworkValue): Either<readonly Problem[], readonly LayerOutline[]> => {
  const prefixes: Prefix[] = [];
  for (let count = 0; count <= net.layers.length; count++) {
    const prefix = elaboratePrefix(net, count);
    if (prefix._tag === 'Left') return prefix;
    prefixes.push(prefix.right);
  }
  const costs = prefixes.map(({ program }) => costOf(program));
  return right(
    net.layers.map((layer, i) => ({
      path: `${net.name}/${layerName(i, layer)}`,
      layer,
      outputs: elementAt(prefixes, i + 1).outputs,
      parameters: elementAt(costs, i + 1).parameters.count - elementAt(costs, i).parameters.count,
      flops: elementAt(costs, i + 1).flops - elementAt(costs, i).flops,
    })),
  );
};
