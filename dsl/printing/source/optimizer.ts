/** Optimizers as the calls that make them. */
import type { Node } from '../../grammar.js';
import type { Optimizer, Update } from '../../update.js';
import { call, options, quoted, record, unless } from './text.js';

/** The expressions in an optimizer as they are written; plain numbers as numbers. */
type Text = (node: Node) => string;

const numberText = (node: Node, text: Text): string =>
  node.tag === 'constant' ? String(node.value) : text(node);

const updateText = (update: Update, text: Text): string => {
  switch (update.tag) {
    case 'clipNorm':
      return call('clipNorm', String(update.norm));
    case 'clipValue':
      return call('clipValue', String(update.value));
    case 'momentum':
      return call(
        'momentum',
        String(update.momentum),
        ...options({ nesterov: unless(false, update.nesterov) }),
      );
    case 'scaleByAdam':
      return call(
        'scaleByAdam',
        ...options({
          beta1: unless(0.9, update.beta1),
          beta2: unless(0.999, update.beta2),
          epsilon: unless(1e-8, update.epsilon),
          nesterov: unless(false, update.nesterov),
        }),
      );
    case 'scaleByRms':
      return call(
        'scaleByRms',
        ...options({
          decay: unless(0.9, update.decay),
          epsilon: unless(1e-8, update.epsilon),
          centered: unless(false, update.centered),
        }),
      );
    case 'scaleByRss':
      return call(
        'scaleByRss',
        ...options({ initial: unless(0.1, update.initial), epsilon: unless(1e-7, update.epsilon) }),
      );
    case 'scaleByLion':
      return call(
        'scaleByLion',
        ...options({ beta1: unless(0.9, update.beta1), beta2: unless(0.99, update.beta2) }),
      );
    case 'scaleByFactoredRms':
      return call(
        'scaleByFactoredRms',
        ...options({
          decay: unless(0.8, update.decay),
          epsilon: unless(1e-30, update.epsilon),
          least: unless(128, update.least),
        }),
      );
    case 'clipBlock':
      return call('clipBlock', String(update.most));
    case 'scaleByBlock':
      return call('scaleByBlock', String(update.least));
    case 'weightDecay':
      return call('weightDecay', numberText(update.weight, text));
    case 'scaleUpdate':
      return call('scaleUpdate', numberText(update.by, text));
    case 'only':
      return call('only', quoted(update.where), ...update.chain.map((one) => updateText(one, text)));
    case 'freeze':
      return call('freeze', quoted(update.where));
  }
};

/** The named optimizer that a chain is, with its options; undefined where it is none of the two most used. */
const namedText = ({ rate, chain }: Optimizer, text: Text): string | undefined => {
  const [first, ...rest] = chain;
  const clips = first?.tag === 'clipNorm';
  const [update, ...others] = clips ? rest : chain;
  if (update === undefined || others.length > 0) return undefined;
  const common: readonly (readonly [string, string | undefined])[] = [
    ['rate', numberText(rate, text)],
    ['clipNorm', clips ? String(first.norm) : undefined],
  ];
  const made = (
    word: 'adam' | 'sgd',
    ...own: readonly (readonly [string, number | boolean | undefined])[]
  ): string =>
    call(
      word,
      record(
        [...common, ...own].flatMap(([name, value]): readonly (readonly [string, string])[] =>
          value === undefined ? [] : [[name, String(value)]],
        ),
      ),
    );
  if (update.tag === 'momentum')
    return made(
      'sgd',
      ['momentum', unless(0, update.momentum)],
      ['nesterov', unless(false, update.nesterov)],
    );
  return update.tag === 'scaleByAdam' && !update.nesterov
    ? made(
        'adam',
        ['beta1', unless(0.9, update.beta1)],
        ['beta2', unless(0.999, update.beta2)],
        ['epsilon', unless(1e-8, update.epsilon)],
      )
    : undefined;
};

/** The optimizer as calls. */
export const optimizerText = (optimizer: Optimizer, text: Text): string => {
  const { rate, chain, accumulate, lookahead, average } = optimizer;
  const scaled = call('scaleByRate', numberText(rate, text));
  const plain =
    namedText(optimizer, text) ?? call('chain', ...chain.map((update) => updateText(update, text)), scaled);
  const summed = accumulate === undefined ? plain : call('accumulate', String(accumulate), plain);
  const ahead = lookahead === undefined ? summed : call('lookahead', summed, ...options(lookahead));
  return average === undefined ? ahead : call('averaged', ahead, ...options({ decay: average }));
};
