/** Optimizers, given the codec of the expressions in them. */
import * as t from 'io-ts/lib/index.js';
import type { Node } from '../expressions/expression.js';
import type { Lookahead, Optimizer, Update } from '../update.js';
import type { Codec, Rows } from './codec.js';
import { codec, isRecord, list, mapped, optional, struct, tagged, withDefault } from './codec.js';
import { didYouMean, nearest } from '../problem.js';
import {
  fraction,
  nonEmptyString,
  nonNegative,
  positiveInteger,
  positiveNumber,
  positiveSingle,
  truth,
} from './primitive.js';

const name = 'an update';

/** Of one tag, its fields with what they are where they are left out. */
const row = <T extends string, P extends t.Props>(tag: T, fields: P) =>
  struct(name, { tag: t.literal(tag), ...fields });

const updateCodec = (expr: Codec<Node>): Codec<Update> =>
  t.recursion<Update, unknown, unknown>(name, (self) => {
    const chain = list('an array of updates', () => self);
    const rows: Rows<Update> = {
      clipNorm: row('clipNorm', { norm: positiveNumber }),
      clipValue: row('clipValue', { value: positiveNumber }),
      momentum: row('momentum', { momentum: fraction, nesterov: withDefault(truth, false) }),
      scaleByAdam: row('scaleByAdam', {
        beta1: withDefault(fraction, 0.9),
        beta2: withDefault(fraction, 0.999),
        epsilon: withDefault(positiveSingle, 1e-8),
        nesterov: withDefault(truth, false),
      }),
      scaleByRms: row('scaleByRms', {
        decay: withDefault(fraction, 0.9),
        epsilon: withDefault(positiveSingle, 1e-8),
        centered: withDefault(truth, false),
      }),
      scaleByRss: row('scaleByRss', {
        initial: withDefault(nonNegative, 0.1),
        epsilon: withDefault(positiveSingle, 1e-7),
      }),
      scaleByLion: row('scaleByLion', {
        beta1: withDefault(fraction, 0.9),
        beta2: withDefault(fraction, 0.99),
      }),
      scaleByFactoredRms: row('scaleByFactoredRms', {
        decay: withDefault(fraction, 0.8),
        epsilon: withDefault(positiveSingle, 1e-30),
        least: withDefault(positiveInteger, 128),
      }),
      clipBlock: row('clipBlock', { most: positiveNumber }),
      scaleByBlock: row('scaleByBlock', { least: withDefault(positiveNumber, 1e-3) }),
      weightDecay: row('weightDecay', { weight: expr }),
      scaleUpdate: row('scaleUpdate', { by: expr }),
      only: row('only', { where: nonEmptyString, chain }),
      freeze: row('freeze', { where: nonEmptyString }),
    };
    return tagged<Update>(name, rows);
  });

const lookahead: Codec<Lookahead> = struct('an object with the fields period and share', {
  period: positiveInteger,
  share: positiveNumber,
});

/** The constructors of optimizers: each makes a chain, by which none has a name. */
export const optimizerNames = [
  'adam',
  'adamW',
  'sgd',
  'nadam',
  'lion',
  'rmsProp',
  'adagrad',
  'adafactor',
] as const;

/** What was meant as the name of an optimizer, such as `'adamw'` or `{ tag: 'adamw' }`. */
const namedAs = (u: unknown): string | undefined =>
  typeof u === 'string'
    ? u
    : isRecord(u) && u.chain === undefined && typeof u.tag === 'string'
      ? u.tag
      : undefined;

/** An optimizer that is given by a name is a problem of its own, which shows the list. */
const asChain = <A>(of: Codec<A>): Codec<A> =>
  codec(
    of.name,
    (u, context) => {
      const word = namedAs(u);
      if (word === undefined) return of.validate(u, context);
      const call = nearest(word, optimizerNames) ?? optimizerNames[0];
      const hint = `${didYouMean(word, optimizerNames) ?? 'an optimizer is what a call gives'}: ${call}({ rate: 1e-3 }) in TypeScript`;
      const known = codec<A>(`one of ${optimizerNames.join(', ')}`, of.validate, of.encode);
      return t.failure(
        word,
        t.appendContext(context.slice(0, -1), context.at(-1)?.key ?? '', known, word),
        hint,
      );
    },
    of.encode,
  );

export const optimizerCodec = (expr: Codec<Node>): Codec<Optimizer> =>
  mapped(
    asChain(
      struct('an optimizer: an object with a rate and a chain', {
        rate: expr,
        chain: list('an array of updates', () => updateCodec(expr)),
        accumulate: optional(positiveInteger),
        lookahead: optional(lookahead),
        average: optional(fraction),
      }),
    ),
    // What is left out is absent rather than undefined.
    ({ rate, chain, accumulate, lookahead: ahead, average }): Optimizer => ({
      rate,
      chain,
      ...(accumulate === undefined ? {} : { accumulate }),
      ...(ahead === undefined ? {} : { lookahead: ahead }),
      ...(average === undefined ? {} : { average }),
    }),
    (optimizer) => ({ accumulate: undefined, lookahead: undefined, average: undefined, ...optimizer }),
  );
