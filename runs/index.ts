/**
 * Runs: everything that happens to a model over time. `model` is what one asks of weights, `run` opens, trains, keeps and resumes them,
 * `records` is what a run reports, `sweeps` are many runs and `executors` what runs them. Nothing here measures how good a model is: that is given as an argument.
 */
export type { ArrayBackend, Backend, Executable, Handle, Instance, Profile } from '../backends/backend.js';
export { backendNames, startBackend } from '../backends/choose.js';
export type { Tensor } from '../backends/safetensors.js';
export { lowerWasm } from '../backends/wasm/lower.js';
export { createKernelBackend } from '../backends/tfjs/wasm-kernels.js';
export { createWasmBackend } from '../backends/wasm/wasm.js';
export type { Expressions } from '../compiler/expressions.js';
export { type Capacity, type Executor, trialFiles, type TrialState } from './executors/executor.js';
export { localCapacity, localProcesses, memoryOf } from './executors/local.js';
export { loadSpec, readJson, type Spec } from './load-spec.js';
export {
  evaluateExpressions,
  type EvaluationOptions,
  type Evaluator,
  type Examples,
  openExpressions,
} from './model/expressions.js';
export type { FieldsGiven } from './model/fields.js';
export { flowPrior } from './model/fitted.js';
export type {
  FieldsOption,
  Fitted,
  LogProb,
  Model,
  ModelInput,
  Precision,
  Prior,
  PriorOverCodes,
  SampleOptions,
  Units,
  UnitsOption,
  Values,
} from './model/model.js';
export { createSession, type Session } from './model/session.js';
export { initialState, type TrainState } from './model/state.js';
export { gatherProfile, type Profiled, type ProfiledPart, type StepProfile } from './model/step-profile.js';
export {
  type Evaluated,
  isNotice,
  isStep,
  isTest,
  isValidation,
  type Notice,
  type NoticeEvent,
  type StepEvent,
  type Terms,
  type TestEvent,
  type TrainEvent,
  type ValidationEvent,
} from './records/events.js';
export type { Ran } from './records/backends.js';
export { createHistory, type History } from './records/history.js';
export { settledLossOf } from './records/settled-loss.js';
export { type Provenance, provenance, versions } from './records/provenance.js';
export { readRecord } from './records/record.js';
export type { Checkpoint } from './run/checkpoint.js';
export { fit, type FitOptions, prepareRun, type Run } from './run/fit.js';
export { figureOf } from './run/figure.js';
export { type HeldOut, holdOut, type Parts, type Validated } from './run/hold-out.js';
export type { KeptExamples } from './run/kept-examples.js';
export { eventsOf, type OpenedRun, type OpenOptions, openRun } from './run/open-run.js';
export type { Prepared, PrepareOptions } from './run/prepare.js';
export type { StartBackend } from './run/succession.js';
export { resume, type ResumeOptions } from './run/resume.js';
export { type At, fileNames, readRun, type RunNote } from './run/run-folder.js';
export {
  type CheckpointPolicy,
  type Criterion,
  type DataNote,
  defaultPolicy,
  type EarlyStopping,
  encodeSettings,
  type Interval,
  type Plateau,
  type Policy,
  type PolicyOptions,
  type RunSettings,
} from './run/settings.js';
export type { End, Summary } from './run/summary.js';
export { type Measurable, type Started, type Trained, type TrainOptions, trainRun } from './run/train.js';
export { digestsOf, inputOf, type Fingerprint, fingerprintOf } from './sweeps/fingerprint.js';
export {
  decodeOutcome,
  encodeOutcome,
  type Figures,
  type Outcome,
  type TrialResult,
} from './sweeps/outcome.js';
export { trialCountProblems } from './sweeps/size.js';
export {
  readOutcome,
  runTrials,
  type SweepEvent,
  type SweepOptions,
  trialFolder,
} from './sweeps/sweep-run.js';
export {
  axesOf,
  decodeSweep,
  type Distribution,
  distributionCodec,
  encodeSweep,
  gridSettings,
  type Sweep,
  trialsOf,
} from './sweeps/sweep.js';
export {
  checkTrial,
  type Measure,
  type Measured,
  runTrial,
  type TrialOptions,
  type TrialOutput,
} from './sweeps/trial-run.js';
export { decodeTrial, encodeTrial, experimentOf, type Trial } from './sweeps/trial.js';
