/** What a data set holds, before anything is trained on it: parts, ranges, missing values, classes, and what preprocessing would do. */
import { atLeast, float64At, uint8At } from '../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Problem } from '../dsl/problem.js';
import { sizeOf } from '../dsl/shape.js';
import { select, type Source, type Split } from './dataset.js';
import type { OpenOptions } from './options.js';
import { assemble, type Parts } from './parts.js';
import { placeOf } from './preprocessing/fit.js';
import type { Column, Preprocessing } from './preprocessing/preprocessing.js';
import { percent, reporter } from './progress.js';
import { readRaw } from './source.js';
import { deviationsOf, type Survey, survey } from './survey.js';

type Problems = readonly Problem[];

/** The values of one place of an example, or of all, in the data's own units. */
export type Place = {
  /** `column 2 (age)`, `element 3 of 8`, or `all values`. */
  readonly name: string;
  readonly least: number;
  readonly greatest: number;
  readonly mean: number;
  readonly deviation: number;
  readonly missing: number;
};

export type FieldDescription = {
  readonly name: string;
  readonly type: 'integer' | 'float';
  readonly shape: readonly number[];
  /** How many rows each class has, over all parts; absent for what is no class. */
  readonly classes?: readonly { readonly name: string; readonly count: number }[];
};

export type Description = {
  readonly reference: string;
  /** Of an example. */
  readonly shape: readonly number[];
  readonly parts: readonly { readonly name: string; readonly size: number }[];
  /** Of how many rows the values are; fewer than all where looking at all would take long. */
  readonly looked: number;
  readonly places: readonly Place[];
  readonly columns: readonly Column[];
  readonly fields: readonly FieldDescription[];
  /** What would become of rows; undefined where they would be refused. */
  readonly preprocessing: Preprocessing | undefined;
  /** Why they would be refused. */
  readonly problems: Problems;
};

/** Numbers that are looked at: beyond them, the first rows of each part. */
const MOST_VALUES = 2 ** 27;
/** Places that are shown one by one. */
const MOST_PLACES = 64;

const listed = (parts: Parts): readonly (readonly [string, Source])[] => {
  const named = 'all' in parts ? { all: parts.all } : parts;
  return Object.entries(named).flatMap(([name, part]) => (part === undefined ? [] : [[name, part] as const]));
};

const firstRows = (source: Source, most: number): Source =>
  source.size <= most
    ? source
    : select(
        source,
        source.name,
        Int32Array.from({ length: most }, (_, row) => row),
      );

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

/** Over all places of an example at once. */
const overall = (found: Survey): Place => {
  const there = sum(found.present);
  const mean = sum(found.mean.map((value, i) => value * float64At(found.present, i))) / there;
  const squares =
    sum(found.squares) + sum(found.mean.map((value, i) => float64At(found.present, i) * (value - mean) ** 2));
  return {
    name: 'all values',
    least: found.least.reduce((a, b) => Math.min(a, b), Infinity),
    greatest: found.greatest.reduce((a, b) => Math.max(a, b), -Infinity),
    mean,
    deviation: Math.sqrt(squares / there),
    missing: sum(found.missing),
  };
};

const placesOf = (plan: Preprocessing, found: Survey): readonly Place[] => {
  if (found.mean.length > MOST_PLACES || plan.shape.length !== 1) return [overall(found)];
  const deviations = deviationsOf(found);
  return Array.from(found.mean, (mean, i) => ({
    name: placeOf(plan, i),
    least: float64At(found.least, i),
    greatest: float64At(found.greatest, i),
    mean,
    deviation: float64At(deviations, i),
    missing: float64At(found.missing, i),
  }));
};

