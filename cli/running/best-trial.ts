/** Which trial of a sweep is the best, by what, and how it is opened. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { shellPath } from '../../dsl/printing/shell.js';
import { type FigureName, lessIsBetter, readFigureName } from '../../evaluation/index.js';
import { short } from '../../runs/records/progress.js';
import type { Performed } from './trials.js';

type TrialOutput = Pick<Performed, 'label' | 'folder' | 'outcome'>;

export type BestTrial = Pick<Performed, 'label' | 'folder'> & { readonly by: string; readonly value: number };

/** Figures of validation examples of which less is better, the likelihood first, then scores of samples, then the reconstruction. */
const choosers: readonly ((figure: FigureName) => boolean)[] = [
  ({ of, score }) => of === undefined && score === 'nll',
  ({ of, score }) => of !== undefined && of !== 'reconstructions' && lessIsBetter(score),
  ({ of, score }) => of === undefined && score === 'reconstruction',
];

const mayChoose =
  (chooser: (figure: FigureName) => boolean) =>
  (name: string): boolean => {
    const figure = readFigureName(name);
    return figure?.part === 'validation' && chooser(figure);
  };

/** By the first of these figures that trials have, or else by the loss; nothing where none ended well. */
export const bestTrial = (trials: readonly TrialOutput[]): BestTrial | undefined => {
  const ended = trials.flatMap(({ label, folder, outcome }) =>
    outcome === undefined || isLeft(outcome)
      ? []
      : [
          {
            label,
            folder,
            figures: new Map(Object.entries({ ...outcome.right.measures, loss: outcome.right.loss })),
          },
        ],
  );
  const names = [...new Set(ended.flatMap(({ figures }) => [...figures.keys()]))];
  const by = choosers.flatMap((chooser) => names.find(mayChoose(chooser)) ?? []).at(0) ?? 'loss';
  return ended
    .map(({ label, folder, figures }) => ({ label, folder, by, value: figures.get(by) ?? NaN }))
    .filter(({ value }) => Number.isFinite(value))
    .reduce<BestTrial | undefined>(
      (best, one) => (best === undefined || one.value < best.value ? one : best),
      undefined,
    );
};

export const bestText = ({ label, folder, by, value }: BestTrial): string =>
  `the least ${by}, ${short(value)}, is that of ${label}; its model is in ${folder}: immersion evaluate ${shellPath(folder)}, or openRun(${JSON.stringify(folder)})`;
