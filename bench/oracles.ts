/**
 * `npm run bench -- oracles [--seeds 1] [--oracles circle,sphere] [--methods exact,two-step] [--jobs 2] [--backend auto] [--json]`: rectangular
 * flows on the examples' manifolds, whose densities are known: test NLL beside the least that is possible, and RMS distance, as
 * means over seeds. A seed draws the data and the weights. Prints Markdown.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isLeft } from 'fp-ts/lib/Either.js';
import { loadData, logDensity } from 'immersion/data';
import {
  type Experiment,
  experiment,
  invert,
  latent,
  min,
  mul,
  network,
  schedule,
  showProblem,
  step,
  sub,
} from 'immersion/dsl';
import { acrossSeeds, densityFit } from 'immersion/evaluation';
import { logDensityOf, rectangularDensity, twoStep } from 'immersion/objectives';
import { fit, provenance, startBackend } from 'immersion/runs';
import { circle } from '../examples/circle.js';
import { densityExperiment, type FlowExample, training } from '../examples/flows.js';
import { linear } from '../examples/linear.js';
import { sine } from '../examples/sine.js';
import { sphere } from '../examples/sphere.js';
import { torus } from '../examples/torus.js';

const { values } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== 'oracles'),
  options: {
    seeds: { type: 'string', default: '1' },
    oracles: { type: 'string' },
    methods: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    backend: { type: 'string', default: 'auto' },
    json: { type: 'boolean', default: false },
    /** Which of the jobs this process runs, `1/2`; set by the process that prints. */
    share: { type: 'string' },
  },
});

/** Steps. */
const WARM_UP = 200;

/** The manifold for as many steps as the others have, then for as many again the flow of its codes: the same two parts as two networks. */
const twoSteps = <const d extends number, const D extends number>(example: FlowExample<d, D>): Experiment => {
  const base = network('base', example.codes);
  const decoder = network('decoder', example.onto(latent(example.d)));
  const encoder = invert(decoder);
  const logPrior = logDensityOf(base);
  const { beta, rate, steps } = example;
  const fall = schedule.linear(rate, 0, steps);
  // What Adam remembers of the manifold's gradients would still move it, so that the rate rises anew as that fades.
  const rise = min(mul(1 / WARM_UP, sub(step, steps)), 1);
  const again = mul(rise, sub(2 * rate, mul(rate / steps, step)));
  return experiment({
    encoder,
    decoder,
    objective: twoStep(encoder, decoder, { ...example.likelihood, beta, logPrior, period: steps }),
    logDensity: rectangularDensity(encoder, decoder, { logPrior }),
    ...training(example, schedule.piecewise(fall, { from: steps, value: again })),
    steps: 2 * steps,
  });
};

const methodsOf = <const d extends number, const D extends number>(example: FlowExample<d, D>) => ({
  exact: () => densityExperiment(example, 'exact'),
  stochastic: () => densityExperiment(example, 'stochastic'),
  'two-step': () => twoSteps(example),
});

const oracles = new Map(
  Object.entries({
    circle: methodsOf(circle),
    sine: methodsOf(sine),
    linear: methodsOf(linear),
    sphere: methodsOf(sphere),
    torus: methodsOf(torus),
  }).map(([name, methods]) => [name, new Map(Object.entries(methods))]),
);

const chosen = <A>(
  all: ReadonlyMap<string, A>,
  what: string,
  text: string | undefined,
): readonly string[] => {
  const names = text?.split(',') ?? [...all.keys()];
  const unknown = names.filter((name) => !all.has(name));
  if (unknown.length === 0) return names;
  console.error(`--${what}: found ${unknown.join(', ')}, expected some of ${[...all.keys()].join(', ')}`);
  process.exit(1);
};

type Job = { readonly oracle: string; readonly method: string; readonly seed: number };

/** Figures are absent where the training failed. */
type Outcome = Job & {
  readonly nll?: number;
  readonly optimal?: number;
  /** NLL of the true density at the same examples. */
  readonly truth?: number;
  readonly distance?: number;
  readonly seconds?: number;
  readonly failure?: string;
};

const jobs: readonly Job[] = chosen(oracles, 'oracles', values.oracles).flatMap((oracle) =>
  chosen(oracles.get('circle') ?? new Map(), 'methods', values.methods).flatMap((method) =>
    Array.from({ length: Number(values.seeds) }, (_, i) => ({ oracle, method, seed: i + 1 })),
  ),
);

const TEST_EXAMPLES = 10_000;

const withSettings = (data: string, seed: number): string =>
  `${data}${data.includes('?') ? '&' : '?'}test=${TEST_EXAMPLES}&seed=${seed}`;

const backend = async () => {
  const started = await startBackend(values.backend);
  if (isLeft(started)) throw new Error(started.left.map(showProblem).join('\n'));
  return started.right;
};

