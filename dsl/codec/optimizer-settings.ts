/** The numbers of an optimizer that have short names: its rate, its clipping, and those of the first update that has them. */
import { constant } from '../expressions/expression.js';
import { clipNorm, everyUpdate, mapUpdates, type Optimizer, type Update } from '../update.js';
import type { Codec } from './codec.js';
import { fraction, nonNegative, positiveInteger, positiveNumber } from './primitive.js';

export type OptimizerSetting = {
  readonly accepts: Codec<number>;
  readonly set: (value: number) => Optimizer;
};

/** The numbers of updates by their short names, each with its field and what it may be. */
const fields: readonly (readonly [name: string, field: string, accepts: Codec<number>])[] = [
  ['clipValue', 'value', positiveNumber],
  ['momentum', 'momentum', fraction],
  ['beta1', 'beta1', fraction],
  ['beta2', 'beta2', fraction],
  ['epsilon', 'epsilon', positiveNumber],
  ['decay', 'decay', fraction],
  ['initial', 'initial', nonNegative],
];

/** The first of the updates for which it holds, changed. */
const changed = (
  optimizer: Optimizer,
  holds: (update: Update) => boolean,
  change: (update: Update) => Update,
): Optimizer => {
  const first = everyUpdate(optimizer.chain).find(holds);
  return { ...optimizer, chain: mapUpdates(optimizer.chain, (one) => (one === first ? change(one) : one)) };
};

const clippedTo = (optimizer: Optimizer, norm: number): Optimizer =>
  optimizer.chain.some(({ tag }) => tag === 'clipNorm')
    ? changed(
        optimizer,
        ({ tag }) => tag === 'clipNorm',
        () => clipNorm(norm),
      )
    : { ...optimizer, chain: [clipNorm(norm), ...optimizer.chain] };

/** What `--set optimizer.NAME` can change, by name. */
export const optimizerSettings = (optimizer: Optimizer): ReadonlyMap<string, OptimizerSetting> => {
  const updates = everyUpdate(optimizer.chain);
  const ofUpdates = fields.flatMap(([name, field, accepts]) => {
    const holds = (update: Update): boolean => field in update;
    const set = (value: number): Optimizer =>
      changed(optimizer, holds, (update) => ({ ...update, [field]: value }));
    return updates.some(holds) ? [[name, { accepts, set }] as const] : [];
  });
  const decays = ({ tag }: Update): boolean => tag === 'weightDecay';
  const setDecay = (value: number): Optimizer =>
    changed(optimizer, decays, (update) =>
      update.tag === 'weightDecay' ? { ...update, weight: constant(value) } : update,
    );
  return new Map<string, OptimizerSetting>([
    ['rate', { accepts: positiveNumber, set: (rate) => ({ ...optimizer, rate: constant(rate) }) }],
    ['clipNorm', { accepts: positiveNumber, set: (norm) => clippedTo(optimizer, norm) }],
    ...ofUpdates,
    ...(updates.some(decays) ? ([['weightDecay', { accepts: nonNegative, set: setDecay }]] as const) : []),
    ...(optimizer.accumulate === undefined
      ? []
      : ([
          ['accumulate', { accepts: positiveInteger, set: (k: number) => ({ ...optimizer, accumulate: k }) }],
        ] as const)),
    ...(optimizer.average === undefined
      ? []
      : ([
          ['average', { accepts: fraction, set: (average: number) => ({ ...optimizer, average }) }],
        ] as const)),
  ]);
};
