/** Claims on the average over draws: as many draws at one example as the sequential test takes. */
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import { floatAt, internalError } from '../dsl/lookup.js';
import {
  type Checked,
  type Comparison,
  elementOf,
  givenIn,
  holds,
  type Inputs,
  isProblems,
  margin,
  open,
  shown,
  sideOf,
  type Verdict,
  whichOf,
} from './comparison.js';
import type { Calculation } from './meaning.js';
import { decide, type Draws, noDraws, withDraw } from './sequential.js';
import { drawn, type World } from './world.js';

/** Draws at once. */
const CHUNK = 128;

/** The first example, as often as there are draws. */
const repeated = (values: Float64Array, size: number): Float64Array =>
  Float64Array.from({ length: size * CHUNK }, (_, i) => floatAt(values, i % size));

/** The inputs of `CHUNK` examples that are one and the same but for their draws, from draw number `first` on. */
const inputsOf = ({ program, draws }: Calculation, fixed: Inputs, world: World) => {
  const isDrawn = new Set(draws.map(({ name }) => name));
  const same = program.binders
    .filter(({ name }) => !isDrawn.has(name))
    .map(({ name, kind, var: x }): readonly [string, Float64Array] => {
      const values = fixed.get(name) ?? internalError(`no input ${name}`);
      return [name, kind === 'data' && x.type.rows > 0 ? repeated(values, values.length) : values];
    });
  return (first: number): Inputs =>
    new Map([...same, ...draws.map((spec) => [spec.name, drawn(spec, CHUNK, world, first)] as const)]);
};

/** On the average over draws, at the first example of the world. `law` is the two sides for a batch. */
export const comparedInMean = (
  claim: Comparison,
  law: (batch: number) => Checked<Calculation>,
  world: World,
): Checked<Verdict> => {
  const [one, many] = [law(1), law(CHUNK)];
  if (isLeft(one)) return one;
  if (isLeft(many)) return many;
  const fixed = givenIn(one.right, { ...world, batch: 1 });
  if (isProblems(fixed)) return left(fixed);
  const chunk = inputsOf(many.right, fixed, world);
  let draws: readonly Draws[] = [];
  for (let first = 0; ; first += CHUNK) {
    const inputs = chunk(first);
    const [a, b] = [sideOf(many.right, inputs, 'left'), sideOf(many.right, inputs, 'right')];
    if (b.some(Number.isNaN)) return right(open);
    const count = Math.max(a.length, b.length);
    const size = count / CHUNK;
    draws = Array.from({ length: size }, (_, k) => {
      let next = draws[k] ?? noDraws;
      for (let i = k; i < count; i += size)
        next = withDraw(next, elementOf(a, i, count) - elementOf(b, i, count));
      return next;
    });
    const rounding = margin(floatAt(b, 0), claim.tolerance);
    const decisions = draws.map((of) => decide(of, rounding, size));
    const wrong = decisions.findIndex((d) => d === 'below' || (d === 'above' && claim.tag === 'equal'));
    const found = draws[wrong];
    if (found !== undefined) return right(failed(claim, found, whichOf(wrong, size)));
    if (!decisions.includes('open')) return right(holds);
  }
};

const failed = (claim: Comparison, { count, mean, spread }: Draws, which: string): Verdict => {
  const [first, second] = claim.names;
  const error = Math.sqrt(spread) / count;
  const expected = claim.tag === 'equal' ? '0' : '0 or more';
  const difference =
    typeof claim.right === 'number' ? `${first} less ${claim.right}` : `${first} less ${second}`;
  return {
    tag: 'fails',
    claim,
    why: `${difference} is ${shown(mean)} ± ${shown(error)} on the average of ${count} draws, expected ${expected}${which}`,
  };
};
