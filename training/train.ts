/** The training loop as an async iterator of events. */
import type { Batches } from '../data/batches.js';
import { gather, type Split } from '../data/dataset.js';
import { type Experiment, sizeOf } from '../dsl/index.js';
import type { TrainEvent } from './events.js';
import type { Session } from './session.js';

/**
 * Trains until the experiment's number of steps, from wherever the session stands. Validation comes first, then every
 * `validation.every` steps, and last.
 */
export async function* train(
  { batch, steps, validation, encoder }: Experiment,
  session: Session,
  data: Split,
  batches: Batches,
  from = 0,
): AsyncGenerator<TrainEvent, void, void> {
  const started = performance.now();
  const into = new Float32Array(batch * sizeOf(encoder.input));
  const validates = validation.every > 0 && data.test.size > 0;
  if (validates) yield await session.evaluate(data.test);
  for (let i = from; i < steps; i++) {
    gather(data.train, batches.indices(i), into);
    const event = await session.step(into);
    yield { ...event, seconds: (performance.now() - started) / 1000 };
    if (validates && ((i + 1) % validation.every === 0 || i + 1 === steps))
      yield await session.evaluate(data.test);
  }
}
