/** One model on one backend: its state stays with the backend, and every program runs against it. */
import type { Compiled, Program } from '../compiler/index.js';
import type { Dataset } from '../data/dataset.js';
import { evaluationBatches, gather } from '../data/batches.js';
import { sizeOf } from '../dsl/index.js';
import type { Backend, Executable, Handle } from '../runtime/backend.js';
import type { StepEvent, Terms, ValidationEvent } from './events.js';
import { uploadFeed } from './feed.js';
import type { Array1, TrainState } from './state.js';

export type Session = {
  /** One step on a batch, [batch, …shape] row-major. */
  readonly step: (data: Float32Array) => Promise<Omit<StepEvent, 'seconds'>>;
  /** Every term's mean over a data set. */
  readonly evaluate: (data: Dataset) => Promise<ValidationEvent>;
  /** data [n, …shape] → codes [n, d]. */
  readonly encode: (examples: Float32Array) => Promise<Float32Array>;
  /** codes [n, d] → data [n, …shape]. */
  readonly decode: (codes: Float32Array) => Promise<Float32Array>;
  /** The state as it stands, copied to the host. */
  readonly state: () => Promise<TrainState>;
  readonly dispose: () => void;
};

const telemetry: ReadonlySet<string> = new Set(['loss', 'rate', 'gradientNorm', 'commit']);

export const createSession = (compiled: Compiled, backend: Backend, from: TrainState): Session => {
  const { batch } = compiled.experiment;
  const draws = new Map(compiled.draws.map((spec) => [spec.name, spec]));
  const state = new Map([...from.arrays].map(([name, { data }]) => [name, backend.upload(data)]));
  const shapes = new Map([...from.arrays].map(([name, { shape }]) => [name, shape]));
  let taken = from.step;

  // Programs are loaded when they are first needed: a trainer never decodes, a sampler never trains.
  const loaded = new Map<Program, Executable>();
  const executable = (program: Program): Executable => {
    const known = loaded.get(program) ?? backend.load(program);
    loaded.set(program, known);
    return known;
  };

  const disposeAll = (handles: Iterable<Handle>): void => {
    for (const handle of handles) backend.dispose(handle);
  };

  const run = (program: Program, feed: Parameters<typeof uploadFeed>[3]): ReadonlyMap<string, Handle> => {
    const fed = uploadFeed(backend, program, draws, feed);
    const outputs = executable(program).run(new Map([...state, ...fed]));
    disposeAll(fed.values());
    return outputs;
  };

  const scalarsOf = async (outputs: ReadonlyMap<string, Handle>): Promise<Terms> => {
    const names = [...outputs.keys()].filter((name) => !name.startsWith('next '));
    const entries = await Promise.all(
      names.map(async (name) => {
        const handle = outputs.get(name);
        const [value] = handle === undefined ? [NaN] : await backend.download(handle);
        return [name, value] as const;
      }),
    );
    return Object.fromEntries(entries);
  };

  /** The barrier: all of the next state, or none of it. */
  const commit = (outputs: ReadonlyMap<string, Handle>, committed: boolean): void => {
    for (const [key, handle] of outputs) {
      const name = key.startsWith('next ') ? key.slice('next '.length) : undefined;
      const old = name === undefined ? undefined : state.get(name);
      if (name !== undefined && old !== undefined && committed) {
        state.set(name, handle);
        backend.dispose(old);
      } else backend.dispose(handle);
    }
  };

  const step: Session['step'] = async (data) => {
    const at = taken;
    const outputs = run(compiled.step, { data, step: at, draws: { seed: from.seed, step: at, purpose: 'train' } });
    const scalars = await scalarsOf(outputs);
    const committed = scalars['commit'] === 1;
    commit(outputs, committed);
    taken = at + 1;
    const terms = Object.fromEntries(Object.entries(scalars).filter(([name]) => !telemetry.has(name)));
    const { loss, gradientNorm, rate } = scalars;
    return { tag: 'step', step: at, loss, terms, gradientNorm, rate, committed };
  };

  /** Runs a program over rows in batches of the static size and keeps `width` numbers of each valid row. */
  const overRows = async (
    program: Program,
    rows: number,
    fill: (indices: Int32Array, into: Float32Array) => void,
    inputWidth: number,
    take: (outputs: ReadonlyMap<string, Float32Array>, valid: number) => void,
  ): Promise<void> => {
    const plan = evaluationBatches(rows, batch);
    if (plan._tag === 'Left') return;
    let index = 0;
    for (const { indices, valid } of plan.right) {
      const data = new Float32Array(batch * inputWidth);
      fill(indices, data);
      const key = { seed: from.seed, step: index, purpose: 'validation' };
      const outputs = run(program, { data, step: taken, draws: key });
      const arrays = await Promise.all(
        [...outputs].map(async ([name, handle]) => [name, await backend.download(handle)] as const),
      );
      disposeAll(outputs.values());
      take(new Map(arrays), valid);
      index += 1;
    }
  };

  const evaluate: Session['evaluate'] = async (data) => {
    const sums = new Map<string, number>();
    const fill = (indices: Int32Array, into: Float32Array): void => gather(data, indices, into);
    await overRows(compiled.evaluate, data.size, fill, sizeOf(data.shape), (outputs, valid) => {
      for (const [name, values] of outputs) {
        const sum = values.subarray(0, valid).reduce((total, x) => total + x, 0);
        sums.set(name, (sums.get(name) ?? 0) + sum);
      }
    });
    const terms = Object.fromEntries([...sums].map(([name, sum]) => [name, sum / data.size]));
    const loss = Object.values(terms).reduce((total, x) => total + x, 0);
    return { tag: 'validation', step: taken, loss, terms };
  };

  const map = async (program: Program, output: string, inputShape: readonly number[], values: Float32Array): Promise<Float32Array> => {
    const width = sizeOf(inputShape);
    const rows = Math.floor(values.length / width);
    const parts: Float32Array[] = [];
    const fill = (indices: Int32Array, into: Float32Array): void =>
      indices.forEach((row, i) => into.set(values.subarray(row * width, (row + 1) * width), i * width));
    await overRows(program, rows, fill, width, (outputs, valid) => {
      const all = outputs.get(output) ?? new Float32Array();
      parts.push(all.subarray(0, (all.length / batch) * valid));
    });
    const joined = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
    parts.reduce((at, part) => {
      joined.set(part, at);
      return at + part.length;
    }, 0);
    return joined;
  };

  return {
    step,
    evaluate,
    encode: (examples) => map(compiled.encode, 'code', compiled.experiment.encoder.input, examples),
    decode: (codes) => map(compiled.decode, 'data', compiled.experiment.decoder.input, codes),
    state: async () => {
      const arrays = await Promise.all(
        [...state].map(async ([name, handle]): Promise<readonly [string, Array1]> => [
          name,
          { shape: shapes.get(name) ?? [handle.size], data: await backend.download(handle) },
        ]),
      );
      return { seed: from.seed, step: taken, arrays: new Map(arrays) };
    },
    dispose: () => {
      disposeAll(state.values());
      for (const program of loaded.values()) program.dispose();
    },
  };
};
