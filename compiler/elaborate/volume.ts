/** Which way a volume is computed: what the user said, or what costs less. */
import type { Node } from '../../dsl/expr.js';
import { exactVolume, probeCount, surrogateVolume } from '../../dsl/volume.js';
import { volumeCost } from '../jacobian-cost.js';
import { sizeOfShape } from '../type.js';
import { type Application, type Context, fail } from './context.js';

/** The expression that a volume stands for; outside training it is the exact one. */
export const expandVolume = (
  context: Context,
  node: Extract<Node, { readonly tag: 'volume' }>,
  { at, outputs }: Application,
  path: string,
): Node | null => {
  const output = outputs.get(node.output)?.type.shape ?? [];
  const sizes = { d: sizeOfShape(at.type.shape), D: sizeOfShape(output) };
  const { by, chosen } = volumeCost(sizes, node.method, probeCount(node.probes), node.iterations);
  if (by === 'rows' && node.method === 'stochastic')
    return fail(
      context,
      `${path}.method`,
      `"stochastic" for a network from ${sizes.d} to ${sizes.D} numbers`,
      '"exact": with more inputs than outputs JᵀJ has no inverse',
    );
  return context.mode === 'inference' || chosen === 'exact' || node.probes === undefined
    ? exactVolume(node, by, by === 'columns' ? at.type.shape : output)
    : surrogateVolume(node, node.probes);
};
