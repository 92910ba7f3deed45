/** Random optimizers: every update, given the expressions in them. */
import fc from 'fast-check';
import type { Node } from '../../dsl/expressions/expression.js';
import type { Optimizer, Update } from '../../dsl/update.js';

const positive = fc.double({ noNaN: true, min: 1e-12, max: 1e6 });
/** Below 1 in single precision too. */
const fraction = fc.double({ noNaN: true, min: 0, max: 1 - 2 ** -24 }).map((n) => n + 0);
const size = fc.integer({ min: 1, max: 64 });

/** An optimizer whose schedules are of these expressions. */
export const optimizerWith = (node: fc.Arbitrary<Node>): fc.Arbitrary<Optimizer> => {
  const number = fc.oneof(
    node.filter(({ tag }) => tag !== 'constant' && tag !== 'hyper'),
    positive.map((value): Node => ({ tag: 'constant', value })),
  );
  const tagged = <T extends Update['tag']>(tag: T) => ({ tag: fc.constant(tag) });
  const single = positive.filter((n) => Math.fround(n) > 0);
  const where = fc.constantFrom('encoder', 'decoder/0.dense', '**/kernel');
  const updates: { readonly [T in Update['tag']]: fc.Arbitrary<Update> } = {
    clipNorm: fc.record({ ...tagged('clipNorm'), norm: positive }),
    clipValue: fc.record({ ...tagged('clipValue'), value: positive }),
    momentum: fc.record({ ...tagged('momentum'), momentum: fraction, nesterov: fc.boolean() }),
    scaleByAdam: fc.record({
      ...tagged('scaleByAdam'),
      beta1: fraction,
      beta2: fraction,
      epsilon: single,
      nesterov: fc.boolean(),
    }),
    scaleByRms: fc.record({
      ...tagged('scaleByRms'),
      decay: fraction,
      epsilon: single,
      centered: fc.boolean(),
    }),
    scaleByRss: fc.record({ ...tagged('scaleByRss'), initial: positive, epsilon: single }),
    scaleByLion: fc.record({ ...tagged('scaleByLion'), beta1: fraction, beta2: fraction }),
    scaleByFactoredRms: fc.record({
      ...tagged('scaleByFactoredRms'),
      decay: fraction,
      epsilon: single,
      least: size,
    }),
    clipBlock: fc.record({ ...tagged('clipBlock'), most: positive }),
    scaleByBlock: fc.record({ ...tagged('scaleByBlock'), least: positive }),
    weightDecay: fc.record({ ...tagged('weightDecay'), weight: number }),
    scaleUpdate: fc.record({ ...tagged('scaleUpdate'), by: number }),
    only: fc.record({
      ...tagged('only'),
      where,
      chain: fc.array(fc.record({ ...tagged('clipNorm'), norm: positive }), { maxLength: 2 }),
    }),
    freeze: fc.record({ ...tagged('freeze'), where }),
  };
  return fc.record(
    {
      rate: number,
      chain: fc.array(fc.oneof(...Object.values(updates)), { maxLength: 3 }),
      accumulate: size,
      lookahead: fc.record({ period: size, share: positive }),
      average: fraction,
    },
    { requiredKeys: ['rate', 'chain'] },
  );
};
