/** Runs side by side: the settings in which they differ, what they came to, and their curves. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { encodeExperiment, hypersOf } from '../dsl/index.js';
import { isRecord } from '../dsl/codec/codec.js';
import {
  type Evaluated,
  type RunNote,
  type Terms,
  type TrainEvent,
  eventsOf,
  figureOf,
  isStep,
  isTest,
  isValidation,
} from '../runs/index.js';
import { curvesOf, type Curve } from './page/curve.js';

export type Differing = { readonly name: string; readonly values: readonly string[] };
export type Compared = { readonly name: string; readonly values: readonly (number | null)[] };

export type Comparison = {
  /** Of the runs. */
  readonly names: readonly string[];
  readonly differences: readonly Differing[];
  readonly figures: readonly Compared[];
  /** Of each run. */
  readonly curves: readonly (readonly Curve[])[];
};

/** The leaves of a JSON value by path. */
const leaves = (json: unknown, path = ''): readonly (readonly [string, string])[] => {
  const below = (key: string, value: unknown) => leaves(value, path === '' ? key : `${path}.${key}`);
  if (Array.isArray(json)) return json.flatMap((value, i) => leaves(value, `${path}[${i}]`));
  // Those go by their names.
  if (isRecord(json) && json.tag === 'hyper') return [];
  if (isRecord(json)) return Object.entries(json).flatMap(([key, value]) => below(key, value));
  return [[path, typeof json === 'string' ? json : JSON.stringify(json)]];
};

/** More differences than that are of other structures, not of settings. */
const MOST_DIFFERENCES = 40;

const settingsOf = ({ experiment, settings }: RunNote): ReadonlyMap<string, string> => {
  const spec = encodeExperiment(experiment);
  const { seed, heldOut, backend, policy, data, versions } = settings ?? {};
  return new Map([
    ...leaves({ seed, heldOut, backend, policy, versions, examples: data?.fingerprint?.slice(0, 12) }).filter(
      ([, value]) => value !== undefined,
    ),
    ...[...hypersOf(experiment)].map(([name, value]) => [name, String(value)] as const),
    ...(isLeft(spec) ? [] : leaves(spec.right)),
  ]);
};

/** Where runs do not agree; what a run does not have is empty there. */
export const differencesOf = (notes: readonly RunNote[]): readonly Differing[] => {
  const all = notes.map(settingsOf);
  const names = [...new Set(all.flatMap((one) => [...one.keys()]))];
  return names
    .map((name) => ({ name, values: all.map((one) => one.get(name) ?? '') }))
    .filter(({ values }) => new Set(values).size > 1)
    .slice(0, MOST_DIFFERENCES);
};

const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;

/** Terms and metrics, those whose weight is a schedule without it: runs of other lengths end at other weights. */
const unweighted = (of: Evaluated | undefined): Terms => {
  const { loss: _, ...settled } = of?.settled ?? {};
  return {
    ...Object.fromEntries(
      Object.entries(of?.terms ?? {}).map(([name, value]) =>
        settled[name] === undefined ? [name, value] : [`${name}, unweighted`, settled[name]],
      ),
    ),
    ...of?.metrics,
  };
};

/** What a run came to by its events. */
export const figuresOf = (events: readonly TrainEvent[]): ReadonlyMap<string, number | null> => {
  const steps = events.filter(isStep);
  const validations = events.filter(isValidation);
  const [last, test] = [validations.at(-1), events.filter(isTest).at(-1)];
  const best = Math.min(...validations.map((one) => figureOf(one, 'loss')));
  const under = (
    place: string,
    terms: Readonly<Record<string, number>>,
  ): readonly [string, number | null][] =>
    Object.entries(terms).map(([name, value]) => [`${place} ${name}`, finite(value)]);
  return new Map<string, number | null>([
    ['steps', steps.at(-1) === undefined ? null : (steps.at(-1)?.step ?? 0) + 1],
    ['seconds', finite(steps.at(-1)?.seconds)],
    ['training loss', finite(steps.at(-1)?.loss)],
    ['validation loss', finite(last && figureOf(last, 'loss'))],
    ['best validation loss', finite(best)],
    ...under('validation', unweighted(last)),
    ['test loss', finite(test && figureOf(test, 'loss'))],
    ...under('test', unweighted(test)),
  ]);
};

/** Names that tell runs apart: the last part of their folders, or all of it. */
const namesOf = (notes: readonly RunNote[]): readonly string[] => {
  const short = notes.map(({ folder }) => folder.replace(/[\\/]+$/, '').replace(/^.*[\\/]/, ''));
  return new Set(short).size === short.length ? short : notes.map(({ folder }) => folder);
};

/** A run beside the one that it is compared with. */
export const baselineOf = (run: RunNote, baseline: RunNote): Promise<Comparison> =>
  comparisonOf([run, baseline]);

/** What two runs have side by side, as the page shows it. */
export const comparisonOf = async (notes: readonly RunNote[]): Promise<Comparison> => {
  const events: (readonly TrainEvent[])[] = [];
  for (const { folder } of notes) events.push(await eventsOf(folder));
  const all = events.map(figuresOf);
  const figures = [...new Set(all.flatMap((one) => [...one.keys()]))]
    .map((name) => ({ name, values: all.map((one) => one.get(name) ?? null) }))
    .filter(({ values }) => values.some((value) => value !== null));
  return {
    names: namesOf(notes),
    differences: differencesOf(notes),
    figures,
    curves: events.map((of, i) => curvesOf(of, notes[i]?.experiment)),
  };
};
