/** One mistake in a written experiment is named at its place, whatever it is. */
import { fc, test } from '@fast-check/vitest';
import { isLeft } from 'fp-ts/lib/Either.js';
import { describe, expect } from 'vitest';
import { decodeExperiment, encodeExperiment } from '../../dsl/codec/index.js';
import type { Path } from '../../dsl/path.js';
import { showPath } from '../../dsl/path.js';
import { showProblem } from '../../dsl/problem.js';
import { experiment as anyExperiment } from '../arbitrary/experiment.js';
import { left, right } from '../shared/either.js';
import { at, isObject, places, put } from '../shared/json.js';

const lines = (json: unknown): readonly string[] => left(decodeExperiment(json)).map(showProblem);

/** Objects whose keys are names of the user's. */
const isTable = (json: unknown, path: Path): boolean => {
  const last = path.at(-1);
  return (
    (path.length === 1 && (last === 'networks' || last === 'objective')) ||
    ((last === 'heads' || last === 'arguments' || last === 'outputs') &&
      isObject(at(json, path.slice(0, -1))) &&
      isLayer(path.slice(0, -1)))
  );
};

/** A layer stands in a list; an objective's term may be called heads. */
const isLayer = (path: Path): boolean => typeof path.at(-1) === 'number';

/** Fields that may be left out: the constructors' defaults. `kernel` only for dense, `output` only where there is one. */
const mayBeAbsent = (json: unknown, path: Path): boolean => {
  const parent = at(json, path.slice(0, -1));
  const key = path.at(-1);
  if (!isObject(parent)) return false;
  if (path.length === 1) return key === 'validation' || key === 'logDensity';
  if (path.length === 2 && path[0] === 'optimizer') return key !== 'rate' && key !== 'chain';
  switch (parent.tag) {
    case 'dense':
      return key === 'bias' || key === 'kernel';
    case 'conv':
    case 'convTranspose':
      return key === 'stride' || key === 'padding' || key === 'bias' || key === 'initializer';
    case 'batchNorm':
      return key === 'statistics' || key === 'momentum' || key === 'epsilon';
    case 'spectral':
      return key === 'norm' || key === 'iterations';
    case 'activation':
      return key === 'slope';
    case 'coupling':
      return key === 'transform' || key === 'part';
    case 'elementwise':
      return key === 'transform';
    case 'affine':
      return key === 'bound';
    case 'spline':
    case 'circularSpline':
      return key === 'bins' || key === 'bound';
    case 'squeeze':
      return key === 'size';
    case 'sum':
    case 'norm':
      return key === 'keep';
    case 'concat':
      return key === 'axis';
    case 'sqNormOfWeights':
      return key === 'only';
    case 'apply':
    case 'jvp':
    case 'vjp':
      return key === 'output' && parent.output === '';
    case 'solveGram':
      return key === 'iterations' || key === 'tolerance' || (key === 'output' && parent.output === '');
    case 'volume':
      return (
        key === 'method' ||
        (key === 'probes' && parent.method !== 'stochastic') ||
        (key === 'output' && parent.output === '')
      );
    case 'draw':
      return key === 'probes';
    case 'field':
      return key === 'type' && parent.type === 'float';
    case 'another':
      return key === 'by';
    case 'running':
      return key === 'update';
    case 'momentum':
      return key === 'nesterov';
    case 'scaleByAdam':
    case 'scaleByRms':
    case 'scaleByRss':
    case 'scaleByLion':
    case 'scaleByFactoredRms':
    case 'scaleByBlock':
      return key !== 'tag';
    default:
      return false;
  }
};

/** A field's type, without which it is another field of that name. */
const isOtherField = (json: unknown, path: Path): boolean => {
  const parent = at(json, path.slice(0, -1));
  return isObject(parent) && parent.tag === 'field' && path.at(-1) === 'type' && parent.type === 'integer';
};

type Mutation = { readonly json: unknown; readonly path: Path };

