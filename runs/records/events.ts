/** What training reports: a stream of events that progress lines, records and reports consume. */

export type Terms = Readonly<Record<string, number>>;

/** A term's name in the events of steps, where it is a surrogate and no value of what validations have under the term's own name. */
export const surrogateName = (term: string): string => `${term} (surrogate)`;

export type StepEvent = {
  readonly tag: 'step';
  /** The step just taken, from 0. */
  readonly step: number;
  readonly loss: number;
  /** Mean of each term over the batch; where it is a surrogate's under `surrogateName`. */
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
  /**
   * Where a step solves systems with JᵀJ, at the first held-out examples (16, or as many as cost no more than a step): `TERM/residual`,
   * the relative residual ‖b − JᵀJ·u‖/‖b‖, and `TERM/rounds`, the products that conjugate gradients took to it; where they make
   * a surrogate, `TERM/cosine` of the angle between its gradient and that of the exact volume.
   */
  readonly diagnosis?: Terms;
};

export type TrainEvent = StepEvent | ValidationEvent;
