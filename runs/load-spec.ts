/** From a SPEC on the command line, a module or a JSON file, to a checked experiment. */
import { readFile, stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { tryCatch } from 'fp-ts/lib/TaskEither.js';
import * as language from '../dsl/index.js';
import { checkExperiment, decodeExperiment, type Experiment, type Problem, problem } from '../dsl/index.js';
import { optimizerNames } from '../dsl/codec/optimizer.js';
import { placeIn } from '../dsl/mistake.js';
import { didYouMean, errorText, nearest, thrownAt } from '../dsl/problem.js';
import { readyForUserModules } from './user-modules.js';

/** An experiment under the name of its file, which its run folder gets. */
export type Spec = { readonly name: string; readonly experiment: Experiment };

type Checked<A> = Either<readonly Problem[], A>;

const modules = ['.ts', '.mts', '.js', '.mjs'];
const expected = `a file ${modules.join(', ')} or .json`;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

const failed = (path: string, found: string, wanted: string, hint?: string): Checked<never> =>
  left([problem(path, found, wanted, hint)]);

/** Why a path is no file that could be read, or undefined. */
const missing = async (path: string): Promise<string | undefined> => {
  try {
    return (await stat(path)).isFile() ? undefined : 'a folder';
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'no such file' : errorText(error);
  }
};

/** A JSON file; what it is to hold is said where it cannot be read. */
export const readJson = async (path: string, what: string): Promise<Checked<unknown>> => {
  const why = await missing(path);
  if (why !== undefined) return failed(path, why, what);
  return tryCatch(
    async (): Promise<unknown> => JSON.parse(await readFile(path, 'utf8')),
    thrownAt(path, what, (error) => `invalid JSON (${errorText(error)})`),
  )();
};

/** With the place, where that is the specification's own. */
const textAt = (error: unknown): string => {
  const place = error instanceof Error ? placeIn(error.stack ?? '') : undefined;
  return `${errorText(error)}${place === undefined || place.startsWith('module_job') ? '' : ` at ${place}`}`;
};

/** The nearest name of the language for one that it has not; of an optimizer all of them. */
const missingNameHint = (text: string): string | undefined => {
  const [, word = ''] =
    /export named '(\w+)'/.exec(text) ??
    /(?:\w+\.)?(\w+) is not a (?:function|constructor)/.exec(text) ??
    /^(\w+) is not defined/.exec(text) ??
    [];
  if (word === '') return undefined;
  const hint = didYouMean(word, Object.keys(language));
  const isOptimizer = nearest(word, optimizerNames) !== undefined;
  return isOptimizer ? `${hint ?? 'there is none'} the optimizers are ${optimizerNames.join(', ')}` : hint;
};

const importModule = async (path: string): Promise<Checked<unknown>> => {
  await readyForUserModules();
  const module = await tryCatch(
    async (): Promise<unknown> => import(pathToFileURL(resolve(path)).href),
    (error) => [
      problem(
        path,
        `an error on loading (${textAt(error)})`,
        'a module that loads',
        missingNameHint(errorText(error)),
      ),
    ],
  )();
  if (isLeft(module)) return module;
  return typeof module.right === 'object' && module.right !== null && 'default' in module.right
    ? right(module.right.default)
    : failed(path, 'no default export', 'export default experiment({ … })');
};

const read = async (path: string): Promise<Checked<Experiment>> => {
  const why = await missing(path);
  if (why !== undefined) return failed(path, why, expected);
  const extension = extname(path);
  if (extension === '.json') {
    const json = await readJson(path, 'an experiment as JSON');
    return isLeft(json) ? json : decodeExperiment(json.right);
  }
  if (!modules.includes(extension))
    return failed(path, `a file ${extension || 'without extension'}`, expected);
  const value = await importModule(path);
  return isLeft(value) ? value : checkExperiment(value.right);
};

/** Loads and checks; a path relative to the current folder. */
export const loadSpec = async (path: string): Promise<Checked<Spec>> => {
  const experiment = await read(path);
  return isLeft(experiment)
    ? experiment
    : right({ name: basename(path, extname(path)), experiment: experiment.right });
};
