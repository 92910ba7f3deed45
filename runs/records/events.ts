/** What training reports: a stream of events that progress lines, records, callbacks and reports consume. */

export type Terms = Readonly<Record<string, number>>;

export type StepEvent = {
  readonly tag: 'step';
  /** The step just taken, from 0. */
  readonly step: number;
  readonly loss: number;
  /** Mean of each term over the batch. */
  readonly terms: Terms;
  /** Terms that a stochastic surrogate stood in for: its mean, which is no value of the term that validations have under the same name. */
  readonly surrogates?: Terms;
  /** Mean over the batch of each metric before the step, in inference mode; at the steps at which they were asked for. */
  readonly metrics?: Terms;
  /** Guards that acted, `TERM/GUARD`, and what part of the examples each acted on; absent where none did. */
  readonly guards?: Terms;
  readonly gradientNorm: number;
  readonly rate: number;
  /** False when the loss or a gradient was not finite: then the state stays as it was. */
  readonly committed: boolean;
  /** Seconds of training before, those of the processes that were ended included. */
  readonly seconds: number;
};

/** Means over a set in inference mode: what validations and the test at the end report. */
export type Evaluated = {
  /** Steps taken before. */
  readonly step: number;
  readonly loss: number;
  /** Mean of each term over the set. */
  readonly terms: Terms;
  /**
   * Where terms have a schedule, what one validation is compared with another by: each of these terms without its weight, and as `loss`
   * the sum of all terms weighted as at the last step. The loss itself grows where a weight does, while the model improves.
   */
  readonly settled?: Terms;
  /** Mean of each expression that is logged without being in the loss; absent where none is. */
  readonly metrics?: Terms;
  /**
   * Where a step solves systems with JᵀJ, at the first examples (16, or as many as cost no more than a step): `TERM/residual`,
   * the relative residual ‖b − JᵀJ·u‖/‖b‖, and `TERM/rounds`, the products that conjugate gradients took to it; where they make
   * a surrogate, `TERM/cosine` of the angle between its gradient and that of the exact volume.
   */
  readonly diagnosis?: Terms;
};

/** On validation examples: what early stopping and the choice of the best weights go by. */
export type ValidationEvent = Evaluated & { readonly tag: 'validation' };

/** On test examples, once, by the weights that the run leaves. */
export type TestEvent = Evaluated & { readonly tag: 'test' };

/** What a run decided or noticed on its way. */
export type Notice =
  /** No validation was better for as long as early stopping waits. */
  | 'stopped'
  /** Validation no longer fell, so the rate is a part of what it was. */
  | 'reduced'
  /** The weights of the best validation were put back. */
  | 'restored'
  /** A step was not finite, and changed nothing. */
  | 'skipped'
  /** A step was not finite, so the run went back to a checkpoint with half the rate. */
  | 'returned'
  /** The backend failed, and the run goes on with another one, from the state as it was or from the last checkpoint. */
  | 'moved'
  /** A run that goes on has passed over a checkpoint that was broken. */
  | 'passed'
  /** The gradient's norm is many times what it was. */
  | 'grown'
  /** A guard acts for the first time. */
  | 'guarded';

export type NoticeEvent = {
  readonly tag: 'notice';
  /** Steps taken before. */
  readonly step: number;
  readonly notice: Notice;
  /** In one line. */
  readonly text: string;
};

export type TrainEvent = StepEvent | ValidationEvent | TestEvent | NoticeEvent;

/** Whether an event tells of a step. */
export const isStep = (event: TrainEvent): event is StepEvent => event.tag === 'step';
/** Whether an event is a measurement on the validation set. */
export const isValidation = (event: TrainEvent): event is ValidationEvent => event.tag === 'validation';
/** Whether an event is the measurement on the test set. */
export const isTest = (event: TrainEvent): event is TestEvent => event.tag === 'test';
/** Whether an event is a notice to the reader. */
export const isNotice = (event: TrainEvent): event is NoticeEvent => event.tag === 'notice';
