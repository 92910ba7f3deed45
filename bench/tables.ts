/**
 * `npm run bench -- tables FOLDER [NAMES] [SEEDS] [--json]`: rectangular flows by one recipe on the small tables that
 * bench/peers/small_tables.py has split and measured, beside its densities: NLL of test rows over the whole space, how well they are
 * told from rows of shuffled columns, and reconstruction. Outcomes are kept in FOLDER, and those that are there are not made again;
 * without a list of names it prints what is there as Markdown.
 */
import { elementAt, float32At } from '../dsl/lookup.js';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Dataset } from 'immersion/data';
import {
  adam,
  affine,
  type Experiment,
  experiment,
  inject,
  invert,
  latent,
  luLinear,
  network,
  schedule,
  showProblem,
} from 'immersion/dsl';
import { acrossSeeds, areaWithInterval, fitGaussian, fitSpaceDensity } from 'immersion/evaluation';
import { noisyManifold, rectangularDensity } from 'immersion/objectives';
import { type Fitted, prepareRun, type PrepareOptions, startBackend } from 'immersion/runs';
import { alternate } from '../examples/flows.js';
import { wordsOf } from './options.js';

type Figures = { readonly nll: number; readonly auc: number; readonly reconstruction?: number };

/** What the peer wrote: splits, row after row, and its figures. */
type Table = {
  readonly D: number;
  readonly train: readonly number[];
  readonly validation: readonly number[];
  readonly test: readonly number[];
  readonly shuffled: readonly number[];
  readonly peers: {
    readonly gaussian: Figures;
    readonly mixture: Figures & { readonly components: number };
    readonly ppca: Figures & {
      readonly d: number;
      readonly noise: number;
      readonly deviations: readonly number[];
    };
  };
};

/** Of a flow with noise around it, by itself and with a Gaussian of the training rows behind it. */
type Outcome = {
  readonly alone: Figures & { readonly noise: number };
  readonly whole: Figures & { readonly noise: number; readonly share: number };
  readonly steps: number;
  readonly seconds: number;
};

const tables = ['wine', 'breast_cancer', 'diabetes', 'iris', 'digits'];
const [WIDTH, COUPLINGS, BATCH, STEPS, EVERY, PATIENCE] = [32, 2, 64, 1000, 50, 4];

const fileOf = (folder: string, name: string, seed: number, kind = ''): string =>
  join(folder, `${name}-${seed}${kind}.json`);

const read = <A>(path: string): A => JSON.parse(readFileSync(path, 'utf8'));

/**
 * Begins as probabilistic principal components, of as many dimensions and as much noise as the peer chose by validation: a bijection of
 * the codes that has their deviations, then one of the space that is the identity. The objective is the negative log-likelihood of the
 * manifold with noise around it, whose deviation is trained too.
 */
const specification = ({ D, peers: { ppca } }: Table) => {
  const { d } = ppca;
  const bend = alternate(affine(), WIDTH, COUPLINGS, luLinear);
  const codes = luLinear(latent(d));
  const decoder = network('decoder', bend(inject(D)(d === 1 ? codes : bend(codes))));
  const encoder = invert(decoder);
  return experiment({
    encoder,
    decoder,
    objective: noisyManifold(encoder, decoder),
    logDensity: rectangularDensity(encoder, decoder),
    optimizer: adam({ rate: schedule.linear(1e-3, 0, STEPS), clipNorm: 10 }),
    batch: BATCH,
    steps: STEPS,
    data: 'a small table',
    validation: { every: EVERY },
  });
};

/** A background's ln p of rows. */
type Behind = { readonly logDensity: (rows: Float32Array | Float64Array) => Float64Array };

/** Trains until a few validations in a row were no better than the best, and gives the model as it was then. */
const bestOf = async (
  spec: Experiment,
  options: PrepareOptions,
): Promise<{ readonly model: Fitted; readonly steps: number }> => {
  const run = await prepareRun(spec, options);
  if (isLeft(run)) throw new Error(run.left.map(showProblem).join('\n'));
  const { events, fitted } = run.right;
  let [best, waited, at] = [Infinity, 0, 0];
  let state = await fitted.state();
  for await (const event of events) {
    if (event.tag !== 'validation') continue;
    console.error(`step ${event.step}: validation ${event.loss.toFixed(3)}`);
    if (event.loss < best) {
      [best, waited, at] = [event.loss, 0, event.step];
      state = await fitted.state();
    } else if (++waited === PATIENCE) break;
  }
  fitted.dispose();
  const restored = await prepareRun(spec, { ...options, state });
  if (isLeft(restored)) throw new Error(restored.left.map(showProblem).join('\n'));
  return { model: restored.right.fitted, steps: at };
};

