/** What `immersion explain` says of Jacobians: products, volumes and systems, how each is computed, and what other ways would cost. */
import { solveCost, type SolveCost, volumeCost, type VolumeCost } from '../../compiler/index.js';
import {
  everyNode,
  type Experiment,
  formula,
  type Node,
  sizeOf,
  type VolumeMethod,
} from '../../dsl/index.js';
import { probeCount } from '../../dsl/expressions/volume.js';
import type { NetworkPart } from './explanation-network.js';

/** Where a Jacobian is asked for. */
type Place = {
  /** As on paper. */
  readonly expression: string;
  readonly terms: readonly string[];
  readonly network: string;
  readonly input: readonly number[];
  readonly output: readonly number[];
  /** Of one product with the Jacobian for one example, beyond the network's value. */
  readonly flops: number;
  readonly probes: number;
};

export type ProductPart = Place & {
  readonly method: 'forward probe' | 'reverse probe';
  /** How many products the whole Jacobian takes this way, and the other. */
  readonly exact: number;
  readonly otherwise: number;
};

/** Costs are in products with the Jacobian, for one example of a training step. */
export type VolumePart = Place & { readonly asked: VolumeMethod; readonly cost: VolumeCost };

export type SystemPart = Place & { readonly tolerance: number; readonly cost: SolveCost };

export type JacobianParts = {
  readonly jacobians: readonly ProductPart[];
  readonly volumes: readonly VolumePart[];
  readonly systems: readonly SystemPart[];
};

type Tag = 'jvp' | 'vjp' | 'volume' | 'solveGram';
type Product = Extract<Node, { readonly tag: Tag }>;

const isProduct = (node: Node): node is Product =>
  node.tag === 'jvp' || node.tag === 'vjp' || node.tag === 'volume' || node.tag === 'solveGram';

/** The leading axis of a direction: that of the draw it is made of. */
const probesOf = (direction: Node): number =>
  Math.max(
    1,
    ...everyNode([{ path: [], node: direction }]).map(({ node }) =>
      node.tag === 'draw' ? (node.probes ?? 1) : node.tag === 'basis' ? sizeOf(node.shape) : 1,
    ),
  );

const directionOf = (node: Exclude<Product, { readonly tag: 'volume' }>): Node => {
  switch (node.tag) {
    case 'jvp':
      return node.tangent;
    case 'vjp':
      return node.cotangent;
    case 'solveGram':
      return node.of;
  }
};

/** Every distinct one with the terms that hold it. */
const placesOf = (experiment: Experiment, networks: readonly NetworkPart[]) => {
  const found = Object.entries(experiment.objective).flatMap(([term, root]) =>
    everyNode([{ path: [], node: root }]).flatMap(({ node }) =>
      isProduct(node) ? [{ term, node, expression: formula(node) }] : [],
    ),
  );
  return [...new Map(found.map(({ expression, node }) => [expression, node]))].flatMap(
    ([expression, node]) => {
      const net = networks.find(({ name }) => name === node.network.name);
      if (net === undefined) return [];
      const terms = found.filter((one) => one.expression === expression).map(({ term }) => term);
      const { input } = node.network;
      const outputs = net.layers.at(-1)?.outputs;
      const place: Place = {
        expression,
        terms: [...new Set(terms)],
        network: net.name,
        input,
        // An inverse gives what the network as it was written takes.
        output: node.network.inverts === undefined ? (outputs?.[node.output] ?? net.input) : net.input,
        flops: net.flops,
        probes: node.tag === 'volume' ? probeCount(node.probes) : probesOf(directionOf(node)),
      };
      return [{ node, place }];
    },
  );
};

/** What an experiment's objective asks of Jacobians. */
export const jacobianParts = (experiment: Experiment, networks: readonly NetworkPart[]): JacobianParts => {
  const places = placesOf(experiment, networks);
  return {
    jacobians: places.flatMap(({ node, place }): readonly ProductPart[] => {
      const [d, D] = [sizeOf(place.input), sizeOf(place.output)];
      if (node.tag === 'jvp') return [{ ...place, method: 'forward probe', exact: d, otherwise: D }];
      return node.tag === 'vjp' ? [{ ...place, method: 'reverse probe', exact: D, otherwise: d }] : [];
    }),
    volumes: places.flatMap(({ node, place }) => {
      if (node.tag !== 'volume') return [];
      const sizes = { d: sizeOf(place.input), D: sizeOf(place.output) };
      return [
        { ...place, asked: node.method, cost: volumeCost(sizes, node.method, place.probes, node.iterations) },
      ];
    }),
    systems: places.flatMap(({ node, place }) => {
      if (node.tag !== 'solveGram') return [];
      const cost = solveCost(sizeOf(place.input), node.iterations, place.probes);
      return [{ ...place, tolerance: node.tolerance, cost }];
    }),
  };
};
