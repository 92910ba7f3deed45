/** Random well-formed experiments: every layer, every expression, names used consistently; shapes need not fit. */
import { elementAt } from '../../dsl/lookup.js';
import fc from 'fast-check';
import type { Experiment } from '../../dsl/experiment.js';
import type { Node } from '../../dsl/expressions/expression.js';
import { isInvertible } from '../../dsl/layers/bijector.js';
import type { Layer } from '../../dsl/layers/layer.js';
import type { NetworkValue } from '../../dsl/network.js';
import { invert, outputNames } from '../../dsl/network.js';
import { optimizerWith } from './optimizer.js';
import { sizeOf } from '../../dsl/shape.js';
import {
  axes,
  finite,
  freeName,
  headsLayer,
  initializer,
  injection,
  innerLayer,
  invertibleLayer,
  name,
  named,
  offset,
  offsets,
  positive,
  size,
} from './layer.js';

const layers: fc.Arbitrary<readonly Layer[]> = fc
  .tuple(fc.array(innerLayer, { maxLength: 4 }), fc.option(headsLayer, { nil: undefined, freq: 2 }))
  .map(([inner, last]) => (last === undefined ? inner : [...inner, last]));

const flowLayers = fc.array(fc.oneof({ weight: 4, arbitrary: invertibleLayer }, injection), { maxLength: 3 });

const networkNamed = (its: string): fc.Arbitrary<NetworkValue> =>
  fc.record({ name: fc.constant(its), input: axes(6, 1), layers: fc.oneof(layers, flowLayers) });

/** A flow may be used either way round. */
const eitherWay = (net: NetworkValue): fc.Arbitrary<NetworkValue> =>
  fc.constantFrom(net, net.layers.every(isInvertible) ? invert(net) : net);

export const network: fc.Arbitrary<NetworkValue> = name.chain(networkNamed);

/** One value for each of several names. */
const distinct = <A>(
  of: (name: string, i: number) => fc.Arbitrary<A>,
  least = 1,
): fc.Arbitrary<readonly A[]> =>
  fc
    .uniqueArray(freeName, { minLength: least, maxLength: least + 2 })
    .chain((names) => fc.tuple(...names.map(of)));

type Draw = Extract<Node, { readonly tag: 'draw' }>;

const drawNamed = (its: string): fc.Arbitrary<Draw> =>
  axes(4).chain((shape): fc.Arbitrary<Draw> => {
    const common = { tag: fc.constant('draw' as const), name: fc.constant(its), shape: fc.constant(shape) };
    const free = fc.constantFrom<Draw['distribution']>('normal', 'sphere', 'rademacher', 'uniform');
    return fc.oneof(
      fc.record({ ...common, distribution: free }),
      fc.record({ ...common, distribution: free, probes: size }),
      fc.record({
        ...common,
        distribution: fc.constant('orthonormal' as const),
        probes: fc.integer({ min: 1, max: sizeOf(shape) }),
      }),
    );
  });

const hyperNamed = (its: string): fc.Arbitrary<Node> =>
  finite.map((value) => ({ tag: 'hyper', name: its, value }));

const parameterNamed = (its: string): fc.Arbitrary<Node> =>
  fc.record({ tag: fc.constant('parameter' as const), name: fc.constant(its), shape: axes(4), initializer });

const fieldNamed = (its: string): fc.Arbitrary<Node> =>
  fc.record({
    tag: fc.constant('field' as const),
    name: fc.constant(its),
    shape: axes(3),
    type: fc.constantFrom('integer' as const, 'float' as const),
  });

/** Updated from itself and a number. */
const runningNamed = (its: string): fc.Arbitrary<Node> =>
  fc.record({ initial: finite, value: finite }).map(({ initial, value }) => ({
    tag: 'running',
    name: its,
    initial,
    update: {
      tag: 'binary',
      op: 'add',
      left: { tag: 'running', name: its, initial },
      right: { tag: 'constant', value },
    },
  }));

const unaryOp = fc.constantFrom(
  ...([
    'neg',
    'exp',
    'log',
    'sqrt',
    'square',
    'abs',
    'sin',
    'cos',
    'atan',
    'relu',
    'elu',
    'tanh',
    'sigmoid',
    'softplus',
  ] as const),
  ...(['silu', 'gelu'] as const),
);
const binaryOp = fc.constantFrom(...(['add', 'sub', 'mul', 'max', 'min', 'pow', 'greater'] as const));

const keep = fc.integer({ min: 0, max: 3 });

