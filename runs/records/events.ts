/** What training reports: a stream of events that progress lines, records and reports consume. */

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
  /**
   * Where a step solves systems with JᵀJ, at the first held-out examples (16, or as many as cost no more than a step): `TERM/residual`,
   * the relative residual ‖b − JᵀJ·u‖/‖b‖, and `TERM/rounds`, the products that conjugate gradients took to it; where they make
   * a surrogate, `TERM/cosine` of the angle between its gradient and that of the exact volume.
   */
  readonly diagnosis?: Terms;
};

export type TrainEvent = StepEvent | ValidationEvent;
