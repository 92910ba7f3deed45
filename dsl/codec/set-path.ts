/** One place in the JSON form of an experiment: any number, text or truth value can be set by its path. */
import { elementAt } from '../lookup.js';
import * as E from 'fp-ts/lib/Either.js';
import { isRecord } from './codec.js';
import { decodeExperiment, encodeExperiment } from './experiment.js';
import { finite, nonEmptyString, truth } from './primitive.js';
import { showFound } from './problems.js';
import type { Experiment } from '../experiment.js';
import { fieldPath, type Path, showPath } from '../path.js';
import { didYouMean, type Problem, problem } from '../problem.js';

type Checked<A> = E.Either<readonly Problem[], A>;

const label = (path: Path): string => `--set ${showPath(path)}`;

const missing = (path: Path, inside: unknown, key: string | number, at: string): Problem => {
  const keys = Array.isArray(inside) ? [] : isRecord(inside) ? Object.keys(inside) : [];
  const expected = Array.isArray(inside)
    ? `an index below ${inside.length}`
    : keys.length > 0
      ? `one of ${keys.join(', ')}`
      : 'a path that ends there';
  const found = `${JSON.stringify(fieldPath(at, key))}, which does not exist`;
  return problem(label(path), found, expected, didYouMean(String(key), keys));
};

/** What is written there, read as the kind of value that it replaces. */
const valueLike = (path: Path, old: unknown, value: number | string): Checked<unknown> => {
  const text = String(value).trim();
  const [read, { is, name }] =
    typeof old === 'number'
      ? [text === '' ? Number.NaN : Number(text), finite]
      : typeof old === 'boolean'
        ? [text === 'true' ? true : text === 'false' ? false : text, truth]
        : [value, nonEmptyString];
  if (typeof old === 'object' && old !== null) {
    return E.left([
      problem(label(path), Array.isArray(old) ? 'a list' : 'an object', 'the path of a number or a text'),
    ]);
  }
  return is(read) ? E.right(read) : E.left([problem(label(path), showFound(value), name)]);
};

const replaced = (
  json: unknown,
  path: Path,
  depth: number,
  change: (old: unknown) => Checked<unknown>,
): Checked<unknown> => {
  if (depth === path.length) return change(json);
  const key = elementAt(path, depth);
  const at = path.slice(0, depth).reduce<string>(fieldPath, '');
  if (Array.isArray(json) && typeof key === 'number' && key < json.length) {
    return E.map((part: unknown) => json.with(key, part))(replaced(json[key], path, depth + 1, change));
  }
  if (isRecord(json) && typeof key === 'string' && Object.hasOwn(json, key)) {
    return E.map((part: unknown) => ({ ...json, [key]: part }))(replaced(json[key], path, depth + 1, change));
  }
  return E.left([missing(path, json, key, at)]);
};

/**
 * The experiment with the number, text or truth value at a path of its JSON form replaced, such as
 * `networks.encoder.layers[1].units`; what does not decode then is a problem at that path.
 */
export const replaceAt = (
  experiment: Experiment,
  path: Path,
  value: number | string,
): Checked<Experiment> => {
  const json = encodeExperiment(experiment);
  if (E.isLeft(json)) return json;
  const changed = replaced(json.right, path, 0, (old) => valueLike(path, old, value));
  return E.isLeft(changed) ? changed : decodeExperiment(changed.right);
};
