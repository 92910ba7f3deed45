/** What training reports: a stream of events that progress lines, records and reports consume. */

export type Terms = Readonly<Record<string, number>>;

export type StepEvent = {
  readonly tag: 'step';
  /** The step just taken, from 0. */
  readonly step: number;
  readonly loss: number;
  /** Mean of each term over the batch. */
  readonly terms: Terms;
  readonly gradientNorm: number;
  readonly rate: number;
  /** False when the loss or a gradient was not finite: then the state stays as it was. */
  readonly committed: boolean;
  /** Seconds since training started. */
  readonly seconds: number;
};

export type ValidationEvent = {
  readonly tag: 'validation';
  /** Steps taken before. */
  readonly step: number;
  readonly loss: number;
  /** Mean of each term over the held-out data, in inference mode. */
  readonly terms: Terms;
};

export type TrainEvent = StepEvent | ValidationEvent;
