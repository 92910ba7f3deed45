/** Random experiments that compile: objectives over random networks, with every kind of expression and every optimizer. */
import type fc from 'fast-check';
import type { Experiment, Objective } from '../../dsl/experiment.js';
import { constant } from '../../dsl/expressions/expression.js';
import { schedule } from '../../dsl/expressions/schedule.js';
import type { Layer } from '../../dsl/grammar.js';
import {
  accumulate,
  averaged,
  chain,
  clipBlock,
  clipNorm,
  clipValue,
  lookahead,
  momentum,
  only,
  type Optimizer,
  scaleByAdam,
  scaleByBlock,
  scaleByFactoredRms,
  scaleByLion,
  scaleByRate,
  scaleByRms,
  scaleByRss,
  scaleUpdate,
  type Update,
  weightDecay,
} from '../../dsl/update.js';
import type { Shape } from '../../dsl/shape.js';
import { expressionsOver } from './expression.js';
import { everything, headedNetwork, type Kit, networkBetween } from './network.js';
import { fromTape, type Tape } from './tape.js';

const updateFrom = (tape: Tape): Update =>
  tape.pick<() => Update>([
    () => scaleByAdam({ beta1: tape.pick([0.9, 0]), epsilon: 0.01, nesterov: tape.below(3) === 2 }),
    () => momentum(tape.pick([0, 0.9]), { nesterov: tape.below(2) === 1 }),
    () => scaleByRms({ epsilon: 0.01, centered: false }),
    () => scaleByRss({ epsilon: 0.01 }),
    () => scaleByLion(),
    () => scaleByFactoredRms({ epsilon: 0.01, least: 2 }),
  ])();

/** What may come before or after an update. */
const beside = (tape: Tape): readonly Update[] =>
  tape.pick<() => readonly Update[]>([
    () => [],
    () => [],
    () => [clipNorm(1)],
    () => [clipValue(0.5), weightDecay(schedule.linear(0, 0.01, 5))],
    () => [only('**', scaleUpdate(0.5)), scaleByBlock(0.1)],
    () => [clipBlock(1)],
  ])();

const optimizerFrom = (tape: Tape): Optimizer => {
  const rate = tape.pick([constant(0.01), schedule.exponential(0.1, 50), schedule.warmUp(10, 0.01)]);
  const plain = chain(...beside(tape), updateFrom(tape), ...beside(tape), scaleByRate(rate));
  const around: readonly ((optimizer: Optimizer) => Optimizer)[] = [
    (optimizer) => optimizer,
    (optimizer) => optimizer,
    (optimizer) => accumulate(2, optimizer),
    (optimizer) => lookahead(optimizer, { period: 2 }),
    (optimizer) => averaged(optimizer, { decay: 0.5 }),
  ];
  return tape.pick(around)(plain);
};

const normalises = (layers: readonly Layer[]): boolean =>
  layers.some((layer) => layer.tag === 'batchNorm' || (layer.tag === 'residual' && normalises(layer.layers)));

const experimentFrom =
  (kit: Kit, batchSizes: readonly number[]) =>
  (tape: Tape): Experiment => {
    const shape = tape.pick<Shape>([[3], [2, 2, 1], [4], [3, 4, 1], [2, 3, 2]]);
    const code = [1 + tape.below(3)];
    const terms = 1 + tape.below(3);
    const encoderOf = tape.below(4) === 0 ? headedNetwork : networkBetween;
    const encoder = encoderOf(tape, kit, 'encoder', shape, code, 4);
    const decoder = networkBetween(tape, kit, 'decoder', code, shape, 4);
    const { scalar } = expressionsOver(tape, { encoder, decoder, data: shape, code }, kit);
    const objective: Objective = Object.fromEntries(
      Array.from({ length: terms }, (_, i) => [`term${i}`, scalar(4)]),
    );
    const optimizer = optimizerFrom(tape);
    // Of a single value, batchNorm is refused.
    const fewest = [encoder, decoder].some(({ layers }) => normalises(layers)) ? 2 : 1;
    return {
      encoder,
      decoder,
      objective,
      optimizer,
      batch: Math.max(fewest, tape.pick(batchSizes)),
      steps: 10,
      data: 'none',
      validation: { every: 0 },
    };
  };

/** Experiments made of a kit. */
export const experimentsOf = (
  kit: Kit,
  batchSizes: readonly number[] = [2, 3, 1],
): fc.Arbitrary<Experiment> => fromTape(experimentFrom(kit, batchSizes), 160);

export const compilableExperiment: fc.Arbitrary<Experiment> = experimentsOf(everything);