/** An experiment's JSON, one place in it, and what the mutation makes of it; `choose` says which places it applies to. */
const mutated = (
  choose: (json: unknown, path: Path) => boolean,
  change: (json: unknown, path: Path) => Mutation,
): fc.Arbitrary<Mutation> =>
  anyExperiment.chain((value) => {
    const json: unknown = JSON.parse(JSON.stringify(right(encodeExperiment(value))));
    return fc
      .constantFrom(...places(json).filter((path) => choose(json, path)))
      .map((path) => change(json, path));
  });

const replaced =
  (part: (old: unknown) => unknown) =>
  (json: unknown, path: Path): Mutation => ({ json: put(json, path, part(at(json, path))), path });

const namesThePlace = ({ json, path }: Mutation): void => {
  const problems = left(decodeExperiment(json));
  expect(problems.map((one) => one.path)).toContain(showPath(path));
};

describe('a mistake is named at its place', () => {
  test.prop(
    [
      mutated(
        () => true,
        replaced(() => null),
      ),
    ],
    { numRuns: 300 },
  )('null anywhere', namesThePlace);

  const wrongType = (old: unknown): unknown => (typeof old === 'boolean' || isObject(old) ? 17 : true);
  test.prop([mutated(() => true, replaced(wrongType))], { numRuns: 300 })(
    'a wrong type anywhere',
    namesThePlace,
  );

  const isNumber = (json: unknown, path: Path): boolean => typeof at(json, path) === 'number';
  test.prop(
    [
      mutated(
        isNumber,
        replaced(() => Number.NaN),
      ),
    ],
    { numRuns: 300 },
  )('NaN for a number', namesThePlace);

  const isTag = (json: unknown, path: Path): boolean =>
    path.at(-1) === 'tag' && !isTable(json, path.slice(0, -1)) && typeof at(json, path) === 'string';
  test.prop(
    [
      mutated(
        isTag,
        replaced((tag) => `${String(tag)}x`),
      ),
    ],
    { numRuns: 300 },
  )('a misspelt tag, with the nearest known one', (mutation) => {
    namesThePlace(mutation);
    const tag = String(at(mutation.json, mutation.path)).slice(0, -1);
    expect(lines(mutation.json).filter((line) => line.startsWith(`${showPath(mutation.path)}:`))).toEqual([
      expect.stringContaining(`did you mean "${tag}"?`),
    ]);
  });

  const isFixed = (json: unknown, path: Path): boolean => isObject(at(json, path)) && !isTable(json, path);
  const extra = (json: unknown, path: Path): Mutation => ({
    json: put(json, [...path, 'surplus'], 1),
    path: [...path, 'surplus'],
  });
  test.prop([mutated(isFixed, extra)], { numRuns: 300 })('an unknown field', namesThePlace);

  /** The problem stands at the path of the missing field itself, not at its parent. */
  const isField = (json: unknown, path: Path): boolean =>
    path.length > 0 && isFixed(json, path.slice(0, -1)) && !Array.isArray(at(json, path.slice(0, -1)));
  test.prop(
    [
      mutated(
        (json, path) => isField(json, path) && !mayBeAbsent(json, path) && !isOtherField(json, path),
        replaced(() => undefined),
      ),
    ],
    {
      numRuns: 300,
    },
  )('a missing field', ({ json, path }) => {
    namesThePlace({ json, path });
    expect(lines(json).some((line) => line.startsWith(`${showPath(path)}: found nothing, expected`))).toBe(
      true,
    );
  });

  test.prop([
    mutated(
      // A draw without its probes is another draw, which may have a namesake elsewhere; a running value needs one update.
      (json, path) =>
        isField(json, path) &&
        mayBeAbsent(json, path) &&
        path.at(-1) !== 'probes' &&
        path.at(-1) !== 'update',
      replaced(() => undefined),
    ),
  ])('but what a constructor defaults may be left out', ({ json }) => {
    expect(isLeft(decodeExperiment(json))).toBe(false);
  });
});
