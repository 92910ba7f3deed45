/** One model on one backend: its state stays with the backend, and every program runs against it. */
import { float32At, getFrom } from '../../dsl/lookup.js';
import type {
  Compiled,
  CompiledExpressions,
  OutputKind,
  Program,
  Results,
  TelemetryName,
} from '../../compiler/index.js';
import type { Source } from '../../data/dataset.js';
import { dataShapeOf, type Problem, problem, sameShape, showShape, sizeOf } from '../../dsl/index.js';
import { BackendFailure } from '../../backends/failure.js';
import { openPrograms } from '../../backends/open.js';
import type { Backend, Instance, Profile } from '../../backends/backend.js';
import type { StepProfile } from './step-profile.js';
import type { Evaluated, StepEvent, Terms } from '../records/events.js';
import { type Feed, feedOf } from './feed.js';
import {
  evaluateBatched,
  readExamples,
  type BatchInput,
  batchInputOf,
  batchInputOfSource,
} from './batched-evaluation.js';
import { fieldsAt, fieldsOfProgram, type FieldValues } from './fields.js';
import type { LogProb } from './model.js';
import type { Tensor, TrainState } from './state.js';

export type Session = {
  /** One step on a batch, [batch, …shape] row-major, with what else is known of its examples. */
  readonly step: (data: Float32Array, fields?: FieldValues) => Promise<Omit<StepEvent, 'seconds'>>;
  /** Every metric's mean over a batch, by the draws of the step that is next; undefined where there are no metrics. */
  readonly metrics: ((data: Float32Array, fields?: FieldValues) => Promise<Terms>) | undefined;
  /** Every term's and every metric's mean over a data set. */
  readonly evaluate: (data: Source) => Promise<Evaluated>;
  /** data [n, …shape], in memory or read by row → codes [n, d]. */
  readonly encode: (examples: Float32Array | Source, fields?: FieldValues) => Promise<Float32Array>;
  /** codes [n, d] → data [n, …shape]; a decoder of several arguments takes the others as fields. */
  readonly decode: (codes: Float32Array, fields?: FieldValues) => Promise<Float32Array>;
  /** Of data [n, …shape], where the experiment has a density. */
  readonly logProb: ((examples: Float32Array) => Promise<LogProb>) | undefined;
  /** The state as it stands, copied to the host. */
  readonly state: () => Promise<TrainState>;
  /** Steps taken. */
  readonly taken: () => number;
  /** The one that it is on. */
  readonly backend: () => Backend;
  /** Replaces the state by another of the same arrays, and goes on from its step, on another backend where one is given. */
  readonly restore: (state: TrainState, on?: Backend) => Promise<void>;
  readonly dispose: () => void;
};

/** The first number of each, by name. */
const scalarsOf = (arrays: ReadonlyMap<string, Float32Array>): Terms =>
  Object.fromEntries([...arrays].map(([name, value]) => [name, float32At(value, 0)]));

/** What a Jacobian without full rank leads to, and weights or an example that are not finite. */
export const noDensity = (logDensity: Float32Array | Float64Array, without: number): Problem =>
  problem(
    'logDensity',
    `not a number for ${without} of ${logDensity.length} examples, the first of them number ${logDensity.findIndex(Number.isNaN)}`,
    'a density of every example',
    'is the example finite, and does the decoder move along every latent dimension there? Leave out those that it ignores',
  );

/** An array of a state whose shape is not the one that the programs have under its name. */
const shapeProblem = ({ parameters, states }: Compiled, { arrays }: TrainState): Problem | undefined =>
  [...parameters, ...states]
    .flatMap(({ name, shape }) => {
      const found = arrays.get(name)?.shape;
      return found === undefined || sameShape(found, shape)
        ? []
        : [problem(`state of ${name}`, showShape(found), showShape(shape))];
    })
    .at(0);

/** Terms that have a schedule without it, a scalar each, and by which weight each of them counts. */
export type Settled = CompiledExpressions & { readonly weights: ReadonlyMap<string, number> };

/** Programs of scalars over the data that evaluation reports beside the terms. */
export type Beside = {
  readonly metrics?: CompiledExpressions | undefined;
  readonly settled?: Settled | undefined;
  /** Hears where the time of each training step goes. */
  readonly profile?: StepProfile | undefined;
  /** Sees a line where the first run of a program takes long. */
  readonly onProgress?: ((line: string) => void) | undefined;
};

