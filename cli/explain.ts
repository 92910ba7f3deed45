/** `immersion explain SPEC`: what a specification computes and what it costs, before anything runs. */
import { parseArgs } from 'node:util';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readFile } from 'node:fs/promises';
import * as E from 'fp-ts/lib/Either.js';
import {
  type Compiled,
  compile,
  lowerPlain,
  lowerWasm,
  print,
  printPlan,
  type Program,
  type Plan,
} from '../compiler/index.js';
import {
  checkExperiment,
  decodeExperiment,
  didYouMean,
  type Experiment,
  type Problem,
  problem,
  setValues,
  showProblem,
} from '../dsl/index.js';
import { explanationOf } from './explanation.js';
import { explanationText } from './explanation-text.js';

type Checked<A> = E.Either<readonly Problem[], A>;

/** How each backend lowers a program. */
const lowerings: Readonly<Record<string, (program: Program) => Plan>> = {
  wasm: lowerWasm,
  cpu: (program) => lowerPlain(program, { hasFilterGradient: true }),
};

const heading = (title: string): string => `${`── ${title} `.padEnd(100, '─')}\n`;

/** The step after each pass, and its plan. */
const intermediate = (
  { stages, step }: Compiled,
  lower: (program: Program) => Plan,
  backend: string,
): string =>
  [
    ...stages.map(({ pass, program }) => `${heading(`after ${pass}`)}${print(program)}`),
    `${heading(`plan for ${backend}`)}${printPlan(lower(step))}`,
  ].join('\n');

const loadSpec = async (spec: string): Promise<Checked<Experiment>> => {
  const path = resolve(spec);
  try {
    if (path.endsWith('.json')) return decodeExperiment(JSON.parse(await readFile(path, 'utf8')));
    const module: { readonly default?: unknown } = await import(pathToFileURL(path).href);
    return checkExperiment(module.default);
  } catch (error) {
    return E.left([problem(spec, error instanceof Error ? error.message : String(error), 'a specification')]);
  }
};

const settingsOf = (pairs: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );

const report = (problems: readonly Problem[]): number => {
  for (const one of problems) console.error(showProblem(one));
  return 1;
};

export const explain = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      set: { type: 'string', multiple: true, default: [] },
      ir: { type: 'boolean', default: false },
      backend: { type: 'string', default: 'wasm' },
      json: { type: 'boolean', default: false },
    },
  });
  const [spec] = positionals;
  if (spec === undefined) return report([problem('SPEC', 'nothing', 'the path of a specification')]);
  const names = Object.keys(lowerings);
  if (!names.includes(values.backend)) {
    return report([
      problem(
        '--backend',
        JSON.stringify(values.backend),
        `one of ${names.join(', ')}`,
        didYouMean(values.backend, names),
      ),
    ]);
  }
  const loaded = await loadSpec(spec);
  const set = E.isLeft(loaded) ? loaded : setValues(loaded.right, settingsOf(values.set));
  const compiled = E.isLeft(set) ? set : compile(set.right);
  if (E.isLeft(compiled)) return report(compiled.left);
  const explanation = explanationOf(compiled.right);
  if (E.isLeft(explanation)) return report(explanation.left);
  const ir = values.ir ? intermediate(compiled.right, lowerings[values.backend], values.backend) : undefined;
  if (values.json) {
    console.log(JSON.stringify(ir === undefined ? explanation.right : { ...explanation.right, ir }, null, 2));
  } else {
    process.stdout.write(explanationText(explanation.right));
    if (ir !== undefined) process.stdout.write(`\n${ir}`);
  }
  return 0;
};
