/** What is looked at when data is opened, so that nothing is found out later: values that are missing or infinite, and columns that single precision cannot tell apart. */
import { float64At, int32At } from '../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../dsl/problem.js';
import { sizeOf } from '../dsl/shape.js';
import { select, type Source } from './dataset.js';
import { MASK } from './field.js';
import { memoryProblem } from './memory.js';
import type { OpenOptions } from './options.js';
import { placeOf } from './preprocessing/fit.js';
import { percent, reporter } from './progress.js';
import { elementsOf, type Preprocessing } from './preprocessing/preprocessing.js';
import { allFinite, deviationsOf, type Survey, survey } from './survey.js';

type Problems = readonly Problem[];

/** A part after the policy on missing values, and what was seen of it. */
export type Checked = { readonly source: Source; readonly survey: Survey | undefined };

/** What the numbers of a file can be. */
export type Values = 'finite' | 'single' | 'floats';

const MOST_NAMED = 5;

const nounOf = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** `3 missing values in column 2 (age), 1 in column 5 (income)`. */
export const missingText = (plan: Preprocessing, { missing }: Survey): string => {
  const places = [...missing.keys()].filter((i) => float64At(missing, i) > 0);
  const named = places
    .slice(0, MOST_NAMED)
    .map((i, at) =>
      at === 0
        ? `${nounOf(float64At(missing, i), 'missing value')} in ${placeOf(plan, i)}`
        : `${missing[i]} in ${placeOf(plan, i)}`,
    );
  const others = places.length - named.length;
  return [...named, ...(others > 0 ? [`and ${nounOf(others, 'place')} more`] : [])].join(', ');
};

const infiniteProblem = (path: string, plan: Preprocessing, { infinite }: Survey): Problems =>
  infinite === undefined
    ? []
    : [
        problem(
          path,
          `${infinite.value} in example ${infinite.row} (${placeOf(plan, infinite.element)})`,
          'finite numbers',
        ),
      ];

/** The mask of rows as they are read, over the elements of an example. */
const maskOf = (path: string, source: Source, plan: Preprocessing, { memory }: OpenOptions) => {
  const { from, rawWidth } = elementsOf(plan);
  const bytes = source.size * from.length;
  const tooMuch = memoryProblem(path, bytes, 'a mask of every value', { limit: memory });
  if (tooMuch !== undefined) return left([tooMuch]);
  const mask = new Uint8Array(bytes).fill(1);
  const onBlock = (first: number, count: number, block: Float64Array): void => {
    for (let row = 0; row < count; row++)
      for (let i = 0; i < from.length; i++)
        if (Number.isNaN(block[row * rawWidth + int32At(from, i)])) mask[(first + row) * from.length + i] = 0;
  };
  return right({ mask, onBlock });
};

/** Looks through the rows of a part once, and does with those that lack a value what the plan says. */
export const checkRows =
  (
    path: string,
    source: Source,
    plan: Preprocessing,
    values: Values,
    options: OpenOptions,
  ): TaskEither<Problems, Checked> =>
  async (): Promise<Either<Problems, Checked>> => {
    const { missing } = plan;
    if (source.size === 0) return right({ source, survey: undefined });
    const { rawWidth, from } = elementsOf(plan);
    if (sizeOf(source.shape) !== rawWidth)
      return left([
        problem(
          path,
          `${source.name} of shape [${source.shape.join(', ')}]`,
          `[${plan.shape.join(', ')}], as ${options.preprocessing === undefined ? 'the training set' : 'the model takes'}`,
        ),
      ]);
    const masked = missing === 'mask' ? maskOf(path, source, plan, options) : undefined;
    if (masked !== undefined && isLeft(masked)) return masked;
    const fields = (mask: Uint8Array) => ({
      ...source.fields,
      [MASK]: { shape: plan.shape, type: 'float' as const, values: mask },
    });
    const whole = masked === undefined ? source : { ...source, fields: fields(masked.right.mask) };
    if (values === 'finite') return right({ source: whole, survey: undefined });
    if (values === 'single' && masked === undefined) {
      if (options.isLoaded === true) return right({ source, survey: undefined });
      const finite = await allFinite(source)();
      if (isLeft(finite)) return finite;
      if (finite.right) return right({ source, survey: undefined });
    }
    const report = reporter(options);
    const found = await survey(source, {
      complete: missing === 'drop',
      onBlock: (first, count, block) => {
        masked?.right.onBlock(first, count, block);
        report(() => `looking through ${source.name}: ${percent(first, source.size)}`);
      },
    })();
    if (isLeft(found)) return found;
    const seen = found.right;
    const infinite = infiniteProblem(path, plan, seen);
    if (infinite.length > 0) return left(infinite);
    if (seen.firstMissing === undefined || missing === 'mask') return right({ source: whole, survey: seen });
    const { complete } = seen;
    if (complete === undefined) {
      const { row, element } = seen.firstMissing;
      const first = `the first in example ${row} (${placeOf(plan, element)})`;
      return left([
        problem(
          path,
          `${missingText(plan, seen)}; ${first}`,
          'a value everywhere',
          'missing=drop leaves such examples out, missing=mask keeps them with a mask',
        ),
      ]);
    }
    const kept = Int32Array.from(complete.keys()).filter((row) => complete[row] === 1);
    if (kept.length === 0)
      return left([
        problem(path, `no example without a missing value (${missingText(plan, seen)})`, 'at least one'),
      ]);
    const rest = select(source, source.name, kept);
    const again = from.length === 0 ? right(seen) : await survey(rest)();
    return isLeft(again) ? again : right({ source: rest, survey: again.right });
  };

/** The distance between neighbours in single precision at x. */
const spacing = (x: number): number =>
  2 ** (Math.max(-126, Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -126)))) - 23);

/** Of a deviation, as many spacings: below it, rounding is more than a hundredth of the spread. */
const FEWEST_SPACINGS = 32;

/** Elements that are as they were read must be told apart in single precision. */
export const checkPrecision = (
  path: string,
  plan: Preprocessing,
  parts: readonly Checked[],
): Either<Problems, void> => {
  const wrong = parts.flatMap(({ survey: seen }): Problems => {
    if (seen === undefined) return [];
    const deviations = deviationsOf(seen);
    const most = (i: number): number =>
      Math.max(Math.abs(float64At(seen.least, i)), Math.abs(float64At(seen.greatest, i)));
    const places = [...deviations.keys()].filter((i) => float64At(seen.present, i) > 0);
    const beyond = places.filter((i) => !Number.isFinite(Math.fround(most(i))));
    const blurred = places.filter(
      (i) =>
        seen.inexact[i] === 1 &&
        float64At(deviations, i) > 0 &&
        !beyond.includes(i) &&
        float64At(deviations, i) < FEWEST_SPACINGS * spacing(most(i)),
    );
    const hint = 'standardize, which is done in double precision';
    return [
      ...beyond
        .slice(0, MOST_NAMED)
        .map((i) =>
          problem(path, `${most(i)} in ${placeOf(plan, i)}`, 'a finite number in single precision', hint),
        ),
      ...blurred
        .slice(0, MOST_NAMED)
        .map((i) =>
          problem(
            path,
            `${placeOf(plan, i)} with values near ${Number(most(i).toPrecision(6))} and a deviation of ${float64At(deviations, i).toPrecision(3)}`,
            `a deviation well above ${spacing(most(i)).toPrecision(3)}, which is how far numbers in single precision lie apart there`,
            hint,
          ),
        ),
    ];
  });
  return wrong.length > 0 ? left(wrong.slice(0, MOST_NAMED)) : right(undefined);
};