const trained = async (folder: string, name: string, seed: number): Promise<Outcome> => {
  const table: Table = read(fileOf(folder, name, seed));
  const { D, peers } = table;
  const set = (part: 'train' | 'validation' | 'test' | 'shuffled'): Dataset => ({
    name: part,
    shape: [D],
    size: table[part].length / D,
    examples: Float32Array.from(table[part]),
  });
  const [train, validation, test, shuffled] = [set('train'), set('validation'), set('test'), set('shuffled')];
  const backend = await startBackend('auto');
  if (isLeft(backend)) throw new Error(backend.left.map(showProblem).join('\n'));
  const scale = peers.ppca.deviations
    .slice(0, peers.ppca.d)
    .map((deviation) => 3 * Math.atanh(Math.log(deviation) / 3));
  const start = performance.now();
  const found = await bestOf(specification(table), {
    data: { train, validation, test },
    backend: backend.right,
    seed,
    state: {
      seed,
      step: 0,
      arrays: new Map([
        ['decoder/0.luLinear/scale', { shape: [peers.ppca.d], data: Float32Array.from(scale) }],
        ['noise', { shape: [], data: Float32Array.of(Math.log(peers.ppca.noise)) }],
      ]),
    },
  });
  const { model, steps } = found;
  const seconds = (performance.now() - start) / 1000;
  const background = fitGaussian(train.examples, D);
  if (isLeft(background)) throw new Error(background.left.map(showProblem).join('\n'));
  const none: Behind = { logDensity: (x) => new Float64Array(x.length / D).fill(-Infinity) };
  const measured = async (behind: Behind) => {
    const options = { background: behind, order: peers.ppca.d <= 2 ? 5 : 1 };
    const space = await fitSpaceDensity(model, validation.examples, options);
    if (isLeft(space)) throw new Error(space.left.map(showProblem).join('\n'));
    const { share, noise, at, dispose } = space.right;
    const [inside, outside] = [await at(test.examples), await at(shuffled.examples)];
    if (isLeft(inside) || isLeft(outside)) throw new Error('no density');
    const scores = [inside, outside].map(({ right: { logDensity } }) => logDensity.map((log) => -log));
    dispose();
    const nll = elementAt(scores, 0).reduce((sum, x) => sum + x, 0) / test.size;
    return { nll, auc: areaWithInterval(elementAt(scores, 0), elementAt(scores, 1)).auc, share, noise };
  };
  const reconstructions = await model.reconstruct(test.examples);
  const squares = test.examples.reduce((sum, x, at) => sum + (x - float32At(reconstructions, at)) ** 2, 0);
  return {
    alone: { ...(await measured(none)), reconstruction: squares / test.size },
    whole: await measured(background.right),
    steps,
    seconds,
  };
};

/** Mean over seeds and half of Student's interval. */
const cell = (values: readonly number[], digits: number): string => {
  const found = acrossSeeds(values);
  if (isLeft(found)) return '';
  const { mean, interval } = found.right;
  return interval === undefined
    ? mean.toFixed(digits)
    : `${mean.toFixed(digits)} ± ${((interval[1] - interval[0]) / 2).toFixed(digits)}`;
};

const markdown = (folder: string): string => {
  const seeds = Array.from({ length: 100 }, (_, seed) => seed);
  const rows = tables.flatMap((name) => {
    const made = seeds.filter((seed) => existsSync(fileOf(folder, name, seed, '-flow')));
    if (made.length === 0) return [];
    const peers = made.map((seed) => read<Table>(fileOf(folder, name, seed)).peers);
    const flows = made.map((seed) => read<Outcome>(fileOf(folder, name, seed, '-flow')));
    const models: readonly (readonly [string, readonly Figures[]])[] = [
      ['full Gaussian', peers.map((p) => p.gaussian)],
      ['mixture', peers.map((p) => p.mixture)],
      ['PPCA', peers.map((p) => p.ppca)],
      ['rectangular flow', flows.map(({ alone }) => alone)],
      ['… and background', flows.map(({ whole }) => whole)],
    ];
    return models.map(([model, figures], k) => {
      const errors = figures.flatMap(({ reconstruction }) => reconstruction ?? []);
      const cells = [
        k === 0 ? `${name} (${made.length})` : '',
        model,
        cell(
          figures.map(({ nll }) => nll),
          2,
        ),
        k < 3
          ? ''
          : cell(
              figures.map(({ nll }, at) => nll - elementAt(peers, at).ppca.nll),
              2,
            ),
        cell(
          figures.map(({ auc }) => auc),
          3,
        ),
        errors.length === 0 ? '' : cell(errors, 3),
      ];
      return `| ${cells.join(' | ')} |`;
    });
  });
  return [
    '| table (seeds) | model | NLL | less PPCA’s | AUC | ‖x − x̂‖² |',
    '| --- | --- | ---: | ---: | ---: | ---: |',
    ...rows,
  ].join('\n');
};

const [folder = '.', names, seeds = '5'] = wordsOf();
for (const name of names?.split(',') ?? [])
  for (let seed = 0; seed < Number(seeds); seed++) {
    const path = fileOf(folder, name, seed, '-flow');
    if (existsSync(path)) continue;
    const outcome = await trained(folder, name, seed);
    console.error(`${name} ${seed}: ${JSON.stringify(outcome)}`);
    writeFileSync(path, JSON.stringify(outcome));
  }
if (names === undefined) console.log(markdown(folder));
process.exit(0);
