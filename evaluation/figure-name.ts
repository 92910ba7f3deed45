/**
 * The names of the figures of a trial, as data: `test/mixture/frechet/pixels` is of the test examples, of samples of the mixture, by the score
 * `frechet/pixels`; `validation/reconstruction` is of the examples themselves.
 */
import { type PriorName, priorNames } from './priors/prior-name.js';

/** What a figure is of: examples that choose a configuration, examples that report it, or how the priors were fitted. */
export type FigurePart = 'validation' | 'test' | 'fit';

/** What is scored of a part: reconstructions, or samples of a prior. */
export type FigureSubject = PriorName | 'reconstructions';

export type FigureName = {
  readonly part: FigurePart;
  /** Absent for a figure of the examples or the model themselves. */
  readonly of?: FigureSubject | undefined;
  /** Such as `frechet/pixels`, `nll`, `outside/REF/auc/likelihood`. */
  readonly score: string;
};

const parts: Readonly<Record<FigurePart, true>> = { validation: true, test: true, fit: true };
const subjects: readonly string[] = ['reconstructions', ...priorNames];

const isPart = (word: string): word is FigurePart => Object.hasOwn(parts, word);
const isSubject = (word: string): word is FigureSubject => subjects.includes(word);

/** As it is in `result.json` and in tables. */
export const figureName = ({ part, of, score }: FigureName): string =>
  [part, ...(of === undefined ? [] : [of]), score].join('/');

/** What a name is of; undefined for a figure of another kind, such as the loss. */
export const readFigureName = (name: string): FigureName | undefined => {
  const [part = '', of = '', ...score] = name.split('/');
  if (!isPart(part) || of === '') return undefined;
  return score.length > 0 && isSubject(of)
    ? { part, of, score: score.join('/') }
    : { part, score: [of, ...score].join('/') };
};
