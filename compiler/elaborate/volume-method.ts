/** Which way a volume is computed: what the user said, or what costs less. */
import {
  exactVolume,
  probeCount,
  surrogateSystem,
  surrogateVolume,
  type VolumeNode,
} from '../../dsl/expressions/volume.js';
import { volumeCost } from '../costs/jacobian-cost.js';
import { mul, sumAll, times, unary } from '../ir/operations.js';
import type { Var } from '../ir/program.js';
import { sizeOfShape } from '../ir/type.js';
import { type Application, type Context, type Elaborate, fail } from './context.js';
import { jvpAt, solveGramAt } from './network.js';

const outputShape = (node: VolumeNode, { outputs }: Application): readonly number[] =>
  outputs.get(node.output)?.type.shape ?? [];

const costAt = (node: VolumeNode, application: Application) => {
  const d = sizeOfShape(application.at.type.shape);
  const D = sizeOfShape(outputShape(node, application));
  return { d, D, ...volumeCost({ d, D }, node.method, probeCount(node.probes), node.iterations) };
};

/** Whether a training step has the surrogate in its place. */
export const isSurrogate = (node: VolumeNode, application: Application): boolean =>
  node.probes !== undefined && costAt(node, application).chosen === 'stochastic';

/**
 * Instead of the volume, for its gradient: ½·mean over the probes ε of ‖J·stop(w)‖², w = L⁻ᵀ·ε with JᵀJ = L·Lᵀ, where all columns of J are
 * had for less than conjugate gradients cost. E wwᵀ = (JᵀJ)⁻¹, so its expected gradient is the exact one; its variance is that of
 * εᵀ·L⁻¹·d(JᵀJ)·L⁻ᵀ·ε, which does not grow with the condition of JᵀJ. That of εᵀ·(JᵀJ)⁻¹·d(JᵀJ)·ε, all that conjugate gradients allow, does.
 */
export const surrogateAt = (
  context: Context,
  elaborate: Elaborate,
  node: VolumeNode,
  application: Application,
  path: string,
): Var | null => {
  if (node.probes === undefined) return null;
  const { stochastic } = costAt(node, application);
  if (stochastic?.solve.chosen !== 'factor') return elaborate(surrogateVolume(node, node.probes), path);
  const probes = elaborate(node.probes, `${path}.probes`);
  if (probes === null) return null;
  const { emit } = context.builder;
  const system = { ...surrogateSystem(node, node.probes), gives: 'root' as const };
  const w = solveGramAt(context, system, application, probes, path);
  const held = w && unary(emit, 'stop', w);
  const product = held && jvpAt(context, node.network, application, node.output, held, path);
  return product && times(emit, sumAll(emit, mul(emit, product, product)), 0.5 / probeCount(node.probes));
};

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
