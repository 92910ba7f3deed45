/** One model on one backend: its state stays with the backend, and every program runs against it. */
import type { Compiled, Program } from '../compiler/index.js';
import type { Source } from '../data/dataset.js';
import { dataShapeOf, type Problem, problem, sameShape, showShape, sizeOf } from '../dsl/index.js';
import { BackendFailure } from '../backends/failure.js';
import type { Backend } from '../backends/backend.js';
import { type StepEvent, surrogateName, type Terms, type ValidationEvent } from './records/events.js';
import { type Feed, feedOf } from './feed.js';
import { overRows, readExamples, type Rows, rowsOf, rowsOfSource } from './batched-evaluation.js';
import type { Array1, TrainState } from './state.js';

/** An exact density in nats, and beside it how far each example is from the manifold that the density is on. */
export type LogProb = {
  /** ln p, [n]. Of a manifold: at the point that decoding gives back, with respect to volume on the manifold. */
  readonly logDensity: Float32Array;
  /** ‖x − decode(encode(x))‖, [n]. */
  readonly distance: Float32Array;
};

export type Session = {
  /** One step on a batch, [batch, …shape] row-major. */
  readonly step: (data: Float32Array) => Promise<Omit<StepEvent, 'seconds'>>;
  /** Every term's mean over a data set. */
  readonly evaluate: (data: Source) => Promise<ValidationEvent>;
  /** data [n, …shape], in memory or read by row → codes [n, d]. */
  readonly encode: (examples: Float32Array | Source) => Promise<Float32Array>;
  /** codes [n, d] → data [n, …shape]. */
  readonly decode: (codes: Float32Array) => Promise<Float32Array>;
  /** Of data [n, …shape], where the experiment has a density. */
  readonly logProb: ((examples: Float32Array) => Promise<LogProb>) | undefined;
  /** The state as it stands, copied to the host. */
  readonly state: () => Promise<TrainState>;
  readonly dispose: () => void;
};

const telemetry: ReadonlySet<string> = new Set(['loss', 'rate', 'gradientNorm', 'commit']);

/** What a Jacobian without full rank leads to, and weights or an example that are not finite. */
const noDensity = (logDensity: Float32Array, without: number): Problem =>
  problem(
    'logDensity',
    `not a number for ${without} of ${logDensity.length} examples, the first of them number ${logDensity.findIndex(Number.isNaN)}`,
    'a density of every example',
    'is the example finite, and does the decoder move along every latent dimension there? Leave out those that it ignores',
  );

