/** How well a step's estimates are estimated: what its solutions with JᵀJ leave over, and the angle between a surrogate's gradient and the exact one. */
import { elementAt } from '../../dsl/lookup.js';
import { dataShapeOf } from '../../dsl/data-shape.js';
import type { Experiment } from '../../dsl/experiment.js';
import type { Node } from '../../dsl/expressions/expression.js';
import { everyNode } from '../../dsl/expressions/rewrite.js';
import { placesIn, type SolveNode, surrogateSystem, type VolumeNode } from '../../dsl/expressions/volume.js';
import { solveCost } from '../costs/jacobian-cost.js';
import { add, atRows, constantLike, div, mul, sumAll, unary } from '../ir/operations.js';
import type { Output, Var } from '../ir/program.js';
import { pullBack } from '../derivatives/reverse.js';
import { sizeOfShape } from '../ir/type.js';
import { type Context, createContext, type Elaborate } from './context.js';
import { createElaborate } from './expression.js';
import { applicationAt, solveGramAt } from './network.js';
import { type Elaborated, programOf } from './program.js';
import { surrogateAt } from './surrogate.js';
import { isSurrogate, volumeAt } from './volume-method.js';

type Figure = readonly [string, Var];

/** A system with JᵀJ that a step solves, and the volume that it is solved for. */
type System = { readonly name: string; readonly solve: SolveNode; readonly volume?: VolumeNode };

/** Over all numbers of all examples, however many: they are counted by the program. */
const mean = ({ builder: { emit } }: Context, x: Var): Var => {
  const all = sumAll(emit, emit('sumBatch', {}, [atRows(emit, 1, x)]));
  const count = emit('sumBatch', {}, [constantLike(emit, sizeOfShape(x.type.shape), { rows: 1, shape: [] })]);
  return div(emit, all, count);
};

/** ‖b − JᵀJ·u‖/‖b‖, and the rounds that conjugate gradients took to it. */
const systemFigures = (
  context: Context,
  elaborate: Elaborate,
  { name, solve }: System,
): readonly Figure[] => {
  const { network, of, output, iterations } = solve;
  const b = elaborate(of, name);
  const application = applicationAt(context, elaborate, solve, name);
  if (b === null || application === null) return [];
  const keep = b.type.shape.length - application.at.type.shape.length;
  const product: Node = { tag: 'jvp', network, ...placesIn(solve), tangent: solve, output };
  const back: Node = { tag: 'vjp', network, ...placesIn(solve), cotangent: product, output };
  const left: Node = { tag: 'norm', of: { tag: 'binary', op: 'sub', left: of, right: back }, keep };
  const relative: Node = { tag: 'binary', op: 'div', left, right: { tag: 'norm', of, keep } };
  const residual = elaborate(relative, name);
  const d = sizeOfShape(application.at.type.shape);
  const { chosen } = solveCost(d, iterations, sizeOfShape(b.type.shape) / d);
  const rounds =
    chosen === 'factor' ? null : solveGramAt(context, { ...solve, gives: 'rounds' }, application, b, name);
  return [
    ...(residual === null ? [] : [[`${name}/residual`, mean(context, residual)] as const]),
    ...(rounds === null ? [] : [[`${name}/rounds`, mean(context, rounds)] as const]),
  ];
};

/** ⟨a, b⟩/(‖a‖·‖b‖) of two gradients of all parameters; 0 where either is 0. */
const cosine = ({ builder }: Context, of: readonly [Var, Var]): Var => {
  const { emit } = builder;
  const parameters = builder.binders().filter(({ kind }) => kind === 'parameter');
  const gradientOf = (loss: Var): readonly (Var | null)[] => {
    const one = constantLike(emit, 1, loss.type);
    return pullBack(
      builder,
      parameters.map((p) => p.var),
      [loss],
      [one],
      false,
    );
  };
  const [a, b] = [gradientOf(of[0]), gradientOf(of[1])];
  const dot = (u: typeof a, v: typeof b): Var =>
    u.reduce<Var>(
      (sum, x, i) => {
        const y = elementAt(v, i);
        return x === null || y === null ? sum : add(emit, sum, sumAll(emit, mul(emit, x, y)));
      },
      constantLike(emit, 0, of[0].type),
    );
  const norms = mul(emit, unary(emit, 'sqrt', dot(a, a)), unary(emit, 'sqrt', dot(b, b)));
  return emit('divNoNan', {}, [dot(a, b), norms]);
};

const volumeFigures = (
  context: Context,
  elaborate: Elaborate,
  { name, volume }: System,
): readonly Figure[] => {
  if (volume?.probes === undefined) return [];
  const application = applicationAt(context, elaborate, volume, name);
  const exact = application && volumeAt(context, elaborate, volume, application, name);
  const surrogate = application && surrogateAt(context, elaborate, volume, application, name);
  if (exact === null || surrogate === null) return [];
  return [[`${name}/cosine`, cosine(context, [mean(context, surrogate), mean(context, exact)])]];
};

/** Every system of an objective, under the name of its term, with a number after it where that has several. */
const systemsOf = (context: Context, elaborate: Elaborate, experiment: Experiment): readonly System[] =>
  Object.entries(experiment.objective).flatMap(([term, root]) => {
    const nodes = new Set(everyNode([{ path: [], node: root }]).map(({ node }) => node));
    const found = [...nodes].flatMap((node): readonly Omit<System, 'name'>[] => {
      if (node.tag === 'solveGram') return [{ solve: node }];
      if (node.tag !== 'volume' || node.probes === undefined) return [];
      const application = applicationAt(context, elaborate, node, term);
      return application !== null && isSurrogate(node, application)
        ? [{ solve: surrogateSystem(node, node.probes), volume: node }]
        : [];
    });
    return found.map((system, i) => ({ ...system, name: found.length === 1 ? term : `${term} ${i + 1}` }));
  });

/**
 * Outputs, each one number: of every system `TERM/residual` and, where conjugate gradients solve it, `TERM/rounds`, both means over
 * probes and examples; of every surrogate `TERM/cosine`, of the angle between its gradient and the exact one, each the mean over the
 * examples. As in evaluation, running statistics are used and dropout is off. For any number of
 * examples. Undefined where a step solves nothing.
 */
export const elaborateDiagnosis = (experiment: Experiment): Elaborated | undefined => {
  const context = createContext(createElaborate, 'inference', 1, dataShapeOf(experiment));
  const elaborate = createElaborate(context);
  const systems = systemsOf(context, elaborate, experiment);
  if (systems.length === 0) return undefined;
  const figures = systems.flatMap((system) => [
    ...systemFigures(context, elaborate, system),
    ...volumeFigures(context, elaborate, system),
  ]);
  const outputs = figures.map(([name, x]): Output => ({ kind: 'value', name, var: x }));
  return { program: programOf(context, 'diagnose', outputs), context };
};
