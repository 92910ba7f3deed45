/** A run from checks to files: what `train` and `start` have in common. */
import { join } from 'node:path';
import { type Either, flatten, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { openData, type Source, type Split } from '../data/index.js';
import type { Experiment, Problem } from '../dsl/index.js';
import {
  type DensityFit,
  type Geometry,
  openOutside,
  type OutsideData,
  reportPage,
} from '../evaluation/index.js';
import {
  noFiniteStep,
  prepareRun,
  type Run,
  startBackend,
  type StepEvent,
  threadsFor,
  type TrainEvent,
  type ValidationEvent,
} from '../runs/index.js';
import { attempt } from '../backends/failure.js';
import { createProgress, duration } from '../runs/records/progress.js';
import { type Findings, findingsOf, noFindings } from './findings.js';
import { interruption } from './interrupt.js';
import { say } from './output.js';
import { createRunFolder, fileNames, type RunFolder } from '../runs/run-folder.js';
import { versions } from '../runs/index.js';

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
  /** References of data that test examples are to be told from. */
  readonly outside: readonly string[];
};

/** What a run came to: the `--json` result. */
export type Result = {
  readonly ok: boolean;
  readonly interrupted: boolean;
  readonly folder: string;
  readonly files: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly backend: string;
  readonly steps: number;
  /** Steps that changed nothing, since their loss or gradient was not finite. */
  readonly skipped: number;
  readonly seconds: number;
  readonly loss: number | null;
  readonly validation: Omit<ValidationEvent, 'tag'> | null;
  /** Of the decoder along the held-out data; null for a run that was interrupted or a decoder without finite derivatives. */
  readonly geometry: Geometry | null;
  /** Of held-out examples; null for a run that was interrupted or a model that has no density there. */
  readonly density: Pick<DensityFit, 'nll' | 'optimal' | 'distance'> | null;
  /** How well test examples are told from those of other data, by reference. */
  readonly outside: Findings['outside'];
};

type Checked<A> = Either<readonly Problem[], A>;

type Prepared = {
  readonly data: Split<Source>;
  readonly outside: readonly OutsideData[];
  readonly run: Run;
};

const prepare = async (request: Request): Promise<Checked<Prepared>> => {
  const { experiment, seed, backend: name, device } = request;
  const data = await openData(experiment.data)();
  if (isLeft(data)) return data;
  const outside = await openOutside(request.outside, data.right.train.shape);
  if (isLeft(outside)) return outside;
  const run = await prepareRun(experiment, {
    data: data.right,
    backend: ({ step }) => startBackend(name ?? 'auto', { device, threads: threadsFor(step) }),
    seed,
  });
  return isLeft(run) ? run : right({ data: data.right, outside: outside.right, run: run.right });
};

type Followed = { readonly events: readonly TrainEvent[]; readonly interrupted: boolean };

/** Iterates the run; every event goes to the record and to the screen. */
const follow = async (run: Run, experiment: Experiment, folder: RunFolder): Promise<Checked<Followed>> => {
  const progress = createProgress(process.stderr, experiment);
  const interrupt = interruption();
  const events: TrainEvent[] = [];
  try {
    for await (const event of run.events) {
      events.push(event);
      const written = folder.record.write(event);
      if (isLeft(written)) return written;
      progress.onEvent(event);
      if (await interrupt.asked()) break;
    }
    return right({ events, interrupted: await interrupt.asked() });
  } finally {
    interrupt.stop();
    progress.end();
    folder.record.close();
  }
};

const isStep = (event: TrainEvent): event is StepEvent => event.tag === 'step';
const isValidation = (event: TrainEvent): event is ValidationEvent => event.tag === 'validation';

const withoutTag = ({ tag: _, ...rest }: ValidationEvent): Omit<ValidationEvent, 'tag'> => rest;

const finiteOrNull = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;

const densityFigures = ({ density }: Findings): Result['density'] => {
  if (density === null) return null;
  const { nll, optimal, distance } = density;
  return { nll, optimal, distance };
};

/** Checks everything, then trains and writes. On the left nothing was written, or the disk refused. */
export const runTraining = async (request: Request): Promise<Checked<Result>> => {
  const prepared = await prepare(request);
  if (isLeft(prepared)) return prepared;
  const { run, data, outside } = prepared.right;
  const { backend } = run;
  const { experiment } = run.compiled;
  const made = createRunFolder(experiment, request);
  if (isLeft(made)) return made;
  const folder = made.right;
  say(`backend ${backend.description}`);
  const followed = flatten(await attempt(() => follow(run, experiment, folder)));
  const weights = folder.writeWeights(await run.fitted.state());
  if (isLeft(followed)) return followed;
  if (isLeft(weights)) return weights;

  const { events, interrupted } = followed.right;
  const steps = events.filter(isStep);
  const skipped = steps.filter((event) => !event.committed).length;
  if (skipped > 0) say(`${skipped} of ${steps.length} steps were not finite and were skipped`);
  if (steps.length > 0 && skipped === steps.length) {
    return left([noFiniteStep(experiment, steps, `see ${join(folder.path, fileNames.record)}`)]);
  }
  const findings = interrupted ? noFindings : await findingsOf(run.fitted, data, outside, request);
  const withReport = request.report && !interrupted;
  if (withReport) {
    const { name, seed } = request;
    const facts = { name, seed, backend: backend.name, versions: versions(), ...findings };
    const html = await attempt(() => reportPage(run.fitted, data, events, facts));
    if (isLeft(html)) return html;
    const report = folder.writeReport(html.right);
    if (isLeft(report)) return report;
  }
  const seconds = steps.at(-1)?.seconds ?? 0;
  say(
    `${interrupted ? 'interrupted after' : 'trained'} ${steps.length} steps in ${duration(seconds)}; the run is in ${folder.path}`,
  );
  const last = events.filter(isValidation).at(-1);
  const { report, ...always } = fileNames;
  run.fitted.dispose();
  return right({
    ok: !interrupted,
    interrupted,
    folder: folder.path,
    files: Object.fromEntries(
      Object.entries({ ...always, ...(withReport ? { report } : {}) }).map(([key, name]) => [
        key,
        join(folder.path, name),
      ]),
    ),
    seed: request.seed,
    backend: backend.name,
    steps: steps.length,
    skipped,
    seconds,
    loss: finiteOrNull(steps.at(-1)?.loss),
    validation: last === undefined ? null : withoutTag(last),
    geometry: findings.geometry,
    density: densityFigures(findings),
    outside: findings.outside,
  });
};
