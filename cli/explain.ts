/** `immersion explain SPEC`: what an experiment computes and what it costs, before anything runs. */
import { elementAt } from '../dsl/lookup.js';
import * as E from 'fp-ts/lib/Either.js';
import { lowerGraph, lowerToKernels, lowerWasm, printGraph } from '../backends/index.js';
import { type Compiled, compile, print, printLoops, printPlan, type Program } from '../compiler/index.js';
import {
  didYouMean,
  type Experiment,
  objectiveLatex,
  type Problem,
  problem,
  setValues,
} from '../dsl/index.js';
import { assignments, type Option, readArguments, wantsJson } from './options/arguments.js';
import { type Explanation, explanationOf } from './explanation/explanation.js';
import { explanationText } from './explanation/explanation-text.js';
import { loadSpec } from '../runs/load-spec.js';
import { fail, printText, printJson } from './terminal/output.js';
import { usage } from './options/usage.js';

type Checked<A> = E.Either<readonly Problem[], A>;
/** What a backend runs for a program, as text. */
type Lower = (program: Program) => string;

/** The step and its state as the native backend's session holds them. */
const graphOf: Lower = (program) => {
  const held = program.binders.filter(({ kind }) => kind === 'parameter' || kind === 'state');
  return printGraph(lowerGraph([program], new Map(held.map(({ name, var: x }) => [name, x.type.shape]))));
};

const lowerings = new Map<string, Lower>([
  ['wasm', (program) => printPlan(lowerWasm(program))],
  ['cpu', (program) => printPlan(lowerToKernels(program, { hasFilterGradient: true }))],
  ['native', graphOf],
]);

const options: readonly Option[] = [
  {
    name: 'set',
    value: 'NAME=VALUE',
    summary: 'sets a hyper-parameter or a field such as batch; repeatable',
  },
  { name: 'latex', summary: 'the objective, and the density, as LaTeX for amsmath, and nothing else' },
  { name: 'ir', summary: "also the step's program after each pass, and its plan" },
  { name: 'loops', summary: "also the step's loops as wasm runs them, with their FLOPs and bytes" },
  { name: 'backend', value: 'NAME', summary: `whose plan: ${[...lowerings.keys()].join(', ')} (wasm)` },
];

/** A display for the objective, and one for the density. */
const latexOf = ({ objective, logDensity }: Experiment): readonly string[] =>
  [objective, ...(logDensity === undefined ? [] : [{ 'ln p(x)': logDensity }])].map(
    (terms) => `\\[\n${objectiveLatex(terms)}\n\\]`,
  );

const heading = (title: string): string => `── ${title} `.padEnd(100, '─');

/** A page of the intermediate representation: the program after a pass, or the plan. */
type Page = { readonly title: string; readonly text: string };

const pages = ({ stages, step }: Compiled, lower: Lower, backend: string): readonly Page[] => [
  ...stages.map(({ pass, program }) => ({ title: `after ${pass}`, text: print(program) })),
  { title: `plan for ${backend}`, text: lower(step) },
];

const lowering = (backend: string): Checked<Lower> => {
  const lower = lowerings.get(backend);
  if (lower !== undefined) return E.right(lower);
  const names = [...lowerings.keys()];
  const wanted = `one of ${names.join(', ')}`;
  return E.left([problem('--backend', JSON.stringify(backend), wanted, didYouMean(backend, names))]);
};

const show = (explanation: Explanation, ir: readonly Page[] | undefined): void => {
  const below = (ir ?? []).map(({ title, text }) => `${heading(title)}\n\n${text}`);
  printText([explanationText(explanation), ...below].join('\n').trimEnd());
};

export const explain = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['SPEC']);
  if (E.isLeft(given)) return fail(given.left, json);
  const backend = given.right.last('backend') ?? 'wasm';
  const lower = lowering(backend);
  const pairs = assignments(given.right.all('set'));
  const early = [lower, pairs].flatMap((either) => (E.isLeft(either) ? either.left : []));
  if (E.isLeft(lower) || E.isLeft(pairs)) return fail(early, json);

  const spec = await loadSpec(elementAt(given.right.positionals, 0));
  if (E.isLeft(spec)) return fail(spec.left, json);
  const experiment = setValues(spec.right.experiment, Object.fromEntries(pairs.right));
  if (E.isLeft(experiment)) return fail(experiment.left, json);
  const compiled = compile(experiment.right);
  if (E.isLeft(compiled)) return fail(compiled.left, json);
  const explanation = explanationOf(compiled.right);
  if (E.isLeft(explanation)) return fail(explanation.left, json);

  const asked = [
    ...(given.right.has('ir') ? pages(compiled.right, lower.right, backend) : []),
    ...(given.right.has('loops')
      ? [{ title: 'loops for wasm', text: printLoops(lowerWasm(compiled.right.step)) }]
      : []),
  ];
  const ir = asked.length === 0 ? undefined : asked;
  const latex = latexOf(experiment.right);
  if (given.right.has('latex') && !json) {
    printText(latex.join('\n\n'));
    return 0;
  }
  if (json) printJson({ ok: true, ...explanation.right, latex, ...(ir === undefined ? {} : { ir }) });
  else show(explanation.right, ir);
  return 0;
};

export const explainUsage = usage(
  'explain SPEC',
  'Shows what an experiment computes and what it costs: SPEC is a module or a JSON file, as for train.',
  options,
);
