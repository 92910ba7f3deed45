/** Optimizers, given the codec of the expressions in them. */
import * as t from 'io-ts/lib/index.js';
import type { Node } from '../expressions/expression.js';
import type { Lookahead, Optimizer, Update } from '../update.js';
import type { Codec, Rows } from './codec.js';
import { list, mapped, optional, struct, tagged, withDefault } from './codec.js';
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

export const optimizerCodec = (expr: Codec<Node>): Codec<Optimizer> =>
  mapped(
    struct('an optimizer: an object with a rate and a chain', {
      rate: expr,
      chain: list('an array of updates', () => updateCodec(expr)),
      accumulate: optional(positiveInteger),
      lookahead: optional(lookahead),
      average: optional(fraction),
    }),
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
