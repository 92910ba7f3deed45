/** `immersion sweep SPEC`: trains every configuration of a grid or of a random search, and goes on where it was stopped. */
import { elementAt } from '../dsl/lookup.js';
import { dirname, extname, relative, resolve } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { isRecord } from '../dsl/codec/codec.js';
import { encodeExperiment, type Problem, problem } from '../dsl/index.js';
import { type Evaluation, evaluationCodec, plainEvaluation } from '../evaluation/index.js';
import { axesOf, decodeSweep, type Sweep, type Trial, trialsOf } from '../runs/index.js';
import { HELD_OUT_PART } from '../runs/run/hold-out.js';
import { bestText, bestTrial } from './running/best-trial.js';
import { type Arguments, assignments, type Option, readArguments, wantsJson } from './options/arguments.js';
import { loadSpec, readJson, type Spec } from '../runs/load-spec.js';
import { realPath } from '../backends/places.js';
import { evaluationOf, measureOptions } from './options/measure-options.js';
import { fail, printText, printJson, say } from './terminal/output.js';
import { searchOf, searchOptions } from './options/search-options.js';
import {
  figureNames,
  isTested,
  isValidated,
  shownFigures,
  sweepRows,
  sweepText,
} from './terminal/sweep-text.js';
import { configured, runOptions, shorthands } from './train.js';
import {
  performTrials,
  requestOf,
  type Labelled,
  type Performed,
  sayFailures,
  trialsOptions,
} from './running/trials.js';
import { columnsOf } from './terminal/width.js';
import { usage } from './options/usage.js';

const options: readonly Option[] = [
  ...searchOptions,
  ...measureOptions,
  { name: 'test', summary: 'shows the scores against the test examples too: to report, not to choose by' },
  { name: 'set', value: 'NAME=VALUE', summary: 'sets a hyper-parameter, a field or a path for all trials' },
  ...shorthands,
  ...runOptions.filter(({ name }) => name === 'backend' || name === 'device'),
  ...trialsOptions,
  { name: 'allow-modules', summary: 'a sweep in JSON may name a module outside its folder, which is run' },
];

type Checked<A> = Either<readonly Problem[], A>;
type Named = { readonly name: string; readonly sweep: Sweep<Evaluation> };

const nameOf = (path: string): string => path.replace(/^.*[\\/]/, '').slice(0, -extname(path).length);

/**
 * The file that a sweep names: a JSON file wherever it is; a module, which is a program that runs on loading, only where whoever gave the
 * sweep meant it, in the sweep's own folder or because it was allowed.
 */
const specOf = async (path: string, named: string, allowed: boolean): Promise<Checked<Spec>> => {
  const folder = dirname(resolve(path));
  const file = resolve(folder, named);
  const inside = !/^\.\.(?=[\\/]|$)/.test(relative(realPath(folder), realPath(file)));
  if (extname(file) === '.json') return loadSpec(file);
  if (!inside && !allowed)
    return left([
      problem(
        `${path}: spec`,
        `${JSON.stringify(named)}, a program outside the folder of the sweep`,
        'a JSON file, or a module beside the sweep',
        'loading it runs it: --allow-modules, if it is to be trusted',
      ),
    ]);
  say(`${path} names the module ${named}, which is run to load it`);
  return loadSpec(file);
};

/** A sweep in a JSON file, whose `spec` may be the path of another file. */
const loadSweep = async (
  path: string,
  json: Readonly<Record<string, unknown>>,
  allowed: boolean,
): Promise<Checked<Named>> => {
  const inner = typeof json.spec === 'string' ? await specOf(path, json.spec, allowed) : undefined;
  if (inner !== undefined && isLeft(inner)) return inner;
  const spec = inner === undefined ? right(json.spec) : encodeExperiment(inner.right.experiment);
  if (isLeft(spec)) return spec;
  const sweep = decodeSweep(evaluationCodec)({ ...json, spec: spec.right });
  return isLeft(sweep) ? sweep : right({ name: nameOf(path), sweep: sweep.right });
};

