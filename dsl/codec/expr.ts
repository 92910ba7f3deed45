/** Expressions, given the codec of the networks in them: whole values, or names that refer to a table. */
import * as t from 'io-ts/lib/index.js';
import { isInvertible } from '../layers/bijector.js';
import type { DistributionName } from '../expressions/draw.js';
import type { BinaryOp, Node, UnaryOp, VolumeMethod } from '../expressions/expression.js';
import type { NetworkValue } from '../network.js';
import { outputNames } from '../network.js';
import { didYouMean } from '../problem.js';
import { sizeOf } from '../shape.js';
import type { Codec, Rows } from './codec.js';
import { checked, list, mapped, oneOf, optional, remembered, struct, tagged, withDefault } from './codec.js';
import { initializerCodec } from './initializer.js';
import {
  anyString,
  finite,
  name as nameCodec,
  nonNegative,
  nonNegativeInteger,
  positiveInteger,
} from './primitive.js';
import { exampleShapeCodec, offsetsCodec, shapeCodec } from './shape.js';

const name = 'an expression';

const distribution: Codec<DistributionName> = oneOf(
  'normal',
  'sphere',
  'rademacher',
  'uniform',
  'orthonormal',
);

const unaryOp: Codec<UnaryOp> = oneOf(
  'neg',
  'exp',
  'log',
  'sqrt',
  'square',
  'abs',
  'relu',
  'elu',
  'tanh',
  'sigmoid',
  'softplus',
  'silu',
  'gelu',
);

const binaryOp: Codec<BinaryOp> = oneOf('add', 'sub', 'mul', 'div', 'max', 'min', 'pow', 'greater');

type Running = Extract<Node, { readonly tag: 'running' }>;
type Solve = Extract<Node, { readonly tag: 'solveGram' }>;
type Volume = Extract<Node, { readonly tag: 'volume' }>;
type Draw = Extract<Node, { readonly tag: 'draw' }>;

/** An orthonormal frame has k ≤ d probes; other draws may have any number, or none. */
export const drawCodec: Codec<Draw> = checked(
  mapped(
    struct(name, {
      tag: t.literal('draw'),
      name: nameCodec,
      distribution,
      shape: shapeCodec,
      probes: optional(positiveInteger),
    }),
    ({ probes, ...rest }): Draw => (probes === undefined ? rest : { ...rest, probes }),
    (draw) => ({ probes: undefined, ...draw }),
  ),
  (draw) =>
    draw.distribution !== 'orthonormal' || (draw.probes !== undefined && draw.probes <= sizeOf(draw.shape))
      ? []
      : [
          {
            key: 'probes',
            found: draw.probes,
            expected: `a number of probes from 1 to ${sizeOf(draw.shape)}, the number of orthogonal directions`,
          },
        ],
);

/** The output of an application is one that its network has. */
const withOutput = <A extends { readonly network: NetworkValue; readonly output: string }>(
  of: Codec<A>,
): Codec<A> =>
  checked(of, ({ network, output }, raw) => {
    const known = outputNames(network);
    return known.includes(output)
      ? []
      : [
          {
            key: 'output',
            found: raw.output,
            expected:
              known[0] === '' ? `"", the only output of ${network.name}` : `one of ${known.join(', ')}`,
            hint: didYouMean(output, known),
          },
        ];
  });

