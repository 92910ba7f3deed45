/**
 * `npm run bench -- stability --folder FOLDER [--tables breast_cancer-inside,wine,diabetes] [--ways auto,surrogate,pair] [--seeds 20] [--steps 2000] [--until 700] [--ramp 1000] [--backend auto] [--made] [--json]`:
 * whether the recipe for tables diverges: rectangular flows of 6 dimensions, width 64, four couplings, β 50, rate 2e-3, on standardised tables that
 * bench/peers/tables.py has written, for many seeds, by each way of the volume's gradient. Outcomes are kept in FOLDER, and those that are there are not made again;
 * seed by seed, so that a study that is ended has as many of each. `--made` prints what is there.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { loadData } from 'immersion/data';
import {
  apply,
  dataOf,
  dot,
  draw,
  type Experiment,
  experiment,
  invert,
  jvp,
  network,
  objective,
  scale,
  schedule,
  solveGram,
  sphere,
  stop,
  showProblem,
  surrogate,
} from 'immersion/dsl';
import { rectangular, rectangularDensity } from 'immersion/objectives';
import { type Backend, fit, isStep, startBackend } from 'immersion/runs';
import { densityExperiment, parts, training } from '../examples/flows.js';
import { accepted, numberOf, optionsOf, refuse } from './options.js';

const values = optionsOf({
  folder: { type: 'string', default: '.' },
  tables: { type: 'string', default: 'breast_cancer-inside,wine,diabetes' },
  ways: { type: 'string', default: 'auto,surrogate,pair' },
  seeds: { type: 'string', default: '20' },
  steps: { type: 'string', default: '2000' },
  until: { type: 'string', default: '' },
  ramp: { type: 'string', default: '1000' },
  backend: { type: 'string', default: 'auto' },
  made: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
});
const [seeds, steps] = [numberOf(values, 'seeds'), numberOf(values, 'steps')];
const ramp = numberOf(values, 'ramp');
const until = values.until === '' ? steps : numberOf(values, 'until');
const folder = values.folder;

/** Dimensions of the manifold, and the rate. */
const [d, RATE] = [6, 2e-3] as const;

/** Steps that are not counted: until then the weight of the likelihood is next to nothing. */
const FIRST = 50;

/** Of the likelihood. */
const weight = schedule.linear(0, 1, ramp);

type Way = 'auto' | 'surrogate' | 'pair';
type Outcome = {
  /** The greatest norm of a gradient after the first steps. */
  readonly norm: number;
  /** The mean of the last ten losses. */
  readonly loss: number;
  /** Of −ln p of the test rows. */
  readonly nll: number;
  /** Steps that were not finite, and changed nothing. */
  readonly skipped: number;
  /** Why the run failed, if it did. */
  readonly failure?: string;
  /** Test rows without a density, of how many. */
  readonly without: number;
  readonly rows: number;
  readonly milliseconds: number;
};

/** The authors' surrogate ½⟨J·stop(u), J·ε⟩, u = (JᵀJ)⁻¹ε, composed by hand, so that nothing bounds it. */
const pairOf = (D: number, data: string, rows: number): Experiment => {
  const flow = parts({ d, D, width: 64, couplings: 4 });
  const decoder = network('decoder', flow.onto(flow.codes));
  const encoder = invert(decoder);
  const z = apply(encoder, dataOf(encoder));
  const epsilon = draw('epsilon', sphere(d));
  const u = stop(solveGram(decoder, z, epsilon));
  const pair = scale(0.5, dot(jvp(decoder, z, u), jvp(decoder, z, epsilon)));
  const { prior, reconstruction } = rectangular(encoder, decoder, { beta: 50, weight, method: 'exact' });
  const volume = scale(weight, surrogate(pair));
  return experiment({
    encoder,
    decoder,
    objective: objective({ prior, reconstruction, volume }),
    logDensity: rectangularDensity(encoder, decoder),
    ...training({ data, steps, rate: RATE, batch: Math.min(200, rows) }),
  });
};

const specOf = (way: Way, D: number, data: string, rows: number): Experiment =>
  way === 'pair'
    ? pairOf(D, data, rows)
    : densityExperiment(
        {
          ...parts({ d, D, width: 64, couplings: 4 }),
          data,
          steps,
          beta: 50,
          likelihood: { weight },
          rate: RATE,
          batch: Math.min(200, rows),
        },
        way === 'auto' ? 'auto' : 'stochastic',
      );

const meanOf = (of: readonly number[]): number => of.reduce((a, b) => a + b, 0) / of.length;