/** Expressions over given networks and leaves. */
export const exprOver = (networks: readonly NetworkValue[], leaves: readonly Node[]): fc.Arbitrary<Node> =>
  fc.letrec<{ node: Node }>((tie) => {
    const node = tie('node');
    const onto = networks.filter(({ layers: all }) =>
      all.every((one) => isInvertible(one) && one.tag !== 'inject'),
    );
    const directions = leaves.filter((leaf) => leaf.tag === 'draw' && leaf.distribution !== 'uniform');
    const application = fc
      .constantFrom(...networks)
      .chain(eitherWay)
      .chain((net) =>
        fc.record({ network: fc.constant(net), output: fc.constantFrom(...outputNames(net)), at: node }),
      );
    return {
      node: fc.oneof(
        { maxDepth: 4, depthSize: 'small' },
        fc.constantFrom(...leaves),
        fc.record({ tag: fc.constant('data' as const), shape: axes(6, 1) }),
        finite.map((value): Node => ({ tag: 'constant', value })),
        fc.constant<Node>({ tag: 'step' }),
        fc.record({
          tag: fc.constant('sqNormOfWeights' as const),
          network: fc.constantFrom(...networks),
          only: fc.constantFrom('all' as const, 'kernels' as const),
        }),
        application.map((applied): Node => ({ tag: 'apply', ...applied })),
        fc.tuple(application, node).map(([applied, tangent]): Node => ({ tag: 'jvp', ...applied, tangent })),
        fc
          .tuple(application, node)
          .map(([applied, cotangent]): Node => ({ tag: 'vjp', ...applied, cotangent })),
        ...(onto.length === 0
          ? []
          : [
              fc
                .tuple(fc.constantFrom(...onto).chain(eitherWay), node)
                .map(([net, at]): Node => ({ tag: 'logDet', network: net, at })),
            ]),
        fc
          .tuple(
            application,
            node,
            fc.record({ iterations: size, tolerance: positive }, { requiredKeys: ['tolerance'] }),
          )
          .map(([applied, of, bounds]): Node => ({ tag: 'solveGram', ...applied, of, ...bounds })),
        ...(directions.length === 0
          ? []
          : [
              fc
                .tuple(
                  application,
                  fc.constantFrom(...directions),
                  fc.constantFrom('auto' as const, 'exact' as const, 'stochastic' as const),
                )
                .map(([applied, probes, method]): Node => ({ tag: 'volume', ...applied, method, probes })),
            ]),
        fc.record({ tag: fc.constant('basis' as const), shape: axes(4) }),
        fc.record({ tag: fc.constantFrom('gram' as const, 'logDetSPD' as const), of: node }),
        fc.record({ tag: fc.constant('stop' as const), of: node }),
        fc.record({ tag: fc.constant('unary' as const), op: unaryOp, of: node }),
        fc.record({ tag: fc.constant('binary' as const), op: binaryOp, left: node, right: node }),
        // A divisor that is never the number 0.
        fc.tuple(node, node).map(([left, of]): Node => ({
          tag: 'binary',
          op: 'div',
          left,
          right: { tag: 'unary', op: 'exp', of },
        })),
        fc.record({ tag: fc.constant('scale' as const), by: node, of: node }),
        fc.record({ tag: fc.constant('transpose' as const), of: node, permutation: offsets }),
        fc.record({ tag: fc.constant('broadcast' as const), of: node, shape: axes(6), axes: offsets }),
        fc.record({
          tag: fc.constant('reduce' as const),
          op: fc.constantFrom('add' as const, 'max' as const, 'min' as const, 'mul' as const),
          of: node,
          axes: offsets,
        }),
        fc.record({
          tag: fc.constant('contract' as const),
          subscripts: fc.constantFrom('ij,jk->ik', 'i,ij->j', 'hik,hjk->hij', 'i,j->ij'),
          left: node,
          right: node,
        }),
        fc.record({ tag: fc.constant('gather' as const), table: node, index: node }),
        fc.record({
          tag: fc.constant('band' as const),
          of: node,
          below: finite,
          diagonal: finite,
          above: finite,
        }),
        fc.record({ tag: fc.constant('batchMean' as const), of: node }),
        fc.record({ tag: fc.constant('another' as const), of: node, by: size }),
        fc.record({ tag: fc.constant('fill' as const), of: node, shape: axes(6) }),
        fc.record({ tag: fc.constant('sum' as const), of: node, keep }),
        fc.record({ tag: fc.constant('norm' as const), of: node, keep }),
        fc.record({ tag: fc.constant('select' as const), condition: node, then: node, otherwise: node }),
        fc.record({ tag: fc.constant('reshape' as const), of: node, shape: axes(6) }),
        fc.record({ tag: fc.constant('slice' as const), of: node, begin: offsets, size: axes(6) }),
        fc.record({
          tag: fc.constant('concat' as const),
          of: fc.array(node, { minLength: 1, maxLength: 3 }),
          axis: offset,
        }),
        fc.record({ tag: fc.constant('pad' as const), of: node, before: offsets, after: offsets }),
      ),
    };
  }).node;

const networks = distinct(networkNamed);

const leaves = fc
  .tuple(
    distinct<Node>(hyperNamed),
    distinct<Node>(
      (its, i) => elementAt([drawNamed, parameterNamed, runningNamed, fieldNamed], i % 4)(its),
      4,
    ),
  )
  .map((kinds) => kinds.flat());

/** One expression over networks and leaves of its own. */
export const expr: fc.Arbitrary<Node> = fc
  .tuple(networks, leaves)
  .chain(([nets, nodes]) => exprOver(nets, nodes));

export const experiment: fc.Arbitrary<Experiment> = fc
  .tuple(networks, leaves, fc.boolean())
  .chain(([nets, nodes, densities]) => {
    const node = exprOver(nets, nodes);
    const exact = exprOver(
      nets,
      nodes.filter(({ tag }) => tag !== 'draw'),
    );
    return fc.record({
      encoder: fc.constantFrom(...nets).chain(eitherWay),
      decoder: fc.constantFrom(...nets).chain(eitherWay),
      objective: named(node, 3),
      ...(densities ? { logDensity: exact } : {}),
      optimizer: optimizerWith(node),
      batch: size,
      steps: size,
      data: fc.string({ minLength: 1 }),
      validation: fc.record({ every: offset }),
    });
  });
