/** A network layer by layer: what each gives, holds and costs, found by elaborating each layer alone on the shape that reaches it. */
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

type Alone = { readonly program: Program; readonly outputs: ReadonlyMap<string, readonly number[]> };

/** A network of the layer at this place alone. */
const elaboratedAlone = (net: NetworkValue, place: number): Either<readonly Problem[], Alone> => {
  const context = createContext(createElaborate, 'inference', 1, net.input);
  const bound = Object.entries(argumentsOf(net)).map(
    ([name, shape]) =>
      [name, context.builder.bind('data', name === '' ? 'x' : name, { rows: 1, shape })] as const,
  );
  const at = fieldPath('networks', net.name);
  const application = applicationOf(context, net, new Map(bound), at);
  if (application === null) {
    const first = `${at}.layers[0]`;
    return left(
      context.problems.map((p) =>
        p.path.startsWith(first) ? { ...p, path: `${at}.layers[${place}]${p.path.slice(first.length)}` } : p,
      ),
    );
  }
  const { builder } = context;
  const names = outputNames(net);
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
  const whole = written(net);
  const outlines: LayerOutline[] = [];
  let input = whole.input;
  for (const [i, layer] of whole.layers.entries()) {
    const path = `${net.name}/${layerName(i, layer)}`;
    const alone = elaboratedAlone({ ...whole, input, layers: [layer] }, i);
    if (alone._tag === 'Left') return alone;
    const { program, outputs } = alone.right;
    const { parameters, flops } = costOf(program);
    outlines.push({ path, layer, outputs, parameters: parameters.count, flops });
    input = outputs.get('') ?? input;
  }
  return right(outlines);
};
