/** Conditions between the fields of an expression. */
import { isInvertible } from '../layers/bijector.js';
import type { NetworkValue, Node } from '../grammar.js';
import { outputNames } from '../network.js';
import { didYouMean } from '../problem.js';
import { sizeOf } from '../shape.js';
import type { Issue } from './codec.js';
import type { Conditions } from './node.js';

/** The output of an application is one that its network has. */
const outputIssues = (
  { network, output }: { readonly network: NetworkValue; readonly output: string },
  raw: Readonly<Record<string, unknown>>,
): readonly Issue[] => {
  const known = outputNames(network);
  if (known.includes(output)) return [];
  const expected = known[0] === '' ? `"", the only output of ${network.name}` : `one of ${known.join(', ')}`;
  return [{ key: 'output', found: raw.output, expected, hint: didYouMean(output, known) }];
};

type Volume = Extract<Node, { readonly tag: 'volume' }>;

const probeIssues = ({ method, probes }: Volume): readonly Issue[] => {
  if (probes === undefined) {
    const expected = 'the probes of a stochastic volume';
    return method === 'stochastic' ? [{ key: 'probes', found: undefined, expected }] : [];
  }
  if (probes.tag === 'draw' && probes.distribution !== 'uniform') return [];
  return [
    {
      key: 'probes',
      found: probes.tag === 'draw' ? probes.distribution : probes.tag,
      expected: 'a draw from normal, sphere, rademacher or orthonormal, whose E εεᵀ is I',
    },
  ];
};

export const expressionConditions: Conditions<Node> = {
  // An orthonormal frame has k ≤ d probes; other draws may have any number, or none.
  draw: ({ distribution, probes, shape }) =>
    distribution !== 'orthonormal' || (probes !== undefined && probes <= sizeOf(shape))
      ? []
      : [
          {
            key: 'probes',
            found: probes,
            expected: `a number of probes from 1 to ${sizeOf(shape)}, the number of orthogonal directions`,
          },
        ],
  apply: outputIssues,
  jvp: outputIssues,
  vjp: outputIssues,
  solveGram: outputIssues,
  volume: (node, raw) => {
    const outputs = outputIssues(node, raw);
    return outputs.length > 0 ? outputs : probeIssues(node);
  },
  logDet: ({ network }) => {
    const obstacle = network.layers.find((layer) => !isInvertible(layer) || layer.tag === 'inject');
    return obstacle === undefined
      ? []
      : [
          {
            key: 'network',
            found: `${network.name}, which has ${obstacle.tag}`,
            expected: 'a network of layers that have an inverse on both sides',
            hint: 'the volume of an injection is a property of its Jacobian, not of its layers',
          },
        ];
  },
};
