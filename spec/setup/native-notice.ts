/** Says once, before the laws run, why those of the native backend are skipped. */
import { elementAt } from '../../dsl/lookup.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { showProblem } from '../../dsl/problem.js';
import { findBinding } from '../../backends/tensorflow/install/binding.js';

export const setup = (): void => {
  const binding = findBinding();
  if (isLeft(binding)) console.log(`native laws are skipped: ${showProblem(elementAt(binding.left, 0))}`);
};
