/** The table at the end of a sweep: a row for each configuration, its figures as means over the seeds. */
import { elementAt, entryOf } from '../../dsl/lookup.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Settings } from '../../dsl/index.js';
import { acrossSeeds, type FigurePart, readFigureName } from '../../evaluation/index.js';
import { type Figures } from '../../runs/index.js';
import { canonical } from '../../runs/sweeps/trial.js';
import { short } from '../../runs/records/progress.js';
import type { Performed } from '../running/trials.js';
import { aligned, USUAL_COLUMNS } from './width.js';

/** A configuration with the figures of each of its trials that ended well. */
export type SweepRow = {
  readonly settings: Settings;
  readonly figures: readonly Figures[];
  readonly failed: number;
};

const figuresOf = ({ outcome }: Performed): readonly Figures[] =>
  outcome === undefined || isLeft(outcome) ? [] : [{ loss: outcome.right.loss, ...outcome.right.measures }];

/** Trials with the same settings together, in the order of the first of each. */
export const sweepRows = (trials: readonly Performed[]): readonly SweepRow[] => {
  const keys = trials.map(({ trial }) => canonical(trial.settings));
  return [...new Set(keys)].map((key) => {
    const group = trials.filter((_, i) => keys[i] === key);
    return {
      settings: elementAt(group, 0).trial.settings,
      figures: group.flatMap(figuresOf),
      failed: group.filter(({ outcome }) => outcome !== undefined && isLeft(outcome)).length,
    };
  });
};

/** `0.79 ± 0.01`, the mean and its standard error; the value alone where there is one. */
const figureText = (values: readonly number[]): string => {
  const statistics = acrossSeeds(values);
  if (isLeft(statistics)) return values.map(short).join();
  const { mean, standardError } = statistics.right;
  return standardError === undefined ? short(mean) : `${short(mean)} ± ${short(standardError)}`;
};

/** `A`, `B`, … `Z`, `AA`, … */
const letters = (i: number): string =>
  (i < 26 ? '' : letters(Math.floor(i / 26) - 1)) + String.fromCharCode(65 + (i % 26));

/** The names of all figures that were measured. */
export const figureNames = (rows: readonly SweepRow[]): readonly string[] => [
  ...new Set(rows.flatMap(({ figures }) => figures.flatMap(Object.keys))),
];

const isOf =
  (part: FigurePart) =>
  (name: string): boolean =>
    readFigureName(name)?.part === part;

/** Whether there are scores of the examples that configurations are to be tested on. */
export const isTested = (names: readonly string[]): boolean => names.some(isOf('test'));

/** Whether configurations can be chosen by something else than those. */
export const isValidated = (names: readonly string[]): boolean => names.some(isOf('validation'));

/** What configurations may be chosen by: with figures of validation examples not those of test examples, unless they are asked for. */
export const shownFigures = (names: readonly string[], withTest: boolean): readonly string[] =>
  withTest || !isValidated(names) ? names : names.filter((name) => !isOf('test')(name));

/** What varies, then the named figures; a configuration that failed says so. Names get a legend where the table is wider than the terminal. */
export const sweepText = (
  axes: readonly string[],
  rows: readonly SweepRow[],
  names: readonly string[],
  columns = USUAL_COLUMNS,
): string => {
  const failures = rows.some(({ failed }) => failed > 0);
  const body = rows.map(({ settings, figures, failed }) => [
    ...axes.map((axis) => {
      const value = settings[axis] ?? '';
      return typeof value === 'number' ? short(value) : value;
    }),
    ...names.map((name) => figureText(figures.flatMap((one) => (name in one ? [entryOf(one, name)] : [])))),
    ...(failures ? [failed > 0 ? String(failed) : ''] : []),
  ]);
  const under = (headings: readonly string[]): readonly string[] =>
    aligned([[...axes, ...headings, ...(failures ? ['failed'] : [])], ...body], {
      isRight: (i) => i >= axes.length,
    });
  const whole = under(names);
  if (whole.every((line) => line.length <= columns)) return whole.join('\n');
  const legend = names.map((name, i) => [letters(i), name]);
  return [...aligned(legend, { isRight: () => false }), '', ...under(names.map((_, i) => letters(i)))].join(
    '\n',
  );
};
