/** What a training step has in the place of a volume, for its gradient: by all columns of J and their factor, or by conjugate gradients. */
import { probeCount, surrogateSystem, type VolumeNode } from '../../dsl/expressions/volume.js';
import { solveCost } from '../costs/jacobian-cost.js';
import { binary, constantLike, div, joined, mul, sumAll, times, unary } from '../ir/operations.js';
import type { Var } from '../ir/program.js';
import { sizeOfShape } from '../ir/type.js';
import type { Application, Context, Elaborate } from './context.js';
import { jvpAt, solveGramAt } from './network.js';

/**
 * How many times as long as the gradient by the root that by a pair may be, judged by its factors: it is about there where J's condition
 * is a hundred.
 */
const GREATEST = 20;

/**
 * ½·mean over the probes ε of ⟨J·stop(u), J·ε⟩, u = (JᵀJ)⁻¹ε by conjugate gradients. Its gradient is by products of J·u with ε and of u with J·ε; by
 * the root w of variance as small as can be they would be J·w, as long as ε, with w, as long as J·u. So ρ = ‖u‖‖Jε‖/(‖ε‖‖Ju‖) says how many
 * times as long a pair's is: 1 where J is an isometry, and more the worse its condition. A pair with ρ above `GREATEST` is made smaller by as
 * much, and counted; where none is, the expected gradient is the exact one.
 */
const pairAt = (
  context: Context,
  node: VolumeNode,
  application: Application,
  probes: Var,
  solution: Var,
  path: string,
): Var | null => {
  const { emit } = context.builder;
  const keep = probes.type.shape.length - application.at.type.shape.length;
  const u = unary(emit, 'stop', solution);
  const left = jvpAt(context, node.network, application, node.output, u, path);
  const right = jvpAt(context, node.network, application, node.output, probes, path);
  if (left === null || right === null) return null;
  const length = (x: Var): Var => {
    const held = unary(emit, 'stop', x);
    return unary(emit, 'sqrt', sumAll(emit, mul(emit, held, held), keep));
  };
  const [above, below] = [mul(emit, length(u), length(right)), mul(emit, length(probes), length(left))];
  const ratio = emit('divNoNan', {}, joined(emit, [above, below]));
  const limit = constantLike(emit, GREATEST, ratio.type);
  if (context.mode === 'train')
    context.guards.push({ name: 'bounded', acts: binary(emit, 'greater', ratio, limit) });
  const smaller = unary(emit, 'stop', div(emit, limit, binary(emit, 'max', ratio, limit)));
  const products = mul(emit, smaller, sumAll(emit, mul(emit, left, right), keep));
  return times(emit, sumAll(emit, products), 0.5 / probeCount(node.probes));
};

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
  const probes = elaborate(node.probes, `${path}.probes`);
  if (probes === null) return null;
  const { emit } = context.builder;
  const d = sizeOfShape(application.at.type.shape);
  const byFactor = solveCost(d, node.iterations, probeCount(node.probes)).chosen === 'factor';
  const system = surrogateSystem(node, node.probes);
  const asked = byFactor ? { ...system, gives: 'root' as const } : system;
  const solution = solveGramAt(context, asked, application, probes, path);
  if (solution === null) return null;
  if (!byFactor) return pairAt(context, node, application, probes, solution, path);
  const w = unary(emit, 'stop', solution);
  const product = jvpAt(context, node.network, application, node.output, w, path);
  return product && times(emit, sumAll(emit, mul(emit, product, product)), 0.5 / probeCount(node.probes));
};
