/** `immersion explain SPEC`: what an experiment computes and what it costs, before anything runs; on demand, where the time of a step goes. */
import { elementAt } from '../dsl/lookup.js';
import * as E from 'fp-ts/lib/Either.js';
import { attempt } from '../backends/failure.js';
import { lowerGraph, lowerToKernels, lowerWasm, printGraph } from '../backends/index.js';
import {
  type Compiled,
  compile,
  type Plan,
  print,
  printLoops,
  printPlan,
  type Program,
} from '../compiler/index.js';
import { type Experiment, objectiveLatex, type Problem, setValues } from '../dsl/index.js';
import { type Backend, backendNames, startBackend } from '../runs/index.js';
import { assignments, type Option, readArguments, wantsJson } from './options/arguments.js';
import { type Explanation, explanationOf } from './explanation/explanation.js';
import { explanationText } from './explanation/explanation-text.js';
import { profileResult, profileText } from './explanation/profile.js';
import { loadSpec } from '../runs/load-spec.js';
import { profileStep } from './running/profile-step.js';
import { fail, printText, printJson } from './terminal/output.js';
import { columnsOf } from './terminal/width.js';
import { usage } from './options/usage.js';

type Checked<A> = E.Either<readonly Problem[], A>;

/** The step and its state as the native backend's session holds them. */
const graphOf = (program: Program): string => {
  const held = program.binders.filter(({ kind }) => kind === 'parameter' || kind === 'state');
  return printGraph(lowerGraph([program], new Map(held.map(({ name, var: x }) => [name, x.type.shape]))));
};

/** Plans that are known without starting anything. */
const plans = new Map<string, (program: Program) => Plan>([
  ['wasm', lowerWasm],
  ['cpu', (program) => lowerToKernels(program, { hasFilterGradient: true })],
]);

const options: readonly Option[] = [
  {
    name: 'set',
    value: 'NAME=VALUE',
    summary: 'sets a hyper-parameter or a field such as batch; repeatable',
  },
  { name: 'latex', summary: 'the objective, and the density, as LaTeX for amsmath, and nothing else' },
  { name: 'ir', summary: "also the step's program after each pass, and its plan" },
  { name: 'loops', summary: "also the step's loops as the backend runs them, with their FLOPs and bytes" },
  {
    name: 'profile',
    summary: 'also the time of each of these, measured here and now, its rates and its share of a step',
  },
  { name: 'backend', value: 'NAME', summary: `whose plan: ${backendNames.join(', ')} (wasm)` },
];

/** A display for the objective, and one for the density. */
const latexOf = ({ objective, logDensity }: Experiment): readonly string[] =>
  [objective, ...(logDensity === undefined ? [] : [{ 'ln p(x)': logDensity }])].map(
    (terms) => `\\[\n${objectiveLatex(terms)}\n\\]`,
  );

const heading = (title: string, columns: number): string => `── ${title} `.padEnd(columns, '─');

/** A page of the intermediate representation: the program after a pass, the plan, its loops, or their times. */
type Page = { readonly title: string; readonly text: string };

/** The backend where its plan, or the time of it, is asked for and is not known without it; `auto` as for a run of the experiment. */
const startedFor = async (
  name: string,
  { experiment: { steps }, step: program }: Compiled,
  { isPlanned, isProfiled }: { readonly isPlanned: boolean; readonly isProfiled: boolean },
): Promise<Checked<Backend | undefined>> => {
  const isKnown = plans.has(name) || name === 'native';
  return isProfiled || (isPlanned && !isKnown)
    ? startBackend(name, { work: { program, steps } })
    : E.right(undefined);
};

/** On the left that nothing has this name. */
const nameOf = async (name: string): Promise<Checked<string>> =>
  name === 'auto' || backendNames.includes(name)
    ? E.right(name)
    : E.map(() => name)(await startBackend(name));

const planText = (
  name: string,
  program: Program,
  planOf: ((program: Program) => Plan) | undefined,
): string => {
  if (planOf !== undefined) return printPlan(planOf(program));
  return name === 'native' ? graphOf(program) : `${name} says nothing of its plan\n`;
};

const noLoops = (backend: string): string =>
  `${backend} runs a step as one graph, which --ir shows; --backend cc and --backend wasm have loops`;

const show = (explanation: Explanation, pages: readonly Page[], columns: number): void => {
  const below = pages.map(({ title, text }) => `${heading(title, columns)}\n\n${text}`);
  printText([explanationText(explanation, columns), ...below].join('\n').trimEnd());
};

export const explain = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['SPEC']);
  if (E.isLeft(given)) return fail(given.left, json);
  const named = await nameOf(given.right.last('backend') ?? 'wasm');
  const pairs = assignments(given.right.all('set'));
  const early = [named, pairs].flatMap((either) => (E.isLeft(either) ? either.left : []));
  if (E.isLeft(named) || E.isLeft(pairs)) return fail(early, json);

  const spec = await loadSpec(elementAt(given.right.positionals, 0));
  if (E.isLeft(spec)) return fail(spec.left, json);
  const experiment = setValues(spec.right.experiment, Object.fromEntries(pairs.right));
  if (E.isLeft(experiment)) return fail(experiment.left, json);
  const compiled = compile(experiment.right);
  if (E.isLeft(compiled)) return fail(compiled.left, json);
  const explanation = explanationOf(compiled.right);
  if (E.isLeft(explanation)) return fail(explanation.left, json);

  const { has } = given.right;
  const [isIr, isLoops, isProfiled] = [has('ir'), has('loops'), has('profile')];
  const started = await startedFor(named.right, compiled.right, { isPlanned: isIr || isLoops, isProfiled });
  if (E.isLeft(started)) return fail(started.left, json);
  const { step, stages } = compiled.right;
  const backend = started.right;
  const name = backend?.name ?? named.right;
  const planOf = backend?.plan ?? plans.get(name);
  const measured =
    backend === undefined || !isProfiled
      ? E.right(undefined)
      : await attempt(() => profileStep(compiled.right, backend));
  if (E.isLeft(measured)) return fail(measured.left, json);
  const profile = measured.right && backend && profileResult(measured.right, backend, step);
  const asked: readonly Page[] = [
    ...(isIr
      ? [
          ...stages.map(({ pass, program }) => ({ title: `after ${pass}`, text: print(program) })),
          {
            title: `plan for ${name}`,
            text: planText(name, step, planOf),
          },
        ]
      : []),
    ...(isLoops
      ? [
          {
            title: `loops for ${name}`,
            text: planOf === undefined ? `${noLoops(name)}\n` : printLoops(planOf(step)),
          },
        ]
      : []),
  ];
  const columns = columnsOf(process.stdout);
  const shown: readonly Page[] = [
    ...asked,
    ...(profile === undefined
      ? []
      : [
          {
            title: `times on ${name}`,
            text: `${profileText(profile, { columns })}\n`,
          },
        ]),
  ];
  const latex = latexOf(experiment.right);
  if (given.right.has('latex') && !json) {
    printText(latex.join('\n\n'));
    return 0;
  }
  if (json)
    printJson({
      ok: true,
      ...explanation.right,
      latex,
      ...(asked.length === 0 ? {} : { ir: asked }),
      ...(profile === undefined ? {} : { profile }),
    });
  else show(explanation.right, shown, columns);
  return 0;
};

export const explainUsage = usage(
  'explain SPEC',
  'Shows what an experiment computes and what it costs: SPEC is a module or a JSON file, as for train.',
  options,
);
