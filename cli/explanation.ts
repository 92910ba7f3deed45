/** What `immersion explain` says, as data: networks layer by layer, Jacobian products, and the cost of a training step. */
import * as E from 'fp-ts/lib/Either.js';
import { type Compiled, compile, type Cost, costOf, type LayerOutline, outline } from '../compiler/index.js';
import {
  apply,
  data,
  describeLayer,
  everyNode,
  hypersOf,
  type Experiment,
  formula,
  type Network,
  networksOf,
  type NetworkValue,
  type Node,
  objectiveFormula,
  outputNames,
  type Problem,
  sizeOf,
  sqNorm,
  sub,
} from '../dsl/index.js';

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

/** A product with a network's Jacobian, and how it is computed. */
export type JacobianPart = {
  readonly product: string;
  readonly terms: readonly string[];
  readonly method: 'forward probe' | 'reverse probe';
  readonly probes: number;
  readonly network: string;
  readonly input: readonly number[];
  readonly output: readonly number[];
  /** Of one probe for one example, beyond the network's value. */
  readonly flops: number;
  /** How many such probes the whole Jacobian takes. */
  readonly exact: number;
};

export type StepPart = {
  readonly batch: number;
  readonly equations: number;
  readonly flops: number;
  readonly bytes: number;
  readonly peak: number;
  readonly parameters: Cost['parameters'];
  /** Its FLOPs over those of the plain autoencoder on the same networks; absent where that has no meaning. */
  readonly timesAutoencoder?: number;
};

/** How it is trained, and with which hyper-parameters: what `--set` changes. */
export type TrainingPart = {
  readonly hypers: Readonly<Record<string, number>>;
  readonly optimizer: string;
  readonly rate: string;
  readonly clipNorm?: number;
  readonly steps: number;
  readonly data: string;
  readonly validateEvery: number;
};

export type Explanation = {
  readonly networks: readonly NetworkPart[];
  readonly objective: string;
  readonly training: TrainingPart;
  readonly jacobians: readonly JacobianPart[];
  readonly step: StepPart;
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

const networkPart = (net: NetworkValue): E.Either<readonly Problem[], NetworkPart> =>
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

type Product = Extract<Node, { tag: 'jvp' | 'vjp' }>;

/** The leading axis of a direction: that of the draw it is made of. */
const probesOf = (direction: Node): number =>
  Math.max(
    1,
    ...everyNode([{ path: [], node: direction }]).map(({ node }) =>
      node.tag === 'draw' ? (node.probes ?? 1) : 1,
    ),
  );

const jacobianPart = (product: Product, terms: readonly string[], net: NetworkPart): JacobianPart => {
  const forward = product.tag === 'jvp';
  const output = net.layers.at(-1)?.outputs[product.output] ?? net.input;
  return {
    product: formula(product),
    terms,
    method: forward ? 'forward probe' : 'reverse probe',
    probes: probesOf(product.tag === 'jvp' ? product.tangent : product.cotangent),
    network: net.name,
    input: net.input,
    output,
    flops: net.flops,
    exact: sizeOf(forward ? net.input : output),
  };
};

/** Every distinct product with the terms that hold it. */
const jacobians = (experiment: Experiment, networks: readonly NetworkPart[]): readonly JacobianPart[] => {
  const found = Object.entries(experiment.objective).flatMap(([term, node]) =>
    everyNode([{ path: [], node }]).flatMap((located) =>
      located.node.tag === 'jvp' || located.node.tag === 'vjp'
        ? [{ term, product: located.node, key: formula(located.node) }]
        : [],
    ),
  );
  const first = new Map(found.toReversed().map(({ key, product }) => [key, product]));
  return [...new Set(found.map(({ key }) => key))].flatMap((key) => {
    const product = first.get(key);
    const net = networks.find(({ name }) => name === product?.network.name);
    const terms = [...new Set(found.filter((one) => one.key === key).map(({ term }) => term))];
    return product === undefined || net === undefined ? [] : [jacobianPart(product, terms, net)];
  });
};

/** FLOPs of a step of the plain autoencoder on these networks, if they form one. */
const autoencoderFlops = (experiment: Experiment): number | undefined => {
  const { encoder, decoder } = experiment;
  if ([encoder, decoder].some((net) => outputNames(net)[0] !== '')) return undefined;
  const [inward, outward]: readonly Network[] = [encoder, decoder];
  const x = data(...encoder.input);
  const objective = { reconstruction: sqNorm(sub(x, apply(outward, apply(inward, x)))) };
  const compiled = compile({ ...experiment, objective });
  return E.isLeft(compiled) ? undefined : costOf(compiled.right.step).flops;
};

const stepPart = (experiment: Experiment, { step }: Compiled): StepPart => {
  const { flops, bytes, peak, parameters } = costOf(step);
  const plain = autoencoderFlops(experiment);
  const figures = { batch: step.batch, equations: step.equations.length, flops, bytes, peak, parameters };
  return plain === undefined || plain === 0 ? figures : { ...figures, timesAutoencoder: flops / plain };
};

const trainingPart = (experiment: Experiment): TrainingPart => {
  const { optimizer, steps, data: reference, validation } = experiment;
  return {
    hypers: Object.fromEntries(hypersOf(experiment)),
    optimizer: optimizer.tag,
    rate: formula(optimizer.rate),
    ...(optimizer.clipNorm === undefined ? {} : { clipNorm: optimizer.clipNorm }),
    steps,
    data: reference,
    validateEvery: validation.every,
  };
};

/** Explains a compiled experiment. */
export const explanationOf = (compiled: Compiled): E.Either<readonly Problem[], Explanation> => {
  const { experiment } = compiled;
  const named = networksOf(experiment);
  if (E.isLeft(named)) return named;
  const parts = [...named.right.values()].map(networkPart);
  const problems = parts.flatMap((part) => (E.isLeft(part) ? part.left : []));
  if (problems.length > 0) return E.left(problems);
  const networks = parts.flatMap((part) => (E.isRight(part) ? [part.right] : []));
  return E.right({
    networks,
    objective: objectiveFormula(experiment.objective),
    training: trainingPart(experiment),
    jacobians: jacobians(experiment, networks),
    step: stepPart(experiment, compiled),
  });
};
