/** A step that was not finite, explained: it is replayed in the interpreter up to the equation that made it so. */
import { costOf } from '../../compiler/index.js';
import { firstNotFinite, type FirstNotFinite } from '../../compiler/ir/first-not-finite.js';
import { showType } from '../../compiler/ir/type.js';
import type { StepEvent, Terms } from '../records/events.js';
import { feedOf } from '../model/feed.js';
import type { TrainState } from '../model/state.js';
import type { Compiled } from '../../compiler/index.js';

/** What the interpreter replays in some seconds. */
const MOST_FLOPS = 1e9;

const short = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(3))) : String(value);

const between = ([least, most]: readonly [number, number]): string =>
  least === most ? short(least) : `${short(least)} … ${short(most)}`;

const inWords = ({ equation, value, inputs, terms }: FirstNotFinite): string => {
  const of = inputs.map(between).join(' and ');
  const what = `${equation.primitive}:${showType(equation.out.type)} of ${of} is ${value}`;
  const [first, ...rest] = terms;
  if (first === undefined) return `in the gradient, ${what}`;
  return `in ${rest.length === 0 ? `the term ${first}` : `the terms ${terms.join(', ')}`}, ${what}`;
};

const culprits = (terms: Terms): string =>
  Object.entries(terms)
    .filter(([, value]) => !Number.isFinite(value))
    .map(([name, value]) => `${name} is ${value}`)
    .join(', ');

/** What was not finite: terms by name, or else the gradient or what the optimizer made of it. */
export const whatWasNotFinite = ({ terms, surrogates, loss, gradientNorm, rate }: StepEvent): string => {
  const broken = culprits({ ...surrogates, ...terms });
  return broken !== ''
    ? broken
    : `loss ${short(loss)}, gradient norm ${short(gradientNorm)}, rate ${short(rate)}; an update was not finite`;
};

/** Why a step on these examples, from this state, was not finite. */
export const explainNotFinite = (
  compiled: Compiled,
  state: TrainState,
  event: StepEvent,
  examples: Float32Array,
): string => {
  const seen = whatWasNotFinite(event);
  const { step: program } = compiled;
  if (costOf(program).flops > MOST_FLOPS) return seen;
  const draws = new Map(compiled.draws.map((spec) => [spec.name, spec]));
  const feeds = feedOf(program, draws, {
    data: examples,
    step: event.step,
    draws: { seed: state.seed, step: event.step, purpose: 'train' },
  });
  const inputs = new Map(
    program.binders.flatMap(({ name }) => {
      const values = feeds.get(name) ?? state.arrays.get(name)?.data;
      return values === undefined ? [] : [[name, Float64Array.from(values)] as const];
    }),
  );
  const bad = [...inputs].find(([, values]) => values.some((value) => !Number.isFinite(value)));
  if (bad !== undefined) {
    const [name] = bad;
    return name === 'data'
      ? `${seen}; an example holds a value that is not finite`
      : `${seen}; ${name} is not finite`;
  }
  const found = firstNotFinite(program, inputs);
  const hint =
    event.step > 0 && [...inputs.values()].some((values) => values.some((value) => Math.abs(value) > 1e6))
      ? '; weights are beyond a million, so the rate may be too large'
      : '';
  return found === undefined ? `${seen}${hint}` : `${seen}: ${inWords(found)}${hint}`;
};