/** Rejects with a `BackendFailure` where an array of the state is missing or of another shape. */
export const createSession = async (
  compiled: Compiled,
  backend: Backend,
  from: TrainState,
  { metrics, settled, profile, onProgress }: Beside = {},
): Promise<Session> => {
  const misshapen = shapeProblem(compiled, from);
  if (misshapen !== undefined) throw new BackendFailure(misshapen);
  const { batch } = compiled.experiment;
  const draws = new Map(
    [compiled, metrics, settled].flatMap((of) => (of?.draws ?? []).map((spec) => [spec.name, spec] as const)),
  );
  const { step: stepProgram, evaluate: evaluateProgram, encode, decode, density, diagnose } = compiled;
  const all = [
    ...[stepProgram, evaluateProgram, encode, decode, density, diagnose],
    ...[metrics?.program, settled?.program],
  ];
  const programs = new Map(all.flatMap((p) => (p === undefined ? [] : [[p.name, p] as const])));
  let current = backend;
  const open = ({ arrays }: TrainState): Promise<Instance> =>
    openPrograms(current, programs, new Map([...arrays].map(([name, { data }]) => [name, data])), onProgress);
  let instance = await open(from);
  let taken = from.step;

  const run = (program: Program, feed: Feed, parts?: Profile): Promise<Results<Float32Array>> =>
    instance.run(program.name, feedOf(program, draws, feed), parts);

  const takeStep: Session['step'] = async (data, fields = new Map()) => {
    const at = taken;
    const key = { seed: from.seed, step: at, purpose: 'train' };
    const began = performance.now();
    const feed = { data, fields, step: at, draws: key };
    // A step that fails in the middle is none: its parts are told when all are there.
    const parts: Parameters<Profile>[] = [];
    const part: Profile | undefined = profile && ((...one) => void parts.push(one));
    const { term, surrogate, guard, telemetry } = await run(stepProgram, feed, part);
    const milliseconds = performance.now() - began;
    parts.forEach((one) => profile?.part(...one));
    profile?.whole(milliseconds);
    const scalar = (name: TelemetryName): number => float32At(getFrom(telemetry, name), 0);
    const guards = Object.fromEntries(Object.entries(scalarsOf(guard)).filter(([, share]) => share > 0));
    taken = at + 1;
    return {
      tag: 'step',
      step: at,
      loss: scalar('loss'),
      terms: scalarsOf(term),
      ...(surrogate.size > 0 ? { surrogates: scalarsOf(surrogate) } : {}),
      ...(Object.keys(guards).length > 0 ? { guards } : {}),
      gradientNorm: scalar('gradientNorm'),
      rate: scalar('rate'),
      committed: scalar('commit') === 1,
    };
  };

  // A step builds on the one before, also where a caller does not wait for it.
  let last: Promise<unknown> = Promise.resolve();
  const step: Session['step'] = (data, fields) => {
    const next = last.then(() => takeStep(data, fields));
    last = next.catch(() => undefined);
    return next;
  };

  const outputsOf = (
    program: Program,
    kind: OutputKind,
    rows: BatchInput,
  ): Promise<ReadonlyMap<string, Float32Array>> =>
    evaluateBatched(batch, rows, async (data, first, fields) => {
      const missing = [...fieldsOfProgram(program).keys()].filter((name) => !fields.has(name));
      if (missing.length > 0)
        throw new BackendFailure(
          problem(program.name, 'examples alone', `the fields ${missing.join(', ')} of each of them too`),
        );
      const key = { seed: from.seed, step: 0, purpose: 'validation', first };
      return (await run(program, { data, fields, step: taken, draws: key }))[kind];
    });

  const meanOf = (values: Float32Array): number => values.reduce((total, x) => total + x, 0) / values.length;

  const metricsOf =
    ({ program }: CompiledExpressions): NonNullable<Session['metrics']> =>
    async (data, fields = new Map()) => {
      await last;
      const key = { seed: from.seed, step: taken, purpose: 'train' };
      const { value } = await run(program, { data, fields, step: taken, draws: key });
      return Object.fromEntries([...value].map(([name, values]) => [name, meanOf(values)]));
    };

  /** On the first examples of a set; on some of them twice where it has fewer. */
  const diagnosis = async (program: Program, data: Source): Promise<Terms> => {
    const examples = new Float32Array(program.batch * sizeOf(data.shape));
    const rows = Int32Array.from({ length: program.batch }, (_, row) => row % data.size);
    await readExamples(data, rows, examples);
    const fields = fieldsAt(data, rows);
    const key = { seed: from.seed, step: taken, purpose: 'diagnosis' };
    return scalarsOf((await run(program, { data: examples, fields, step: taken, draws: key })).value);
  };

  const evaluate: Session['evaluate'] = async (data) => {
    const shape = dataShapeOf(compiled.experiment);
    if (!sameShape(data.shape, shape) || data.size === 0) {
      const expected = `examples of shape ${showShape(shape)}`;
      throw new BackendFailure(problem('data', `${data.size} of shape ${showShape(data.shape)}`, expected));
    }
    const meansOf = async (program: Program, kind: OutputKind): Promise<Terms> =>
      Object.fromEntries(
        [...(await outputsOf(program, kind, batchInputOfSource(data)))].map(([name, values]) => [
          name,
          values.reduce((total, x) => total + x, 0) / data.size,
        ]),
      );
    const terms = await meansOf(evaluateProgram, 'term');
    const loss = Object.values(terms).reduce((total, x) => total + x, 0);
    /** In the order of the objective, so that where every weight is 1 this is the loss to the bit. */
    const settledOf = async ({ program, weights }: Settled): Promise<Terms> => {
      const own = await meansOf(program, 'value');
      const total = Object.entries(terms).reduce(
        (sum, [name, value]) => sum + (weights.get(name) ?? 1) * (own[name] ?? value),
        0,
      );
      return { ...own, loss: total };
    };
    return {
      step: taken,
      loss,
      terms,
      ...(settled === undefined ? {} : { settled: await settledOf(settled) }),
      ...(metrics === undefined ? {} : { metrics: await meansOf(metrics.program, 'value') }),
      ...(diagnose === undefined ? {} : { diagnosis: await diagnosis(diagnose, data) }),
    };
  };

  const outputsAt = async (
    program: Program,
    inputShape: readonly number[],
    values: Float32Array | Source,
    fields?: FieldValues,
  ): Promise<ReadonlyMap<string, Float32Array>> => {
    const width = sizeOf(inputShape);
    const rows =
      values instanceof Float32Array ? batchInputOf(values, width, fields) : batchInputOfSource(values);
    if (!Number.isInteger(rows.count) || rows.width !== width) {
      const found =
        values instanceof Float32Array
          ? `${values.length} numbers`
          : `examples of shape ${showShape(values.shape)}`;
      throw new BackendFailure(
        problem(program.name, found, `a multiple of ${width}, the size of one example`),
      );
    }
    return outputsOf(program, 'value', rows);
  };

  const map = async (
    program: Program,
    output: string,
    inputShape: readonly number[],
    values: Float32Array | Source,
    fields?: FieldValues,
  ): Promise<Float32Array> =>
    (await outputsAt(program, inputShape, values, fields)).get(output) ?? new Float32Array();

  const logProb = async (program: Program, examples: Float32Array): Promise<LogProb> => {
    const found = await outputsAt(program, compiled.experiment.encoder.input, examples);
    const logDensity = found.get('logDensity') ?? new Float32Array();
    const without = logDensity.filter(Number.isNaN).length;
    if (without > 0) throw new BackendFailure(noDensity(logDensity, without));
    return { logDensity, distance: found.get('distance') ?? new Float32Array() };
  };

  return {
    step,
    metrics: metrics && metricsOf(metrics),
    evaluate,
    encode: (examples, fields) => map(encode, 'code', compiled.experiment.encoder.input, examples, fields),
    decode: (codes, fields) => map(decode, 'data', compiled.experiment.decoder.input, codes, fields),
    logProb: density === undefined ? undefined : (examples) => logProb(density, examples),
    state: async () => {
      const arrays = await instance.read();
      const shaped = [...from.arrays].map(([name, { shape, data }]): readonly [string, Tensor] => [
        name,
        { shape, data: arrays.get(name) ?? data },
      ]);
      return { seed: from.seed, step: taken, arrays: new Map(shaped) };
    },
    taken: () => taken,
    backend: () => current,
    restore: async (state, on) => {
      await last;
      if (on !== undefined) {
        current = on;
        try {
          instance.dispose();
        } catch {
          // It failed before; what it held is gone with it.
        }
      }
      const other = await open(state);
      if (on === undefined) instance.dispose();
      instance = other;
      taken = state.step;
    },
    dispose: () => instance.dispose(),
  };
};
