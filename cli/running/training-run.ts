/** A run from the command line: what `train` and `start`, and whatever goes on with a run, have in common. */
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { openData, type Source, type Split } from '../../data/index.js';
import { shellPath } from '../../dsl/printing/shell.js';
import { type Experiment, type Problem, problem } from '../../dsl/index.js';
import {
  type DensityFit,
  type Geometry,
  openOutside,
  type OutsideData,
  priorKinds,
  type PriorName,
  priorOfRun,
  reportPage,
  type ShownPrior,
} from '../../evaluation/index.js';
import {
  type Criterion,
  defaultPolicy,
  type Evaluated,
  fileNames,
  type Fitted,
  gatherProfile,
  type History,
  type Measurable,
  type PolicyOptions,
  type Summary,
  type Trained,
  trainRun,
  versions,
} from '../../runs/index.js';
import { type Guarded, guardedTexts } from '../../runs/records/guards.js';
import { ranText } from '../../runs/records/backends.js';
import { readKeptExamples } from '../../runs/run/kept-examples.js';
import { turnText } from '../../runs/run/summary.js';
import { writeWhole } from '../../runs/records/whole-file.js';
import { attempt } from '../../backends/failure.js';
import { duration } from '../../runs/records/progress.js';
import { profileResult, type StepProfileResult } from '../explanation/profile.js';
import { sayProfile } from './profile-step.js';
import { type Findings, findingsOf, noFindings } from './findings.js';
import { following } from './following.js';
import { say } from '../terminal/output.js';

export type Request = {
  /** Names the run folder and heads the report. */
  readonly name: string;
  readonly experiment: Experiment;
  readonly seed: number;
  /** Absent for the best that loads. */
  readonly backend: string | undefined;
  readonly device: string | undefined;
  /** The run folder; absent for a new one under `outputs/`. */
  readonly out: string | undefined;
  readonly report: boolean;
  /** Says where the time of the steps went. */
  readonly profile?: boolean;
  /** Trained priors over its codes, such as `flow`. */
  readonly priors?: readonly PriorName[] | undefined;
  /** Writes event files for TensorBoard too. */
  readonly tensorboard?: boolean;
  /** References of data that test examples are to be told from. */
  readonly outside: readonly string[];
  readonly heldOut?: number | undefined;
  readonly policy?: PolicyOptions;
};

/** What a run came to: the `--json` result. */
export type Result = {
  readonly ok: boolean;
  readonly interrupted: boolean;
  readonly folder: string;
  readonly files: Readonly<Record<string, string>>;
  readonly seed: number;
  /** The one that it ended on. */
  readonly backend: string;
  /** Which steps were taken on which backend. */
  readonly ran: Summary['ran'];
  /** Steps taken, those of earlier processes included. */
  readonly steps: number;
  /** Steps that changed nothing, since their loss or gradient was not finite. */
  readonly skipped: number;
  /** Steps at which each guard acted, by its name. */
  readonly guarded: Guarded;
  readonly seconds: number;
  readonly loss: number | null;
  /** The last validation. */
  readonly validation: Evaluated | null;
  /** By the weights that the run leaves; null for a run that was interrupted or has no test examples. */
  readonly test: Evaluated | null;
  /** The best validation. */
  readonly best: { readonly step: number; readonly value: number } | null;
  /** The step whose weights the run leaves. */
  readonly step: number;
  /** Of the decoder along the held-out data; null for a run that was interrupted or a decoder without finite derivatives. */
  readonly geometry: Geometry | null;
  /** Of held-out examples; null for a run that was interrupted or a model that has no density there. */
  readonly density: Pick<DensityFit, 'nll' | 'optimal' | 'distance'> | null;
  /** How well test examples are told from those of other data, by reference. */
  readonly outside: Findings['outside'];
  /** Where the time of the steps went; absent unless it was asked for. */
  readonly profile?: StepProfileResult;
};

type Checked<A> = Either<readonly Problem[], A>;

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

const densityFigures = ({ density }: Findings): Result['density'] => {
  if (density === null) return null;
  const { nll, optimal, distance } = density;
  return { nll, optimal, distance };
};

/** Priors that are asked for, fitted to the codes that the run has kept, and kept with them where they are trained. */
const trainedPriors = async (
  model: Fitted,
  folder: string,
  names: readonly PriorName[],
): Promise<Checked<readonly ShownPrior[]>> => {
  if (names.length === 0) return right([]);
  const kept = readKeptExamples(folder);
  if (isLeft(kept)) return kept;
  if (kept.right === undefined)
    return left([problem('--prior', `no codes in ${folder}`, 'an encoder that takes examples whole')]);
  const run = { backend: model.backend, experiment: model.experiment, kept: kept.right, note: { folder } };
  const shown: ShownPrior[] = [];
  for (const name of names) {
    const prior = await priorOfRun(run, name, () => say(`trains the prior ${name} on the codes`));
    if (isLeft(prior)) return prior;
    shown.push({ ...prior.right, label: priorKinds[name].label({ components: 10 }) });
  }
  return right(shown);
};

