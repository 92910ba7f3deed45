/** A trial from its data to its figures: a run with settings of its own, in the trial's folder where it has one. */
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { openData } from '../../data/index.js';
import { encodeExperiment, type Experiment, type Problem } from '../../dsl/index.js';
import { peakMemory } from '../../backends/memory.js';
import { tidied } from '../../backends/places.js';
import type { Backend } from '../../backends/backend.js';
import { startBackend } from '../../backends/choose.js';
import { attempt } from '../../backends/failure.js';
import type { Fitted } from '../model/model.js';
import type { Tensor } from '../model/state.js';
import type { TrainEvent } from '../records/events.js';
import { ranText } from '../records/backends.js';
import { provenance } from '../records/provenance.js';
import { CHECKPOINTS } from '../run/checkpoint.js';
import { holdOut, type Parts, scoredInMemory } from '../run/hold-out.js';
import { checkpointAt, fileNames, readRun } from '../run/run-folder.js';
import type { From } from '../run/place.js';
import type { CheckpointPolicy } from '../run/settings.js';
import { autoFrom } from '../run/succession.js';
import { trainRun } from '../run/train.js';
import type { Figures, TrialResult } from './outcome.js';
import { fingerprintProblems } from './fingerprint.js';
import { trialFiles } from '../executors/executor.js';
import { canonical, experimentOf, type Trial } from './trial.js';

type Checked<A> = Either<readonly Problem[], A>;

/** What was measured of a fitted model: figures, why some are missing, and arrays such as samples that are kept beside them. */
export type Measured = {
  readonly figures: Figures;
  readonly missing: readonly Problem[];
  readonly arrays: ReadonlyMap<string, Tensor>;
};

export type Measure<Evaluation> = (
  evaluation: Evaluation,
  model: { readonly fitted: Fitted; readonly data: Parts; readonly seed: number },
) => Promise<Checked<Measured>>;

export type TrialOutput = { readonly result: TrialResult; readonly arrays: ReadonlyMap<string, Tensor> };

export type TrialOptions = {
  /** Sees every event; training waits for it. */
  readonly onEvent?: (event: TrainEvent) => Promise<void> | void;
  /** The trial's own folder, which becomes a run folder too; without it nothing is written. */
  readonly folder?: string | undefined;
  /** What relative paths count from for who opens the run later (the current folder). */
  readonly root?: string | undefined;
  /** When checkpoints are written. */
  readonly checkpoints?: CheckpointPolicy | undefined;
  /** The job of a cluster that it is. */
  readonly job?: string | undefined;
};

const files: readonly string[] = [...Object.values(trialFiles), ...Object.values(fileNames), CHECKPOINTS];
const runFiles: readonly string[] = [...Object.values(fileNames), CHECKPOINTS];

const sameSpec = (a: Experiment, b: Experiment): boolean => {
  const [one, other] = [encodeExperiment(a), encodeExperiment(b)];
  return !isLeft(one) && !isLeft(other) && canonical(one.right) === canonical(other.right);
};

/** Where an earlier process left the same trial; what it left of another one is removed. */
const earlier = (folder: string, experiment: Experiment, seed: number): From | undefined => {
  const note = readRun(folder);
  if (!isLeft(note) && note.right.settings !== undefined) {
    const checkpoint = checkpointAt(note.right, 'last');
    const { settings } = note.right;
    if (!isLeft(checkpoint) && settings.seed === seed && sameSpec(note.right.experiment, experiment))
      return { checkpoint: checkpoint.right, folder, settings };
  }
  runFiles.forEach((name) => tidied(join(folder, name)));
  return undefined;
};

type Prepared = {
  readonly experiment: Experiment;
  readonly data: Parts;
  readonly backend: Backend;
};

/** All that can be wrong with a trial where it is to run, before it runs. */
const prepareTrial = async (trial: Trial<unknown>): Promise<Checked<Prepared>> => {
  const experiment = experimentOf(trial);
  if (isLeft(experiment)) return experiment;
  const moved = trial.fingerprint === undefined ? [] : await fingerprintProblems(trial.fingerprint);
  if (moved.length > 0) return left(moved);
  const split = await openData(experiment.right.data)();
  if (isLeft(split)) return split;
  const held = holdOut(split.right, trial.heldOut);
  if (isLeft(held)) return held;
  const parts = await scoredInMemory(held.right);
  if (isLeft(parts)) return parts;
  const backend = await startBackend(trial.backend, { device: trial.device });
  if (isLeft(backend)) return backend;
  return right({ experiment: experiment.right, data: parts.right, backend: backend.right });
};

/** Looks whether a trial could run here, and on which backend. */
export const checkTrial = (trial: Trial<unknown>): Promise<Checked<{ readonly backend: string }>> =>
  attempt(async (): Promise<Checked<{ readonly backend: string }>> => {
    const prepared = await prepareTrial(trial);
    return isLeft(prepared) ? prepared : right({ backend: prepared.right.backend.name });
  }).then((outcome) => (isLeft(outcome) ? outcome : outcome.right));

/**
 * Checks, trains and measures; one that was ended goes on from its last checkpoint. On the left what was wrong, be it the
 * specification, the data, the training or the measuring.
 */
export const runTrial = <Evaluation>(
  trial: Trial<Evaluation>,
  measure: Measure<Evaluation>,
  { onEvent, folder, root = process.cwd(), checkpoints, job }: TrialOptions = {},
): Promise<Checked<TrialOutput>> =>
  attempt(async (): Promise<Checked<TrialOutput>> => {
    const prepared = await prepareTrial(trial);
    if (isLeft(prepared)) return prepared;
    const { experiment, data, backend } = prepared.right;
    const { seed } = trial;
    const from = folder === undefined ? undefined : earlier(folder, experiment, seed);
    const trained = await trainRun(experiment, {
      data,
      // Started already; another one follows where none was named.
      backend:
        trial.backend === 'auto'
          ? async (compiled, failed) =>
              failed.length === 0 ? right(backend) : autoFrom(undefined, trial.device)(compiled, failed)
          : backend,
      seed,
      onEvent,
      from,
      ...(checkpoints === undefined ? {} : { policy: { checkpoints } }),
      keep:
        folder === undefined
          ? undefined
          : {
              name: experiment.data,
              out: folder,
              mayHold: (entry) => files.includes(entry),
              root,
              device: trial.device,
              heldOut: trial.heldOut,
            },
      measure: ({ model }) => measure(trial.evaluation, { fitted: model, data, seed }),
    });
    if (isLeft(trained)) return trained;
    const { model, summary, found } = trained.right;
    model.dispose();
    const { steps, skipped, seconds, loss, validation } = summary;
    const { figures = {}, missing = [], arrays = new Map() } = found ?? {};
    return right({
      result: {
        backend: ranText(summary.ran),
        provenance: provenance(job),
        steps,
        skipped,
        seconds,
        loss,
        validation: validation?.terms ?? {},
        memory: peakMemory(),
        measures: figures,
        missing,
      },
      arrays,
    });
  }).then((outcome) => (isLeft(outcome) ? outcome : outcome.right));
