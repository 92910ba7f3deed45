/** What takes steps of a rectangular flow: ours in this process, PyTorch's in one of its own, from the same weights on the same batch. */
import { atLeast, elementAt, float32At } from '../../dsl/lookup.js';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Compiled } from 'immersion/compiler';
import { sizeOf } from 'immersion/dsl';
import type { Backend } from 'immersion/runs';
import { type Clock, clocks, summary } from '../measure.js';
import { type Peer, startPeer } from './peer.js';
import { constants, type Method, networksOf, stateOf, type Table, writeTable } from './rectangular.js';
import type { ArrayEntry, Ready, Terms } from './workloads.js';

/** Terms of two steps, gradients of the first, and milliseconds of some more. */
export type Stepper = {
  readonly name: string;
  readonly ready: Ready;
  readonly gradients: Float32Array;
  readonly time: (steps: number) => Promise<readonly number[]>;
  readonly end: () => void;
};

/** Weights, batch and probes of a table in a file. */
export type Folder = { readonly path: string; readonly arrays: readonly ArrayEntry[] };

export const inFolder = async <A>(table: Table, act: (folder: Folder) => Promise<A>): Promise<A> => {
  const path = mkdtempSync(join(tmpdir(), 'immersion-rectangular-'));
  const result = await act({ path, arrays: writeTable(table, join(path, 'arrays')) });
  rmSync(path, { recursive: true });
  return result;
};

const numbersOf = (file: string): Float32Array => {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
};

/** What a program is fed besides its state, as many examples of it as the program takes. */
const feedsFor = (
  { binders, batch }: Compiled['step'],
  state: ReadonlyMap<string, unknown>,
  given: ReadonlyMap<string, Float32Array>,
): ReadonlyMap<string, Float32Array> =>
  new Map(
    binders
      .filter(({ name }) => !state.has(name))
      .map(({ name, var: { type } }) => [
        name,
        given.get(name)?.slice(0, batch * sizeOf(type.shape)) ?? Float32Array.of(0),
      ]),
  );

/** Adam's first moment after one step is a tenth of the gradient. */
const firstMomentShare = 0.1;

/** Ours, and the diagnosis of the weights after two steps, where the step solves systems. */
export const ours = async (
  backend: Backend,
  name: string,
  compiled: Compiled,
  { path, arrays }: Folder,
  clock: Clock,
): Promise<Stepper & { readonly diagnosis: Terms; readonly guards: Terms }> => {
  const all = numbersOf(join(path, 'arrays'));
  const given = new Map(
    arrays.map(({ name: array, shape, offset }) => [array, all.slice(offset, offset + sizeOf(shape))]),
  );
  const { step: program, diagnose } = compiled;
  const state = stateOf(compiled, given);
  const programs = [program, ...(diagnose === undefined ? [] : [diagnose])];
  const instance = await backend.open(new Map(programs.map((one) => [one.name, one])), state);
  let guards: Terms = {};
  const run = async (
    { name: which }: Compiled['step'],
    feeds: ReadonlyMap<string, Float32Array>,
  ): Promise<Terms> => {
    const { term, surrogate, telemetry, value: figures, guard } = await instance.run(which, feeds);
    const scalars = (outputs: Iterable<readonly [string, Float32Array]>): Terms =>
      Object.fromEntries([...outputs].map(([output, value]) => [output, float32At(value, 0)]));
    guards = scalars(guard);
    return scalars([...term, ...surrogate, ...telemetry, ...figures]);
  };
  const feeds = feedsFor(program, state, given);
  let taken = 0;
  const step = (): Promise<Terms> => run(program, new Map([...feeds, ['step', Float32Array.of(taken++)]]));
  const first = await step();
  const acted = guards;
  const now = await instance.read();
  const gradients = arrays
    .filter(({ role }) => role === 'parameter')
    .flatMap(({ name: parameter }) =>
      [...(now.get(`adam/mean/${parameter}`) ?? [])].map((m) => m / firstMomentShare),
    );
  return {
    name: `Immersion, ${name}`,
    ready: { versions: { Node: process.version }, terms: [first, await step()] },
    gradients: Float32Array.from(gradients),
    guards: acted,
    diagnosis: diagnose === undefined ? {} : await run(diagnose, feedsFor(diagnose, state, given)),
    time: async (steps) => {
      const milliseconds: number[] = [];
      for (let i = 0; i < steps; i++) {
        const start = clocks[clock]();
        await step();
        milliseconds.push(clocks[clock]() - start);
      }
      return milliseconds;
    },
    end: () => instance.dispose(),
  };
};

/** PyTorch's: `hand`, `jvp` or `vmap` says how J·v is made. */
export const theirs = async (
  python: string,
  table: Table,
  method: Method,
  way: string,
  { path, arrays }: Folder,
  { threads, clock }: { readonly threads: number; readonly clock: Clock },
): Promise<Stepper> => {
  const script = fileURLToPath(new URL('rectangular.py', import.meta.url));
  const peer: Peer = startPeer({ program: python, args: [script, method, way], env: {} }, threads);
  const gradients = join(path, 'gradients');
  const workload = { ...networksOf(table), ...constants };
  const request = { op: 'prepare', workload, file: join(path, 'arrays'), arrays, gradients };
  const ready: Ready = JSON.parse(JSON.stringify(await peer.ask(request, 900)));
  return {
    name: `PyTorch, ${method}, ${way}`,
    ready,
    gradients: numbersOf(gradients).slice(),
    time: async (steps) => {
      const answer = await peer.ask({ op: 'time', steps, clock }, 1800);
      const { milliseconds }: { readonly milliseconds: readonly number[] } = JSON.parse(
        JSON.stringify(answer),
      );
      return milliseconds;
    },
    end: peer.end,
  };
};

/** Median milliseconds of a step in each round, steppers taking turns of about so many seconds. */
export const inTurns = async (
  steppers: readonly Stepper[],
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<readonly (readonly number[])[]> => {
  const steps: number[] = [];
  for (const one of steppers) {
    const [, trial] = atLeast(2, await one.time(2));
    steps.push(Math.max(1, Math.round((seconds * 1000) / trial)));
  }
  const readings = steppers.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, one] of steppers.entries())
      elementAt(readings, i).push(summary(await one.time(elementAt(steps, i))).median);
  }
  return readings;
};
