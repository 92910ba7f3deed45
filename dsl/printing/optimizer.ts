/** Optimizers in a few words: `clip norm 10, adam`. */
import type { Optimizer, Update } from '../update.js';
import { formula } from './format.js';

const named = (
  name: string,
  values: Readonly<Record<string, number>>,
  defaults: Readonly<Record<string, number>>,
): string => {
  const differing = Object.entries(values).filter(([key, value]) => value !== defaults[key]);
  return [name, ...differing.map(([key, value]) => `${key} ${value}`)].join(' ');
};

/** An update in a few words, without what is as the constructor leaves it. */
const describeUpdate = (update: Update): string => {
  switch (update.tag) {
    case 'clipNorm':
      return `clip norm ${update.norm}`;
    case 'clipValue':
      return `clip value ${update.value}`;
    case 'momentum':
      return `${update.nesterov ? 'nesterov ' : ''}momentum ${update.momentum}`;
    case 'scaleByAdam': {
      const { beta1, beta2, epsilon, nesterov } = update;
      return named(
        nesterov ? 'nadam' : 'adam',
        { beta1, beta2, epsilon },
        { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      );
    }
    case 'scaleByRms': {
      const { decay, epsilon, centered } = update;
      return named(`${centered ? 'centered ' : ''}rms`, { decay, epsilon }, { decay: 0.9, epsilon: 1e-8 });
    }
    case 'scaleByRss': {
      const { initial, epsilon } = update;
      return named('adagrad', { initial, epsilon }, { initial: 0.1, epsilon: 1e-7 });
    }
    case 'scaleByLion': {
      const { beta1, beta2 } = update;
      return named('lion', { beta1, beta2 }, { beta1: 0.9, beta2: 0.99 });
    }
    case 'scaleByFactoredRms': {
      const { decay, epsilon, least } = update;
      return named('factored rms', { decay, epsilon, least }, { decay: 0.8, epsilon: 1e-30, least: 128 });
    }
    case 'clipBlock':
      return `clip each array's rms ${update.most}`;
    case 'scaleByBlock':
      return `by each array's rms, at least ${update.least}`;
    case 'weightDecay':
      return `weight decay ${formula(update.weight)}`;
    case 'scaleUpdate':
      return `times ${formula(update.by)}`;
    case 'only':
      return `of ${update.where} (${describeUpdates(update.chain)})`;
    case 'freeze':
      return `${update.where} frozen`;
  }
};

const isIdle = (update: Update): boolean => update.tag === 'momentum' && update.momentum === 0;

const describeUpdates = (updates: readonly Update[]): string =>
  updates
    .filter((update) => !isIdle(update))
    .map(describeUpdate)
    .join(', ');

/** What the optimizer does with gradients, in its order, without the rate: `clip norm 10, adam`; plain descent is `sgd`. */
export const describeOptimizer = ({ chain, accumulate, lookahead, average }: Optimizer): string =>
  [
    ...[describeUpdates(chain)].map((text) => (text === '' ? 'sgd' : text)),
    ...(accumulate === undefined ? [] : [`accumulated over ${accumulate} steps`]),
    ...(lookahead === undefined ? [] : [`lookahead ${lookahead.period} steps by ${lookahead.share}`]),
    ...(average === undefined ? [] : [`evaluated by weights averaged at ${average}`]),
  ].join(', ');