const trained = async (backend: Backend, table: string, way: Way, seed: number): Promise<Outcome> => {
  const reference = `${join(folder, table)}.csv?standardize`;
  const data = accepted(await loadData(reference)());
  const { train, test } = data;
  const spec = specOf(way, test.shape[0] ?? 0, reference, train.size);
  let [norm, skipped, began] = [0, 0, 0];
  const losses: number[] = [];
  const controller = new AbortController();
  const fitted = await fit(spec, {
    data,
    backend,
    seed,
    heldOut: 0,
    signal: controller.signal,
    policy: { tolerateSkipped: true },
    onEvent: (event) => {
      if (!isStep(event)) return;
      if (event.step === FIRST) began = performance.now();
      if (event.step > FIRST) norm = Math.max(norm, event.gradientNorm);
      if (!event.committed) skipped++;
      losses.push(event.loss);
      if (event.step + 1 >= until) controller.abort();
    },
  });
  const milliseconds = (performance.now() - began) / Math.max(1, losses.length - FIRST - 1);
  const steady = { norm, loss: meanOf(losses.slice(-10)), skipped, rows: test.size, milliseconds };
  if (isLeft(fitted))
    return { ...steady, nll: NaN, without: test.size, failure: fitted.left.map(showProblem).join('; ') };
  const { values: found, dispose } = fitted.right;
  const { logDensity } = await found({ logDensity: spec.logDensity ?? dataOf(spec.encoder) }, test.examples);
  dispose();
  const known = [...logDensity.values].filter(Number.isFinite);
  return { ...steady, nll: -meanOf(known), without: test.size - known.length };
};

const isWay = (word: string): word is Way => ['auto', 'surrogate', 'pair'].includes(word);
const ways = values.ways
  .split(',')
  .map((word) => (isWay(word) ? word : refuse('--ways', word, 'auto, surrogate or pair')));

const fileOf = (table: string, way: Way, seed: number): string =>
  join(folder, `stability-${table}-${way}-${seed}-${until}${ramp === 1000 ? '' : `-${ramp}`}.json`);

const chosen = values.tables.split(',');

const make = async (): Promise<void> => {
  const backend = accepted(await startBackend(values.backend, { threads: 1 }));
  for (let seed = 0; seed < seeds; seed++)
    for (const table of chosen)
      for (const way of ways) {
        const path = fileOf(table, way, seed);
        if (existsSync(path)) continue;
        const outcome = await trained(backend, table, way, seed);
        console.error(`${table} ${way} ${seed}: ${JSON.stringify(outcome)}`);
        writeFileSync(path, JSON.stringify(outcome));
      }
};

type Row = { readonly table: string; readonly way: Way; readonly outcomes: readonly Outcome[] };

if (!values.made) await make();

/** Numbers that are none are null in a file. */
const outcomeIn = (path: string): Outcome => ({ loss: NaN, ...JSON.parse(readFileSync(path, 'utf8')) });

const rows = chosen.flatMap((table) =>
  ways.map((way): Row => {
    const files = Array.from({ length: seeds }, (_, seed) => fileOf(table, way, seed));
    return { table, way, outcomes: files.filter((file) => existsSync(file)).map(outcomeIn) };
  }),
);

const showRow = ({ table, way, outcomes }: Row): string => {
  const of = (what: (outcome: Outcome) => number): readonly number[] =>
    outcomes.map(what).sort((a, b) => a - b);
  const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const [norms, losses] = [of(({ norm }) => norm), of(({ loss }) => loss)];
  const cells = [
    table,
    way,
    String(outcomes.length),
    median(norms).toPrecision(3),
    (norms.at(-1) ?? NaN).toPrecision(3),
    `${median(losses).toFixed(1)} (${(losses.at(-1) ?? NaN).toFixed(1)})`,
    String(of(({ skipped }) => skipped).reduce((a, b) => a + b, 0)),
    `${of(({ without }) => without).reduce((a, b) => a + b, 0)} of ${of(({ rows: all }) => all).reduce((a, b) => a + b, 0)}`,
    median(of(({ milliseconds }) => milliseconds)).toFixed(1),
  ];
  return `| ${cells.join(' | ')} |`;
};

console.log(
  values.json
    ? JSON.stringify(rows, null, 2)
    : [
        '| table | way | seeds | median of greatest norms | greatest norm | last loss, median (greatest) | steps not finite | without a density | ms a step |',
        '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
        ...rows.map(showRow),
      ].join('\n'),
);
process.exit(0);