/** A specification alone is a sweep of one trial. */
const load = async (path: string, allowed: boolean): Promise<Checked<Named>> => {
  if (extname(path) === '.json') {
    const json = await readJson(path, 'a sweep or an experiment as JSON');
    if (isLeft(json)) return json;
    if (isRecord(json.right) && 'spec' in json.right) return loadSweep(path, json.right, allowed);
  }
  const spec = await loadSpec(path);
  if (isLeft(spec)) return spec;
  const { name, experiment } = spec.right;
  const plain = { settings: {}, grid: {}, random: {}, samples: 1, searchSeed: 0, seeds: [0] };
  const run = { heldOut: HELD_OUT_PART, backend: 'auto', device: 'auto', evaluation: plainEvaluation };
  return right({ name, sweep: { spec: experiment, ...plain, ...run } });
};

/** The sweep with all that the command line says. */
const withOptions = (sweep: Sweep<Evaluation>, given: Arguments): Checked<Sweep<Evaluation>> => {
  const search = searchOf(sweep, given);
  const pairs = assignments(given.all('set'));
  const evaluation = evaluationOf(sweep.evaluation, given);
  const problems = [search, pairs, evaluation].flatMap((one) => (isLeft(one) ? one.left : []));
  if (isLeft(search) || isLeft(pairs) || isLeft(evaluation)) return left(problems);
  const spec = configured(sweep.spec, pairs.right, given);
  return isLeft(spec)
    ? spec
    : right({
        ...search.right,
        spec: spec.right,
        evaluation: evaluation.right,
        backend: given.last('backend') ?? sweep.backend,
        device: given.last('device') ?? sweep.device,
      });
};

/** `eta=0.1 seed=2`: what tells a trial from the others. */
const labelled =
  (axes: readonly string[]) =>
  (trial: Trial<Evaluation>): Labelled => ({
    label: [...axes.map((axis) => `${axis}=${trial.settings[axis]}`), `seed=${trial.seed}`].join(' '),
    trial,
  });

const resultOf = ({ trial: { settings, seed }, key, folder, outcome }: Performed) => ({
  settings,
  seed,
  key,
  folder,
  ...(outcome === undefined
    ? { ok: false }
    : isLeft(outcome)
      ? { ok: false, problems: outcome.left }
      : { ok: true, result: outcome.right }),
});

export const sweep = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['SPEC']);
  if (isLeft(given)) return fail(given.left, json);
  const loaded = await load(elementAt(given.right.positionals, 0), given.right.has('allow-modules'));
  if (isLeft(loaded)) return fail(loaded.left, json);
  const complete = withOptions(loaded.right.sweep, given.right);
  if (isLeft(complete)) return fail(complete.left, json);
  const axes = axesOf(complete.right);
  const trials = trialsOf(complete.right).map(labelled(axes));
  const request = await requestOf(given.right, `sweep-${loaded.right.name}`, trials);
  if (isLeft(request)) return fail(request.left, json);
  const performed = await performTrials(request.right);
  if (isLeft(performed)) return fail(performed.left, json);

  const { interrupted, trials: all } = performed.right;
  const failed = all.some(({ outcome }) => outcome !== undefined && isLeft(outcome));
  sayFailures(all);
  if (interrupted) say(`interrupted; the same command goes on in ${request.right.folder}`);
  if (json) {
    const ok = !interrupted && !failed;
    const { folder } = request.right;
    printJson({ ok, interrupted, folder, best: bestTrial(all) ?? null, trials: all.map(resultOf) });
  } else if (all.some(({ outcome }) => outcome !== undefined)) {
    const rows = sweepRows(all);
    const names = figureNames(rows);
    printText(sweepText(axes, rows, shownFigures(names, given.right.has('test')), columnsOf(process.stdout)));
    const best = bestTrial(all);
    if (best !== undefined && all.length > 1) say(bestText(best));
    if (isTested(names) && !isValidated(names))
      say(
        'nothing was held out to validate on: a configuration chosen by these test scores is not tested by them',
      );
  }
  return interrupted ? 130 : failed ? 1 : 0;
};

export const sweepUsage = usage(
  'sweep SPEC',
  'SPEC is an experiment, a module or a JSON file, or a sweep as JSON with its spec, grid, random and seeds. Trials that are done are not run again.',
  options,
);
