/** Rectangular flows on tables as their authors built them: ten affine couplings after an injection, a base flow on the codes. */
import { elementAt } from '../../dsl/lookup.js';
import { writeFileSync } from 'node:fs';
import { isLeft } from 'fp-ts/lib/Either.js';
import { type Compiled, compile } from 'immersion/compiler';
import {
  adam,
  add,
  apply,
  coupling,
  dense,
  experiment,
  inject,
  invert,
  latent,
  logDet,
  network,
  observed,
  pipe,
  relu,
  type Shape,
  showProblem,
  sizeOf,
  type Stack,
  type VolumeMethod,
} from 'immersion/dsl';
import { logNormal, rectangular } from 'immersion/objectives';
import { initialState } from 'immersion/runs';
import { noise, probes } from './noise.js';
import type { ArrayEntry } from './workloads.js';

export type Method = Exclude<VolumeMethod, 'auto'>;

/** d dimensions in D, and how many examples a step takes. */
export type Table = {
  readonly name: string;
  readonly d: number;
  readonly D: number;
  readonly batch: number;
};

/** Sizes of the authors' tables. */
export const tables: readonly Table[] = [
  { name: 'hepmass', d: 10, D: 21, batch: 750 },
  { name: 'miniboone', d: 21, D: 43, batch: 400 },
];

export const constants = { beta: 50, rate: 1e-4, tolerance: 1e-6 };

const perceptron =
  (units: number, depth: number) =>
  (stack: Stack<readonly [number], readonly [number]>): Stack<readonly [number], Shape> =>
    Array.from({ length: depth }).reduce<Stack<readonly [number], readonly [number]>>(
      (below) => relu(dense(units)(below)),
      stack,
    );

const parts = ['last', 'first'] as const;

export const networksOf = ({ d, D }: Pick<Table, 'd' | 'D'>) => {
  const start = pipe(latent(d), inject(D));
  const ambient = Array.from({ length: 10 }).reduce<typeof start>(
    (stack, _, i) => coupling({ part: elementAt(parts, i % 2), conditioner: perceptron(128, 4) })(stack),
    start,
  );
  const codes = observed(d);
  const low = Array.from({ length: 5 }).reduce<typeof codes>(
    (stack, _, i) => coupling({ part: elementAt(parts, i % 2), conditioner: perceptron(32, 2) })(stack),
    codes,
  );
  return { decoder: network('decoder', ambient), base: network('base', low) };
};

/** The whole training step, the likelihood at full weight; a bound on the rounds asks for conjugate gradients. */
export const compiledTable = (table: Table, method: VolumeMethod, iterations?: number): Compiled => {
  const { decoder, base } = networksOf(table);
  const encoder = invert(decoder);
  const result = compile(
    experiment({
      encoder,
      decoder,
      objective: rectangular(encoder, decoder, {
        method,
        name: 'v',
        ...(iterations === undefined ? {} : { iterations }),
        weight: 1,
        beta: constants.beta,
        logPrior: (z) => add(logNormal(table.d)(apply(base, z)), logDet(base, z)),
      }),
      optimizer: adam({ rate: constants.rate }),
      batch: table.batch,
      steps: 1,
      data: 'given',
    }),
  );
  if (isLeft(result)) throw new Error(result.left.map(showProblem).join('\n'));
  return result.right;
};

/** Weights with no pattern in place of the initial ones, whose projections are zero and make every Jacobian trivial. */
const weightsOf = (shape: readonly number[], seed: number): Float32Array => {
  const bound = 1 / Math.sqrt(shape[0] ?? 1);
  return noise(sizeOf(shape), seed).map((u) => (2 * u - 1) * bound);
};

/** Writes parameters, a batch `data` and probes `v` one after another as float32; gives where each lies. */
export const writeTable = (table: Table, file: string): readonly ArrayEntry[] => {
  const { d, D, batch } = table;
  const compiled = compiledTable(table, 'stochastic');
  const arrays: readonly {
    name: string;
    shape: readonly number[];
    role: ArrayEntry['role'];
    data: Float32Array;
  }[] = [
    ...compiled.parameters.map(({ name, shape }, i) => ({
      name,
      shape,
      role: 'parameter' as const,
      data: weightsOf(shape, 100 + i),
    })),
    { name: 'data', shape: [batch, D], role: 'input', data: noise(batch * D, 1).map((u) => 4 * u - 2) },
    { name: 'v', shape: [batch, 1, d], role: 'input', data: probes(batch, d) },
  ];
  let offset = 0;
  const entries = arrays.map(({ name, shape, role, data }): ArrayEntry => {
    const at = offset;
    offset += data.length;
    return { name, shape, offset: at, role };
  });
  const all = new Float32Array(offset);
  arrays.forEach(({ data }, i) => all.set(data, elementAt(entries, i).offset));
  writeFileSync(file, new Uint8Array(all.buffer));
  return entries;
};

/** Adam's moments, all zero, beside the parameters of a file. */
export const stateOf = (compiled: Compiled, given: ReadonlyMap<string, Float32Array>) =>
  new Map(
    [...initialState(compiled, 1).arrays].map(([name, { data }]) => [name, given.get(name) ?? data] as const),
  );
