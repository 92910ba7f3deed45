/** The training loop as an async iterator of events. */
import type { Batches } from '../data/batches.js';
import type { Source, Split } from '../data/dataset.js';
import { dataShapeOf, type Experiment, sizeOf } from '../dsl/index.js';
import type { TrainEvent } from './records/events.js';
import { readExamples } from './batched-evaluation.js';
import type { Session } from './session.js';

/**
 * Trains until the experiment's number of steps, from wherever the session stands. Validation comes first, then every
 * `validation.every` steps, and last.
 */
export async function* train(
  experiment: Experiment,
  session: Session,
  data: Split<Source>,
  batches: Batches,
  from = 0,
): AsyncGenerator<TrainEvent, void, void> {
  const { batch, steps, validation } = experiment;
  const started = performance.now();
  const width = sizeOf(dataShapeOf(experiment));
  // Two batches by turns: while a step computes with one, the other is read.
  const buffers = [new Float32Array(batch * width), new Float32Array(batch * width)];
  const examplesOf = (i: number): Promise<Float32Array> => {
    const into = buffers[i % 2];
    const reading = readExamples(data.train, batches.indices(i), into).then(() => into);
    // Awaited at its step; nobody listens where the caller stops before.
    reading.catch(() => undefined);
    return reading;
  };
  const validates = validation.every > 0 && data.test.size > 0;
  if (validates) yield await session.evaluate(data.test);
  let next = from < steps ? examplesOf(from) : undefined;
  for (let i = from; i < steps && next !== undefined; i++) {
    const examples = await next;
    next = i + 1 < steps ? examplesOf(i + 1) : undefined;
    const event = await session.step(examples);
    yield { ...event, seconds: (performance.now() - started) / 1000 };
    if (validates && ((i + 1) % validation.every === 0 || i + 1 === steps))
      yield await session.evaluate(data.test);
  }
}
