/**
 * What an experiment makes of its data, read off its objective: codes and reconstructions also where the encoder takes a part of an example, or
 * more than two networks are between an example and its reconstruction.
 */
import { type Either, isLeft, left, map } from 'fp-ts/lib/Either.js';
import type { Dataset } from '../../data/index.js';
import { children, nodesOf } from '../../dsl/expressions/rewrite.js';
import {
  everyNode,
  type Experiment,
  networksOf,
  type Node,
  type Problem,
  problem,
  sameShape,
} from '../../dsl/index.js';
import { attempt } from '../../backends/failure.js';
import { evaluateExpressions, type Fitted, type Values } from '../../runs/index.js';

type Checked<A> = Either<readonly Problem[], A>;

/** Of the data alone: no network and no draw. */
const isPlain = (node: Node): boolean =>
  node.tag === 'data' ||
  (['slice', 'reshape', 'concat', 'pad'].includes(node.tag) && children(node).every(isPlain));

const hasNetwork = (node: Node): boolean => node.tag === 'apply' || children(node).some(hasNetwork);

/** Two sides of a difference: what was to be reconstructed, and what was made of it. */
export type Passage = { readonly target: Node; readonly reconstruction: Node };

/** The two sides of ‖x − x̂‖² in a term. */
const passageIn = (node: Node): Passage | undefined => {
  if (node.tag !== 'sum' || node.of.tag !== 'unary' || node.of.op !== 'square') return undefined;
  const difference = node.of.of;
  if (difference.tag !== 'binary' || difference.op !== 'sub') return undefined;
  const { left: a, right: b } = difference;
  if (isPlain(a) && hasNetwork(b)) return { target: a, reconstruction: b };
  return isPlain(b) && hasNetwork(a) ? { target: b, reconstruction: a } : undefined;
};

/** The first squared error of a term; undefined for an objective without one. */
export const passageOf = ({ objective }: Experiment): Passage | undefined =>
  everyNode(Object.entries(objective).map(([term, node]) => ({ path: [term], node })))
    .map(({ node }) => passageIn(node))
    .find((passage) => passage !== undefined);

/** Whether an example goes through the encoder, and its code through the decoder, and nothing else is trained. */
const isDirect = (experiment: Experiment, set: Dataset): boolean => {
  const networks = networksOf(experiment);
  return sameShape(set.shape, experiment.encoder.input) && !isLeft(networks) && networks.right.size <= 2;
};

export type Reconstructed = {
  readonly shape: readonly number[];
  readonly targets: Float32Array;
  readonly reconstructions: Float32Array;
};

/** Of every example of a set; on the left why there are none. */
export const reconstructed = async (model: Fitted, set: Dataset): Promise<Checked<Reconstructed>> => {
  const { experiment } = model;
  if (isDirect(experiment, set))
    return map((reconstructions: Float32Array): Reconstructed => ({
      shape: set.shape,
      targets: set.examples,
      reconstructions,
    }))(await attempt(() => model.reconstruct(set)));
  const passage = passageOf(experiment);
  if (passage === undefined)
    return left([
      problem('objective', 'no squared error', 'a term ‖x − x̂‖² that says what is reconstructed'),
    ]);
  const values = await evaluateExpressions(model, passage, set);
  return map(({ target, reconstruction }: Readonly<Record<keyof Passage, Values>>): Reconstructed => ({
    shape: reconstruction.shape,
    targets: target.values,
    reconstructions: reconstruction.values,
  }))(values);
};

/** The codes of a set, [n, d]. */
export const encoded = async (model: Fitted, set: Dataset): Promise<Checked<Float32Array>> => {
  const { encoder } = model.experiment;
  if (sameShape(set.shape, encoder.input)) return attempt(() => model.encode(set));
  const code = everyNode(nodesOf(model.experiment))
    .map(({ node }) => node)
    .find((node) => node.tag === 'apply' && node.network.name === encoder.name && isPlain(node.at));
  if (code === undefined)
    return left([
      problem('objective', 'no code of an example', 'a term that applies the encoder to the data'),
    ]);
  return map(({ codes }: { readonly codes: Values }) => codes.values)(
    await evaluateExpressions(model, { codes: code }, set),
  );
};

/** Mean of ‖x − x̂‖². */
export const errorOf = ({ shape, targets, reconstructions }: Reconstructed): number => {
  const size = shape.reduce((product, n) => product * n, 1);
  const total = targets.reduce((sum, x, i) => sum + (x - (reconstructions[i] ?? NaN)) ** 2, 0);
  return total / Math.max(1, targets.length / size);
};

/** A value, or what is said in its place. */
export const orNothing = <A>(either: Checked<A>): A | undefined =>
  isLeft(either) ? undefined : either.right;
