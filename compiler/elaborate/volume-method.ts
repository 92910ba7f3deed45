/** Which way a volume is computed: what the user said, or what costs less. */
import { getFrom } from '../../dsl/lookup.js';
import { exactVolume, probeCount, type VolumeNode } from '../../dsl/expressions/volume.js';
import { volumeCost } from '../costs/jacobian-cost.js';
import type { Var } from '../ir/program.js';
import { sizeOfShape } from '../ir/type.js';
import { type Application, type Context, type Elaborate, fail } from './context.js';
import { surrogateAt } from './surrogate.js';

const outputShape = (node: VolumeNode, { outputs }: Application): readonly number[] =>
  getFrom(outputs, node.output).type.shape;

const costAt = (node: VolumeNode, application: Application) => {
  const d = sizeOfShape(application.at.type.shape);
  const D = sizeOfShape(outputShape(node, application));
  return { d, D, ...volumeCost({ d, D }, node.method, probeCount(node.probes), node.iterations) };
};

/** Whether a training step has the surrogate in its place. */
export const isSurrogate = (node: VolumeNode, application: Application): boolean =>
  node.probes !== undefined && costAt(node, application).chosen === 'stochastic';

/** What a volume stands for; outside training it is the exact one. */
export const volumeAt = (
  context: Context,
  elaborate: Elaborate,
  node: VolumeNode,
  application: Application,
  path: string,
): Var | null => {
  const { by, d, D } = costAt(node, application);
  if (by === 'rows' && node.method === 'stochastic')
    return fail(
      context,
      `${path}.method`,
      `"stochastic" for a network from ${d} to ${D} numbers`,
      '"exact": with more inputs than outputs JᵀJ has no inverse',
    );
  if (context.mode === 'train' && node.probes !== undefined && isSurrogate(node, application)) {
    context.surrogates.add(node);
    return surrogateAt(context, elaborate, node, application, path);
  }
  const shape = by === 'columns' ? application.at.type.shape : outputShape(node, application);
  return elaborate(exactVolume(node, by, shape), path);
};
