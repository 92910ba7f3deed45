/** Values for every binder of a program, as functions of a seed. */
import type { Arrays } from '../../compiler/ir/interpret.js';
import type { DrawSpec } from '../../compiler/elaborate/context.js';
import type { Binder, Program } from '../../compiler/ir/program.js';
import { elementCount } from '../../compiler/ir/type.js';
import { type Interval, smoothValuesIn } from '../../laws/arbitrary/values.js';

const intervalOf = ({ kind, name }: Binder, draws: readonly DrawSpec[]): Interval => {
  switch (kind) {
    case 'parameter':
      return [-0.9, 0.9];
    case 'data':
      return [-1, 1];
    // Variances and second moments are positive.
    case 'state':
      return [0.25, 1.25];
    case 'draw':
      return draws.some((d) => d.name === name && d.distribution === 'uniform') ? [0, 1] : [-1.7, 1.7];
    case 'scalar':
      return [0, 0];
  }
};

/** Arrays by binder name; `step` is a small whole number. */
export const feed = (program: Program, draws: readonly DrawSpec[], seed: number): Arrays =>
  new Map(
    program.binders.map((binder) => [
      binder.name,
      binder.kind === 'scalar'
        ? Float64Array.of(seed % 20)
        : smoothValuesIn(
            intervalOf(binder, draws),
            elementCount(binder.var.type, program.batch),
            seed,
            binder.name,
          ),
    ]),
  );
