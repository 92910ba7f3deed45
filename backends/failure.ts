/** What a backend could not do while it ran: no memory, no room on the disk, a graph that its library refuses. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, showProblem } from '../dsl/problem.js';

/** Thrown out of `open`, `run` and `read`, through the training loop; a command shows its problem in one line. */
export class BackendFailure extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(showProblem(problem));
    this.name = 'BackendFailure';
    this.problem = problem;
  }
}

/** A failure of the backend itself and not of what it was given: what it was to do, another one may. */
export class BackendLost extends BackendFailure {}

/** Runs work on a backend with its failure as a value; anything else that is thrown is a fault of ours and passes. */
export const attempt = async <A>(work: () => Promise<A>): Promise<Either<readonly Problem[], A>> => {
  try {
    return right(await work());
  } catch (error) {
    if (error instanceof BackendFailure) return left([error.problem]);
    throw error;
  }
};
