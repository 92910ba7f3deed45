/**
 * The figures of an evaluation by name: `loss`, a term, a metric. `loss` is always the sum of the terms; a term or a metric that is called so
 * too, or a metric that has the name of a term, is `terms.NAME` or `metrics.NAME`.
 */
import type { Evaluated } from '../records/events.js';

const LOSS = 'loss';

/** The names that figures go by where these terms and metrics are evaluated. */
export const figureNames = (terms: readonly string[], metrics: readonly string[]): readonly string[] => [
  LOSS,
  ...terms.map((name) => (name === LOSS ? `terms.${name}` : name)),
  ...metrics.map((name) => (name === LOSS || terms.includes(name) ? `metrics.${name}` : name)),
];

/** Without what schedules add to it; NaN for a name that an evaluation does not have. */
export const figureOf = ({ loss, terms, metrics = {}, settled = {} }: Evaluated, name: string): number => {
  const compared = new Map(Object.entries(settled));
  const figures = new Map([
    ...Object.entries(metrics).flatMap(([own, value]) => [
      [`metrics.${own}`, value] as const,
      [own, value] as const,
    ]),
    ...Object.entries(terms).flatMap(([own, value]) => {
      // Among what is settled `loss` is the loss.
      const figure = own === LOSS ? value : (compared.get(own) ?? value);
      return [[`terms.${own}`, figure] as const, [own, figure] as const];
    }),
    [LOSS, compared.get(LOSS) ?? loss],
  ]);
  return figures.get(name) ?? NaN;
};
