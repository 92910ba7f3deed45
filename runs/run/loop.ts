/** The training loop as an async iterator of events, with what it decides between two steps. */
import type { Batches } from '../../data/batches.js';
import type { Source } from '../../data/dataset.js';
import type { Backend } from '../../backends/backend.js';
import { dataShapeOf, type Experiment, problem, sizeOf } from '../../dsl/index.js';
import { BackendFailure, BackendLost } from '../../backends/failure.js';
import { readExamples } from '../model/batched-evaluation.js';
import { fieldsAt } from '../model/fields.js';
import type { Session } from '../model/session.js';
import { isFiniteState, type TrainState } from '../model/state.js';
import type { Notice, NoticeEvent, StepEvent, TrainEvent } from '../records/events.js';
import { actedAt, CLIPPED, counted, firstText } from '../records/guards.js';
import type { Checkpoint, LoopState } from './checkpoint.js';
import { judge } from './judge.js';
import { factorOf, setFactor } from './rate-factor.js';
import { keepsBest, type Policy } from './settings.js';
import { createTurns } from './turns.js';

export type Training = {
  readonly experiment: Experiment;
  readonly session: Session;
  readonly train: Source;
  /** Absent where nothing is validated. */
  readonly validation: Source | undefined;
  readonly batches: Batches;
  readonly policy: Policy;
  /** Where it goes on from. */
  readonly from: LoopState;
  /** The state there, which a backend that fails before the first checkpoint leaves behind. */
  readonly start: TrainState;
  /** Asked between two steps. */
  readonly signal?: AbortSignal | undefined;
  /** Called at a step that was not finite, with the state and the batch as they were before it: why it was not, in words. */
  readonly explain?: ((event: StepEvent, examples: Float32Array) => Promise<string>) | undefined;
  /** The backend to go on with after one that failed. */
  readonly next?: ((failed: string) => Promise<Backend | undefined>) | undefined;
};

export type Trainer = {
  readonly events: AsyncGenerator<TrainEvent, void, void>;
  /** All that is needed to go on from here. */
  readonly checkpoint: () => Promise<Checkpoint>;
  readonly loop: () => LoopState;
  /**
   * Goes on with another backend after a failure of the one that it is on, and says so; throws that failure where there is no other. Once all
   * steps are taken, `over` is how many: the session may have the weights of an earlier one then.
   */
  readonly move: (failure: BackendLost, over?: number) => Promise<NoticeEvent>;
};

/** What the trainer asks of where checkpoints are kept. */
export type Shelf = {
  /** Keeps a checkpoint; its record is as long as `recorded` says. */
  readonly save: (checkpoint: Checkpoint) => Promise<void>;
  readonly recorded: () => number;
  /** The checkpoint of a step, or the last one; those of later steps are of a way that was not gone. */
  readonly back: (step: number | undefined) => Promise<Checkpoint | undefined>;
};

/** A gradient is reported when its norm is so many times the mean of those before. */
const GROWN = 1e3;
const KEPT = 0.98;

const notice = (step: number, what: Notice, text: string): NoticeEvent => ({
  tag: 'notice',
  step,
  notice: what,
  text,
});

const movedText = (
  failed: string,
  at: number,
  { problem: why }: BackendLost,
  from: number,
  { description }: Backend,
): string =>
  `${failed} failed at step ${at} (${why.path}: ${why.found}); the run goes on from step ${from} on ${description}`.replaceAll(
    /\s*\n\s*/g,
    ' ',
  );

/**
 * Trains until the experiment's number of steps, from wherever the session stands. Validation comes first, then every
 * `validation.every` steps, and last. All that is decided is a function of the state and the data, so that a run that was
 * interrupted ends as one that was not.
 */