const rowsWith = (network: Codec<NetworkValue>, node: Codec<Node>): Rows<Node> => {
  const output = withDefault(anyString, '');
  return {
    data: struct(name, { tag: t.literal('data'), shape: exampleShapeCodec }),
    constant: struct(name, { tag: t.literal('constant'), value: finite }),
    hyper: struct(name, { tag: t.literal('hyper'), name: nameCodec, value: finite }),
    step: struct(name, { tag: t.literal('step') }),
    draw: drawCodec,
    parameter: struct(name, {
      tag: t.literal('parameter'),
      name: nameCodec,
      shape: shapeCodec,
      initializer: initializerCodec,
    }),
    running: mapped(
      struct(name, {
        tag: t.literal('running'),
        name: nameCodec,
        initial: finite,
        update: optional(node),
      }),
      ({ update, ...rest }): Running => (update === undefined ? rest : { ...rest, update }),
      (value) => ({ update: undefined, ...value }),
    ),
    sqNormOfWeights: struct(name, {
      tag: t.literal('sqNormOfWeights'),
      network,
      only: withDefault<'all' | 'kernels'>(oneOf('all', 'kernels'), 'all'),
    }),
    apply: withOutput(struct(name, { tag: t.literal('apply'), network, at: node, output })),
    jvp: withOutput(struct(name, { tag: t.literal('jvp'), network, at: node, tangent: node, output })),
    vjp: withOutput(struct(name, { tag: t.literal('vjp'), network, at: node, cotangent: node, output })),
    logDet: checked(struct(name, { tag: t.literal('logDet'), network, at: node }), ({ network: net }) =>
      net.layers.every((layer) => isInvertible(layer) && layer.tag !== 'inject')
        ? []
        : [
            {
              key: 'network',
              found: `${net.name}, which has ${net.layers.find((l) => !isInvertible(l) || l.tag === 'inject')?.tag}`,
              expected: 'a network of layers that have an inverse on both sides',
              hint: 'the volume of an injection is a property of its Jacobian, not of its layers',
            },
          ],
    ),
    stop: struct(name, { tag: t.literal('stop'), of: node }),
    unary: struct(name, { tag: t.literal('unary'), op: unaryOp, of: node }),
    binary: struct(name, { tag: t.literal('binary'), op: binaryOp, left: node, right: node }),
    scale: struct(name, { tag: t.literal('scale'), by: node, of: node }),
    fill: struct(name, { tag: t.literal('fill'), of: node, shape: shapeCodec }),
    sum: struct(name, { tag: t.literal('sum'), of: node, keep: withDefault(nonNegativeInteger, 0) }),
    norm: struct(name, { tag: t.literal('norm'), of: node, keep: withDefault(nonNegativeInteger, 0) }),
    select: struct(name, { tag: t.literal('select'), condition: node, then: node, otherwise: node }),
    reshape: struct(name, { tag: t.literal('reshape'), of: node, shape: shapeCodec }),
    slice: struct(name, { tag: t.literal('slice'), of: node, begin: offsetsCodec, size: shapeCodec }),
    concat: struct(name, {
      tag: t.literal('concat'),
      of: list('an array of at least one expression', () => node, 1),
      axis: withDefault(nonNegativeInteger, 0),
    }),
    pad: struct(name, { tag: t.literal('pad'), of: node, before: offsetsCodec, after: offsetsCodec }),
    basis: struct(name, { tag: t.literal('basis'), shape: shapeCodec }),
    gram: struct(name, { tag: t.literal('gram'), of: node }),
    logDetSPD: struct(name, { tag: t.literal('logDetSPD'), of: node }),
    solveGram: withOutput(
      mapped(
        struct(name, {
          tag: t.literal('solveGram'),
          network,
          at: node,
          of: node,
          output,
          iterations: optional(positiveInteger),
          tolerance: withDefault(nonNegative, 1e-6),
        }),
        ({ iterations, ...rest }): Solve => (iterations === undefined ? rest : { ...rest, iterations }),
        (solve) => ({ iterations: undefined, ...solve }),
      ),
    ),
    volume: checked(
      withOutput(
        mapped(
          struct(name, {
            tag: t.literal('volume'),
            network,
            at: node,
            output,
            method: withDefault<VolumeMethod>(oneOf('auto', 'exact', 'stochastic'), 'auto'),
            probes: optional(node),
            iterations: optional(positiveInteger),
          }),
          ({ iterations, probes, ...rest }): Volume => ({
            ...rest,
            ...(probes === undefined ? {} : { probes }),
            ...(iterations === undefined ? {} : { iterations }),
          }),
          (volume) => ({ iterations: undefined, probes: undefined, ...volume }),
        ),
      ),
      ({ method, probes }) =>
        probes === undefined
          ? method === 'stochastic'
            ? [{ key: 'probes', found: undefined, expected: 'the probes of a stochastic volume' }]
            : []
          : probes.tag === 'draw' && probes.distribution !== 'uniform'
            ? []
            : [
                {
                  key: 'probes',
                  found: probes.tag === 'draw' ? probes.distribution : probes.tag,
                  expected: 'a draw from normal, sphere, rademacher or orthonormal, whose E εεᵀ is I',
                },
              ],
    ),
  };
};

/** For one value: remembers the nodes it has seen. */
export const exprCodec = (network: Codec<NetworkValue>): Codec<Node> =>
  t.recursion<Node, unknown, unknown>(name, (self) =>
    remembered(tagged<Node>(name, rowsWith(network, self))),
  );