/** Two surveys of different rows as one (Chan, Golub and LeVeque 1983). */
const merged = (a: Survey, b: Survey): Survey => {
  const present = a.present.map((count, i) => count + float64At(b.present, i));
  const weight = (i: number): number =>
    present[i] === 0 ? 0 : float64At(b.present, i) / float64At(present, i);
  return {
    rows: a.rows + b.rows,
    present,
    missing: a.missing.map((count, i) => count + float64At(b.missing, i)),
    least: a.least.map((value, i) => Math.min(value, float64At(b.least, i))),
    greatest: a.greatest.map((value, i) => Math.max(value, float64At(b.greatest, i))),
    mean: a.mean.map((mean, i) => mean + (float64At(b.mean, i) - mean) * weight(i)),
    squares: a.squares.map(
      (squares, i) =>
        squares +
        float64At(b.squares, i) +
        (float64At(b.mean, i) - float64At(a.mean, i)) ** 2 * float64At(a.present, i) * weight(i),
    ),
    inexact: a.inexact.map((inexact, i) => inexact | uint8At(b.inexact, i)),
    infinite: a.infinite ?? b.infinite,
    firstMissing: a.firstMissing ?? b.firstMissing,
    complete: undefined,
  };
};

/** Of all parts together, or of the first rows of each. */
const lookThrough = async (
  sources: readonly Source[],
  options: OpenOptions,
): Promise<Either<Problems, Survey>> => {
  const report = reporter(options);
  let all: Survey | undefined;
  for (const source of sources) {
    const most = Math.max(1, Math.floor(MOST_VALUES / sources.length / sizeOf(source.shape)));
    const rows = firstRows(source, most);
    const found = await survey(rows, {
      onBlock: (first) => report(() => `describing ${source.name}: ${percent(first, rows.size)}`),
    })();
    if (isLeft(found)) return found;
    all = all === undefined ? found.right : merged(all, found.right);
  }
  return all === undefined ? left([]) : right(all);
};

const fieldsOf = (sources: readonly Source[]): readonly FieldDescription[] => {
  const names = [...new Set(sources.flatMap(({ fields = {} }) => Object.keys(fields)))];
  return names.flatMap((name): readonly FieldDescription[] => {
    const all = sources.flatMap(({ fields }) => fields?.[name] ?? []);
    const [{ type, shape, classes }] = atLeast(1, all);
    const about = { name, type, shape };
    if (type !== 'integer' || shape.length > 0) return [about];
    const counts = new Map<number, number>();
    for (const { values } of all) for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    const numbers = classes === undefined ? [...counts.keys()].sort((a, b) => a - b) : [...classes.keys()];
    return [
      {
        ...about,
        classes: numbers.map((value) => ({
          name: classes?.[value] ?? String(value),
          count: counts.get(value) ?? 0,
        })),
      },
    ];
  });
};

/** Describes what a reference names; what training would refuse is among the description, what cannot be read is on the left. */
export const describeData =
  (
    reference: string,
    root: string = process.cwd(),
    options: OpenOptions = {},
  ): TaskEither<Problems, { readonly description: Description; readonly split: Split<Source> | undefined }> =>
  async () => {
    const raw = await readRaw(reference, root, { ...options, look: true })();
    if (isLeft(raw)) return raw;
    const { path, found, values } = raw.right;
    const parts = listed(found.parts);
    const sources = parts.map(([, source]) => source);
    const seen = await lookThrough(sources, options);
    if (isLeft(seen)) return seen;
    const split = await assemble(path, found, values, options)();
    const { plan } = found;
    return right({
      description: {
        reference,
        shape: plan.shape,
        parts: isLeft(split)
          ? parts.map(([name, { size }]) => ({ name, size }))
          : (['train', 'validation', 'test'] as const).flatMap((name) => {
              const part = split.right[name];
              return part === undefined ? [] : [{ name, size: part.size }];
            }),
        looked: seen.right.rows,
        places: placesOf(plan, seen.right),
        columns: plan.columns ?? [],
        fields: fieldsOf(sources),
        preprocessing: isLeft(split) ? undefined : (split.right.preprocessing ?? plan),
        problems: isLeft(split) ? split.left : [],
      },
      split: isLeft(split) ? undefined : split.right,
    });
  };