export const createTrainer = (training: Training, shelf: Shelf): Trainer => {
  const { experiment, session, train, validation, batches, policy, signal } = training;
  const { batch, steps } = experiment;
  const { every } = experiment.validation;
  const width = sizeOf(dataShapeOf(experiment));
  const began = performance.now() - training.from.seconds * 1000;
  let loop = training.from;

  /** The state where it was read for the last time: at the end, or off a backend that is left. */
  let held: TrainState | undefined;
  const checkpoint = async (): Promise<Checkpoint> => {
    const state = held ?? (await session.state());
    loop = { ...loop, seconds: (performance.now() - began) / 1000, record: shelf.recorded() };
    return { state, loop };
  };

  // Two batches by turns: while a step computes with one, the other is read.
  const buffers = [new Float32Array(batch * width), new Float32Array(batch * width)] as const;
  // One read after another: one that is no longer wanted, where training goes back, may still fill the buffer of the next.
  let lastRead: Promise<unknown> = Promise.resolve();
  const reading = (i: number) => {
    const into = buffers[i % 2 === 0 ? 0 : 1];
    const rows = batches.indices(i);
    const examples = lastRead.then(() => readExamples(train, rows, into)).then(() => into);
    // Awaited at its step; nobody listens where the caller stops before.
    lastRead = examples.catch(() => undefined);
    return { step: i, examples, fields: fieldsAt(train, rows) };
  };

  const isDue = (taken: number): boolean =>
    validation !== undefined &&
    loop.validated !== taken &&
    (taken === 0 || taken % every === 0 || taken === steps);

  const isMeasured = (step: number): boolean => policy.metricsEvery > 0 && step % policy.metricsEvery === 0;

  let saved = performance.now();
  let savedAt = -1;
  const isTime = (taken: number): boolean => {
    const { every: interval } = policy.checkpoints;
    return interval.tag === 'steps'
      ? taken % interval.steps === 0
      : performance.now() - saved > interval.seconds * 1000;
  };
  const save = async (): Promise<void> => {
    if (savedAt === session.taken()) return;
    saved = performance.now();
    savedAt = session.taken();
    const made = await checkpoint();
    if (isFiniteState(made.state)) await shelf.save(made);
  };

  async function* validated(taken: number): AsyncGenerator<TrainEvent, void, void> {
    if (validation === undefined) return;
    const seen = await session.evaluate(validation);
    const verdict = judge({ ...loop, validated: taken }, seen, policy);
    loop = { ...verdict.loop, ended: verdict.stopped !== undefined };
    yield { tag: 'validation', ...seen };
    if (verdict.stopped !== undefined) yield notice(taken, 'stopped', verdict.stopped);
    if (verdict.reduced !== undefined) {
      await session.restore(setFactor(await session.state(), loop.factor));
      yield notice(taken, 'reduced', verdict.reduced);
    }
    if (verdict.isBest && keepsBest(policy)) await save();
  }

  /** Back to the best validation, or else to the last checkpoint, with half the rate; where there is neither, the step is skipped. */
  const back = async (): Promise<Checkpoint | undefined> => {
    const last = await shelf.back(loop.best?.step);
    if (last === undefined) return undefined;
    const factor = loop.factor / 2;
    if (factor < 2 ** -20)
      throw new BackendFailure(
        problem('optimizer.rate', 'a step that is not finite at any rate', 'steps that are finite'),
      );
    await session.restore(setFactor(last.state, factor));
    savedAt = last.state.step;
    const { skipped, guarded, seconds } = loop;
    loop = { ...last.loop, factor, skipped, guarded, seconds };
    return last;
  };

  const move = async (failure: BackendLost, over?: number): Promise<NoticeEvent> => {
    const at = over ?? session.taken();
    const read = await session.state().catch(() => undefined);
    held = read;
    const kept =
      read !== undefined && isFiniteState(read) ? { state: read, loop } : await shelf.back(undefined);
    const { state, loop: known } = kept ?? { state: training.start, loop: training.from };
    const failed = session.backend().name;
    for (let name = failed; ;) {
      const other = await training.next?.(name);
      if (other === undefined) throw failure;
      try {
        await session.restore(
          factorOf(state) === known.factor ? state : setFactor(state, known.factor),
          other,
        );
        // A device without memory for it may say so no earlier, and here the state is still at hand.
        await session.state();
        loop = known;
        held = undefined;
        savedAt = Math.min(savedAt, state.step);
        const from = over ?? state.step;
        return notice(from, 'moved', movedText(failed, at, failure, from, other));
      } catch (error) {
        if (!(error instanceof BackendLost)) throw error;
        name = other.name;
      }
    }
  };

  async function* events(): AsyncGenerator<TrainEvent, void, void> {
    for (let isGoing = true; isGoing;) {
      try {
        yield* untilEnd();
        // A backend that fails now is left as one that fails before.
        held = await session.state();
        isGoing = false;
      } catch (error) {
        if (!(error instanceof BackendLost)) throw error;
        yield await move(error);
      }
    }
    loop = { ...loop, ended: loop.ended || session.taken() >= steps };
  }

  async function* untilEnd(): AsyncGenerator<TrainEvent, void, void> {
    const turn = createTurns();
    let taken = session.taken();
    if (isDue(taken)) yield* validated(taken);
    let next = taken < steps && !loop.ended ? reading(taken) : undefined;
    while (next !== undefined && signal?.aborted !== true) {
      const examples = await next.examples;
      const { fields } = next;
      const at = taken;
      next = at + 1 < steps ? reading(at + 1) : undefined;
      const metrics = isMeasured(at) ? await session.metrics?.(examples, fields) : undefined;
      const done = await session.step(examples, fields);
      const event: StepEvent = {
        ...done,
        ...(metrics === undefined ? {} : { metrics }),
        seconds: (performance.now() - began) / 1000,
      };
      taken = at + 1;
      yield event;
      const acted = actedAt(event, experiment);
      for (const [name, share] of Object.entries(acted))
        if (loop.guarded[name] === undefined && name !== CLIPPED)
          yield notice(taken, 'guarded', firstText(name, at, share));
      loop = { ...loop, guarded: counted(loop.guarded, acted) };
      if (event.committed) {
        const { gradient } = loop;
        if (gradient > 0 && event.gradientNorm > GROWN * gradient)
          yield notice(
            taken,
            'grown',
            `step ${at}: the gradient's norm is ${event.gradientNorm.toPrecision(3)}, its mean before ${gradient.toPrecision(3)}`,
          );
        loop = {
          ...loop,
          gradient: gradient === 0 ? event.gradientNorm : KEPT * gradient + (1 - KEPT) * event.gradientNorm,
        };
      } else {
        const isFirst = loop.skipped === 0;
        loop = { ...loop, skipped: loop.skipped + 1 };
        const why =
          isFirst && training.explain !== undefined ? await training.explain(event, examples) : 'not finite';
        if (policy.notFinite === 'stop')
          throw new BackendFailure(problem(`step ${at}`, why, 'a finite loss and gradient'));
        const last = policy.notFinite === 'halve' ? await back() : undefined;
        if (last !== undefined) {
          taken = last.state.step;
          yield notice(
            taken,
            'returned',
            `step ${at} was not finite, so training goes on from step ${taken} with ${loop.factor} of the rate: ${why}`,
          );
          next = reading(taken);
          await turn();
          continue;
        }
        if (isFirst)
          yield notice(taken, 'skipped', `step ${at} was skipped, as further ones like it will be: ${why}`);
      }
      if (isDue(taken)) yield* validated(taken);
      if (loop.ended) break;
      if (taken < steps && isTime(taken)) await save();
      await turn();
    }
  }

  return { events: events(), checkpoint, loop: () => loop, move };
};