/** What is looked at after a run: the findings, and the report page where it is asked for. */
export const findingsAfter =
  (
    { name, report, seed, priors: names = [] }: Pick<Request, 'name' | 'report' | 'seed' | 'priors'>,
    outside: readonly OutsideData[],
    history: History,
  ) =>
  async ({
    model,
    data,
    folder,
    summary,
    prepared: { settledAt },
  }: Measurable): Promise<Checked<Findings>> => {
    const findings = await findingsOf(model, data, outside, { seed, report });
    if (folder === undefined) return right(findings);
    const priors = await trainedPriors(model, folder, names);
    if (isLeft(priors)) return priors;
    if (!report) {
      priors.right.forEach(({ dispose }) => dispose());
      return right(findings);
    }
    const facts = {
      ...{ name, seed, backend: ranText(summary.ran), versions: versions(), settledAt, ...findings },
      priors: priors.right,
    };
    const html = await attempt(() => reportPage(model, data, history.events(), facts));
    if (isLeft(html)) return html;
    const written = writeWhole(join(folder, fileNames.report), html.right);
    return isLeft(written) ? written : right(findings);
  };

type Opened = { readonly data: Split<Source>; readonly outside: readonly OutsideData[] };

const open = async ({ experiment, outside: references }: Request): Promise<Checked<Opened>> => {
  const data = await openData(experiment.data, process.cwd(), { onProgress: say })();
  if (isLeft(data)) return data;
  const outside = await openOutside(references, data.right.train.shape);
  return isLeft(outside) ? outside : right({ data: data.right, outside: outside.right });
};

/** Checks everything, then trains and writes. On the left nothing was written, or the run could not go on. */
export const runTraining = async (request: Request): Promise<Checked<Result>> => {
  const opened = await open(request);
  if (isLeft(opened)) return opened;
  const { experiment, name, out, seed, backend, device, heldOut, policy } = request;
  const watch = following(request);
  const gathered = request.profile === true ? gatherProfile() : undefined;
  const trained = await trainRun(experiment, {
    data: opened.right.data,
    backend,
    device,
    seed,
    heldOut,
    policy,
    profile: gathered,
    keep: { name, out, root: process.cwd(), device },
    onStart: watch.onStart,
    onProgress: watch.onProgress,
    onEvent: watch.onEvent,
    signal: watch.signal,
    measure: (run) => {
      watch.stop();
      return findingsAfter(request, opened.right.outside, watch.history)(run);
    },
  }).finally(watch.stop);
  if (isLeft(trained)) return trained;
  const { backend: ended, compiled } = trained.right.model;
  const profile = gathered && profileResult(gathered.found(), ended, compiled.step);
  const result = resultOf(trained.right, request, { ...defaultPolicy, ...policy }.criterion);
  if (profile === undefined) return right(result);
  sayProfile(profile);
  return right({ ...result, profile });
};

/** What a run came to, said and as data; the model is gone afterwards. */
export const resultOf = (
  { model, summary, folder = '', found: findings = noFindings }: Trained<Findings>,
  request: Pick<Request, 'seed' | 'report'>,
  criterion: Criterion,
): Result => {
  const { validation, test, best, step, steps, skipped, guarded, seconds, loss, end, ran } = summary;
  const interrupted = end === 'interrupted';
  if (ran.length > 1)
    say(`steps were taken on ${ranText(ran)}: their bits are those of more than one backend`);
  if (skipped > 0) say(`${skipped} of ${steps} steps were not finite and were skipped`);
  for (const line of guardedTexts(guarded, steps)) say(line);
  const turned = turnText(summary, criterion);
  if (turned !== undefined) say(turned);
  say(
    `${interrupted ? 'interrupted after' : 'trained'} ${steps} steps in ${duration(seconds)}; the run is in ${folder}`,
  );
  if (interrupted) say(`go on with it: immersion resume ${shellPath(folder)}`);
  const withReport = request.report && !interrupted;
  const { report, spec, record, weights } = fileNames;
  const files = { spec, record, weights, ...(withReport ? { report } : {}) };
  const used = model.backend.name;
  model.dispose();
  return {
    ok: !interrupted,
    interrupted,
    folder,
    files: Object.fromEntries(Object.entries(files).map(([key, file]) => [key, join(folder, file)])),
    seed: request.seed,
    backend: used,
    ran,
    steps,
    skipped,
    guarded,
    seconds,
    loss: finiteOrNull(loss),
    validation: validation ?? null,
    test: test ?? null,
    best: best ?? null,
    step,
    geometry: findings.geometry,
    density: densityFigures(findings),
    outside: findings.outside,
  };
};
