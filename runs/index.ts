/**
 * Runs: everything that happens to a model over time. `model` is what one asks of weights, `run` opens, trains, keeps and resumes them,
 * `records` is what a run reports, `sweeps` are many runs. Nothing here measures how good a model is: that is given as an argument.
 */
export type { ArrayBackend, Backend, Executable, Handle, Instance, Profile } from '../backends/index.js';
export { backendNames, createWasmBackend, lowerWasm, startBackend, threadsFor } from '../backends/index.js';
export * from './load-spec.js';
export * from './model/batched-evaluation.js';
export * from './model/expressions.js';
export { flowPrior } from './model/fitted.js';
export * from './model/model.js';
export * from './model/session.js';
export * from './model/state.js';
export * from './records/events.js';
export { createHistory, type History } from './records/history.js';
export * from './records/provenance.js';
export { readRecord } from './records/record.js';
export * from './records/whole-file.js';
export type { Best, Checkpoint, LoopState } from './run/checkpoint.js';
export * from './run/fit.js';
export * from './run/hold-out.js';
export type { KeptExamples } from './run/kept-examples.js';
export * from './run/open-run.js';
export type { PrepareOptions, Prepared, StartBackend } from './run/prepare.js';
export * from './run/resume.js';
export { type At, fileNames, readRun, type RunNote } from './run/run-folder.js';
export * from './run/settings.js';
export * from './run/summary.js';
export * from './run/train.js';
export * from './sweeps/outcome.js';
export * from './sweeps/fingerprint.js';
export * from './sweeps/processes.js';
export * from './sweeps/sweep-run.js';
export * from './sweeps/size.js';
export * from './sweeps/sweep.js';
export * from './sweeps/trial-run.js';
export * from './sweeps/trial.js';