export const createSession = async (
  compiled: Compiled,
  backend: Backend,
  from: TrainState,
): Promise<Session> => {
  const { batch } = compiled.experiment;
  const draws = new Map(compiled.draws.map((spec) => [spec.name, spec]));
  const { step: stepProgram, evaluate: evaluateProgram, encode, decode, density, diagnose } = compiled;
  const all = [stepProgram, evaluateProgram, encode, decode, density, diagnose];
  const programs = new Map(all.flatMap((p) => (p === undefined ? [] : [[p.name, p] as const])));
  const values = new Map([...from.arrays].map(([name, { data }]) => [name, data]));
  const instance = await backend.open(programs, values);
  const surrogates = new Set(compiled.surrogates);
  const termName = (name: string) => (surrogates.has(name) ? surrogateName(name) : name);
  let taken = from.step;

  const run = (program: Program, feed: Feed): Promise<ReadonlyMap<string, Float32Array>> =>
    instance.run(program.name, feedOf(program, draws, feed));

  const takeStep: Session['step'] = async (data) => {
    const at = taken;
    const key = { seed: from.seed, step: at, purpose: 'train' };
    const outputs = await run(stepProgram, { data, step: at, draws: key });
    const scalars = new Map([...outputs].map(([name, [value]]) => [name, value]));
    const scalar = (name: string): number => scalars.get(name) ?? NaN;
    taken = at + 1;
    return {
      tag: 'step',
      step: at,
      loss: scalar('loss'),
      terms: Object.fromEntries(
        [...scalars].flatMap(([name, x]) => (telemetry.has(name) ? [] : [[termName(name), x]])),
      ),
      gradientNorm: scalar('gradientNorm'),
      rate: scalar('rate'),
      committed: scalar('commit') === 1,
    };
  };

  // A step builds on the one before, also where a caller does not wait for it.
  let last: Promise<unknown> = Promise.resolve();
  const step: Session['step'] = (data) => {
    const next = last.then(() => takeStep(data));
    last = next.catch(() => undefined);
    return next;
  };

  const outputsOf = (program: Program, rows: Rows): Promise<ReadonlyMap<string, Float32Array>> =>
    overRows(batch, rows, (data, first) => {
      const key = { seed: from.seed, step: 0, purpose: 'validation', first };
      return run(program, { data, step: taken, draws: key });
    });

  /** On the first examples of a set; on some of them twice where it has fewer. */
  const diagnosis = async (program: Program, data: Source): Promise<Terms> => {
    const examples = new Float32Array(program.batch * sizeOf(data.shape));
    await readExamples(
      data,
      Int32Array.from({ length: program.batch }, (_, row) => row % data.size),
      examples,
    );
    const key = { seed: from.seed, step: taken, purpose: 'diagnosis' };
    const outputs = await run(program, { data: examples, step: taken, draws: key });
    return Object.fromEntries([...outputs].map(([name, [value]]) => [name, value]));
  };

  const evaluate: Session['evaluate'] = async (data) => {
    const shape = dataShapeOf(compiled.experiment);
    if (!sameShape(data.shape, shape) || data.size === 0) {
      const expected = `examples of shape ${showShape(shape)}`;
      throw new BackendFailure(problem('data', `${data.size} of shape ${showShape(data.shape)}`, expected));
    }
    const terms = Object.fromEntries(
      [...(await outputsOf(evaluateProgram, rowsOfSource(data)))].map(([name, values]) => [
        name,
        values.reduce((total, x) => total + x, 0) / data.size,
      ]),
    );
    const loss = Object.values(terms).reduce((total, x) => total + x, 0);
    const found = diagnose === undefined ? {} : { diagnosis: await diagnosis(diagnose, data) };
    return { tag: 'validation', step: taken, loss, terms, ...found };
  };

  const outputsAt = async (
    program: Program,
    inputShape: readonly number[],
    values: Float32Array | Source,
  ): Promise<ReadonlyMap<string, Float32Array>> => {
    const width = sizeOf(inputShape);
    const rows = values instanceof Float32Array ? rowsOf(values, width) : rowsOfSource(values);
    if (!Number.isInteger(rows.count) || rows.width !== width) {
      const found =
        values instanceof Float32Array
          ? `${values.length} numbers`
          : `examples of shape ${showShape(values.shape)}`;
      throw new BackendFailure(
        problem(program.name, found, `a multiple of ${width}, the size of one example`),
      );
    }
    return outputsOf(program, rows);
  };

  const map = async (
    program: Program,
    output: string,
    inputShape: readonly number[],
    values: Float32Array | Source,
  ): Promise<Float32Array> =>
    (await outputsAt(program, inputShape, values)).get(output) ?? new Float32Array();

  const logProb = async (program: Program, examples: Float32Array): Promise<LogProb> => {
    const found = await outputsAt(program, compiled.experiment.encoder.input, examples);
    const logDensity = found.get('logDensity') ?? new Float32Array();
    const without = logDensity.filter(Number.isNaN).length;
    if (without > 0) throw new BackendFailure(noDensity(logDensity, without));
    return { logDensity, distance: found.get('distance') ?? new Float32Array() };
  };

  return {
    step,
    evaluate,
    encode: (examples) => map(encode, 'code', compiled.experiment.encoder.input, examples),
    decode: (codes) => map(decode, 'data', compiled.experiment.decoder.input, codes),
    logProb: density === undefined ? undefined : (examples) => logProb(density, examples),
    state: async () => {
      const arrays = await instance.read();
      const shaped = [...from.arrays].map(([name, { shape, data }]): readonly [string, Array1] => [
        name,
        { shape, data: arrays.get(name) ?? data },
      ]);
      return { seed: from.seed, step: taken, arrays: new Map(shaped) };
    },
    dispose: instance.dispose,
  };
};