const runJob = async (
  { oracle, method, seed }: Job,
  on: Awaited<ReturnType<typeof backend>>,
): Promise<Outcome> => {
  const spec = oracles.get(oracle)?.get(method)?.();
  if (spec === undefined) throw new Error(`no ${method} of ${oracle}`);
  const data = await loadData(withSettings(spec.data, seed))();
  if (isLeft(data)) throw new Error(data.left.map(showProblem).join('\n'));
  const start = performance.now();
  const fitted = await fit({ ...spec, validation: { every: 0 } }, { data: data.right, backend: on, seed });
  if (isLeft(fitted)) throw new Error(fitted.left.map(showProblem).join('\n'));
  const seconds = (performance.now() - start) / 1000;
  const found = await densityFit(fitted.right, data.right.test, data.right.manifold);
  fitted.right.dispose();
  const { manifold, test } = data.right;
  if (found === undefined || found.optimal === null || manifold === undefined || test.latents === undefined)
    throw new Error(`${oracle} is no oracle`);
  const { latents, size } = test;
  const d = manifold.dimension;
  const truth =
    Array.from(
      { length: size },
      (_, row) => -logDensity(manifold, latents.subarray(row * d, (row + 1) * d)),
    ).reduce((sum, one) => sum + one, 0) / size;
  const { nll, optimal, distance } = found;
  return { oracle, method, seed, nll, optimal, truth, distance, seconds };
};

const runShare = async (share: string): Promise<void> => {
  const [own, all] = share.split('/').map(Number);
  const on = await backend();
  for (const job of jobs.filter((_, i) => i % all === own)) {
    const failed = (error: unknown): Outcome => ({ ...job, failure: String(error) });
    console.log(JSON.stringify(await runJob(job, on).catch(failed)));
  }
};

/** The outcomes of a process of its own that runs a share of the jobs. */
const shareOf = (own: number, all: number): Promise<readonly Outcome[]> => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const args = [...process.execArgv, main, ...process.argv.slice(2), '--share', `${own}/${all}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const outcomes: Outcome[] = [];
  const lines = createInterface(child.stdout);
  lines.on('line', (line) => {
    const outcome: Outcome = JSON.parse(line);
    outcomes.push(outcome);
    console.error(`oracles: ${line}`);
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code === 0) resolve(outcomes);
      else reject(new Error(`a share of the oracles ended with ${code}`));
    });
  });
};

/** `1.634 ± 0.003`, the standard error after the mean where there are several. */
const meanText = (figures: readonly number[], digits: number): string => {
  const across = acrossSeeds(figures);
  if (isLeft(across)) return '–';
  const { mean, standardError } = across.right;
  return `${mean.toFixed(digits)}${standardError === undefined ? '' : ` ± ${standardError.toFixed(digits)}`}`;
};

const rowOf = (outcomes: readonly Outcome[], first: boolean): string => {
  const [{ oracle, method }] = outcomes;
  const figures = (key: 'nll' | 'optimal' | 'truth' | 'distance'): readonly number[] =>
    outcomes.flatMap(({ [key]: value }) => (value === undefined ? [] : [value]));
  const failed = outcomes.filter(({ failure }) => failure !== undefined).length;
  const [optimal] = figures('optimal');
  return `| ${[
    first ? oracle : '',
    method,
    first && optimal !== undefined ? optimal.toFixed(3) : '',
    meanText(figures('truth'), 3),
    `${meanText(figures('nll'), 3)}${failed === 0 ? '' : ` (${failed} failed)`}`,
    meanText(figures('distance'), 4),
  ].join(' | ')} |`;
};

const markdown = (outcomes: readonly Outcome[], on: string, command: string): string => {
  const { date, processor, versions } = provenance();
  const cells = jobs.filter(({ seed }) => seed === 1);
  const rows = cells.map(({ oracle, method }, i) =>
    rowOf(
      outcomes.filter((one) => one.oracle === oracle && one.method === method),
      cells[i - 1]?.oracle !== oracle,
    ),
  );
  return [
    '| manifold | objective | least NLL | of the true density | of the model | RMS distance |',
    '| --- | --- | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    `NLL of ${TEST_EXAMPLES.toLocaleString('en-US')} test examples in nats, exact, at the points of the learned manifold that they project to; mean ± standard error over ${values.seeds} ${values.seeds === '1' ? 'seed' : 'seeds'}, each with data and weights of its own. The least is the entropy on the true manifold, and beside it stands the true density's NLL of the same examples; a model on another manifold, at a distance from the examples, can have less. Two-step has as many steps for the density as for the manifold, where it has as many as the others.`,
    '',
    `\`${command}\`, ${date}, ${processor}, ${on}, ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
  ].join('\n');
};

if (values.share !== undefined) {
  await runShare(values.share);
  process.exit(0);
}
const { description } = await backend();
const shares = Math.max(1, Math.min(Number(values.jobs), jobs.length));
const outcomes = (await Promise.all(Array.from({ length: shares }, (_, own) => shareOf(own, shares)))).flat();
const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
console.log(
  values.json
    ? JSON.stringify({ ...provenance(), command, outcomes }, null, 2)
    : markdown(outcomes, description, command),
);
process.exit(outcomes.some(({ failure }) => failure !== undefined) ? 1 : 0);
