/** Runs that are opened again: the model of a folder on any backend, without the program and the data that made it. */
import { type Either, isLeft, left, map, right } from 'fp-ts/lib/Either.js';
import { join } from 'node:path';
import { compile } from '../../compiler/index.js';
import { type Experiment, namesOf, optionProblems, type Problem, sizeOf } from '../../dsl/index.js';
import type { Backend } from '../../backends/backend.js';
import { memoryProblems } from '../../backends/memory.js';
import { type BackendOptions, startBackend } from '../../backends/choose.js';
import { attempt } from '../../backends/failure.js';
import { threadsFor } from '../../backends/tensorflow/threads.js';
import { fittedOf } from '../model/fitted.js';
import type { Fitted } from '../model/model.js';
import { createSession } from '../model/session.js';
import type { TrainEvent } from '../records/events.js';
import { createHistory } from '../records/history.js';
import { readRecord } from '../records/record.js';
import { brokenText, type LoopState } from './checkpoint.js';
import { type KeptExamples, readKeptExamples } from './kept-examples.js';
import { continued } from './prepare.js';
import { type At, checkpointAt, fileNames, readRun, type RunNote } from './run-folder.js';
import { initialState } from '../model/state.js';

type Checked<A> = Either<readonly Problem[], A>;

export type OpenOptions = {
  /** One that runs, or a name: `auto`, the default, for the best that loads. */
  readonly backend?: Backend | string | undefined;
  readonly device?: BackendOptions['device'];
  /** Which weights: those that the run leaves unless given. */
  readonly at?: At | undefined;
  /** Sees a line where the first run of a program takes long. */
  readonly onProgress?: ((line: string) => void) | undefined;
};

const names = namesOf<OpenOptions>({ backend: true, device: true, at: true, onProgress: true });

/** A fitted model with what its run was. */
export type OpenedRun = Fitted & {
  readonly note: RunNote;
  /** Steps taken by the weights that were opened. */
  readonly step: number;
  readonly loop: LoopState;
  /** In one line, where a later checkpoint was broken and these weights are from the one before it. */
  readonly broken: string | undefined;
  /** The events of the record, thinned to some thousands. */
  readonly events: () => Promise<readonly TrainEvent[]>;
  /** Codes of training examples and some examples, for priors and pictures where the data is gone; none for a run that was killed. */
  readonly kept: KeptExamples;
};

/** The events of a run's record, thinned to some thousands. */
export const eventsOf = async (folder: string): Promise<readonly TrainEvent[]> => {
  const history = createHistory();
  for await (const event of readRecord(join(folder, fileNames.record))) history.add(event);
  return history.events();
};

const nothingKept = ({ encoder, decoder }: Experiment): KeptExamples => ({
  codes: { shape: [0, sizeOf(decoder.input)], data: new Float32Array() },
  examples: { shape: [0, ...encoder.input], data: new Float32Array() },
});

/** Opens the folder of a run; on the left why it cannot be. */
export const openRun = async (folder: string, options: OpenOptions = {}): Promise<Checked<OpenedRun>> => {
  const unknown = optionProblems('openRun', options, names);
  if (unknown.length > 0) return left(unknown);
  const { backend: asked = 'auto', device, at, onProgress } = options;
  const note = readRun(folder);
  if (isLeft(note)) return note;
  const checkpoint = checkpointAt(note.right, at);
  if (isLeft(checkpoint)) return checkpoint;
  const kept = readKeptExamples(folder);
  if (isLeft(kept)) return kept;
  const compiled = compile(note.right.experiment);
  if (isLeft(compiled)) return compiled;
  const large = memoryProblems(compiled.right, { isOnHost: false });
  if (large.length > 0) return left(large);
  const { state, loop, broken } = checkpoint.right;
  const fitting = continued(initialState(compiled.right, state.seed), state);
  if (isLeft(fitting)) return fitting;
  const threads = threadsFor(compiled.right.step);
  const backend = typeof asked === 'string' ? await startBackend(asked, { device, threads }) : right(asked);
  if (isLeft(backend)) return backend;
  const session = await attempt(() =>
    createSession(compiled.right, backend.right, fitting.right, { onProgress }),
  );
  return map((opened: Parameters<typeof fittedOf>[1]): OpenedRun => ({
    ...fittedOf(compiled.right, opened, note.right.preprocessing),
    note: note.right,
    step: state.step,
    loop,
    broken: broken.length === 0 ? undefined : brokenText(broken, state.step),
    events: () => eventsOf(folder),
    kept: kept.right ?? nothingKept(note.right.experiment),
  }))(session);
};
