/** What every peer computes: networks, an objective and a batch as plain data, and the arrays that all of them start from. */
import { elementAt } from '../../dsl/lookup.js';
import { writeFileSync } from 'node:fs';
import { isLeft } from 'fp-ts/lib/Either.js';
import { type Compiled, compile } from 'immersion/compiler';
import {
  adam,
  constant,
  dense,
  experiment,
  input,
  mapLayers,
  type Network,
  network,
  type NetworkValue,
  type Objective,
  pipe,
  type Shape,
  showProblem,
  sizeOf,
  tanh,
} from 'immersion/dsl';
import { ae, injFlowLn } from 'immersion/objectives';
import { initialState } from 'immersion/runs';
import type { Clock } from '../measure.js';
import { noise, probes } from './noise.js';
import { mnistNetworks } from '../../examples/architectures.js';

export type ObjectiveName = 'injFlowLn' | 'ae';

/** Sent to peers as it is; they know the words of dsl/layer.ts. */
export type Workload = {
  readonly name: string;
  readonly encoder: NetworkValue;
  readonly decoder: NetworkValue;
  readonly batch: number;
  /** Least stretch: such that some examples are below it and some above. */
  readonly eta: number;
  /** Exponent of the penalty schedule 1 + i^nu / 1000. */
  readonly nu: number;
  /** Weight of ‖h‖². */
  readonly prior: number;
  readonly rate: number;
};

/** Peers differentiate the statistics of a batch-norm like anything else. */
const asPeersDo = <N extends NetworkValue>(net: N): N =>
  mapLayers(net, (layer) => (layer.tag === 'batchNorm' ? { ...layer, statistics: 'differentiated' } : layer));

const perceptrons = {
  encoder: network('encoder', pipe(input(16), dense(64), tanh, dense(64), tanh, dense(4))),
  decoder: network('decoder', pipe(input(4), dense(64), tanh, dense(64), tanh, dense(16))),
};

const defaults = { nu: 1.3, prior: 0.01, rate: 1e-3 };

const convolutional = (name: string, width: number, batch: number, eta: number): Workload => {
  const { encoder, decoder } = mnistNetworks(width);
  return { ...defaults, name, encoder: asPeersDo(encoder), decoder: asPeersDo(decoder), batch, eta };
};

export const workloads: readonly Workload[] = [
  { ...defaults, name: 'mlp', ...perceptrons, batch: 256, eta: 0.67 },
  convolutional('mnist-16', 1, 16, 0.64),
  convolutional('mnist-128', 1, 128, 0.64),
  convolutional('eighth-64', 1 / 8, 64, 0.61),
];

/** A network of unknown shapes, as it comes back from JSON: it was checked where it was made. */
const untyped = ({ name, input: shape, layers }: NetworkValue): Network<Shape, Shape> => ({
  name,
  input: shape,
  layers,
});

export const compiledOf = (workload: Workload, objective: ObjectiveName): Compiled => {
  const [encoder, decoder] = [untyped(workload.encoder), untyped(workload.decoder)];
  const objectives: Readonly<Record<ObjectiveName, () => Objective>> = {
    ae: () => ae(encoder, decoder),
    injFlowLn: () =>
      injFlowLn(encoder, decoder, { eta: constant(workload.eta), prior: constant(workload.prior) }),
  };
  const result = compile(
    experiment({
      encoder,
      decoder,
      objective: objectives[objective](),
      optimizer: adam({ rate: workload.rate }),
      batch: workload.batch,
      steps: 1,
      data: 'given',
    }),
  );
  if (isLeft(result)) throw new Error(result.left.map(showProblem).join('\n'));
  return result.right;
};

export type ArrayEntry = {
  readonly name: string;
  readonly shape: readonly number[];
  /** In numbers, from the start of the file. */
  readonly offset: number;
  readonly role: 'parameter' | 'running' | 'input';
};

/** Writes the first parameters, the running statistics, a batch `data` and probes `v` one after another as float32; gives where each lies. */
export const writeArrays = (workload: Workload, file: string): readonly ArrayEntry[] => {
  const compiled = compiledOf(workload, 'injFlowLn');
  const parameters = new Set(compiled.parameters.map(({ name }) => name));
  const state = [...initialState(compiled, 1).arrays].filter(([name]) => !name.startsWith('adam/'));
  const { encoder, decoder, batch } = workload;
  const inputs = [
    ['data', { shape: [batch, ...encoder.input], data: noise(batch * sizeOf(encoder.input), 1) }],
    ['v', { shape: [batch, ...decoder.input], data: probes(batch, sizeOf(decoder.input)) }],
  ] as const;
  const arrays = [...state, ...inputs];
  const entries: ArrayEntry[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of arrays) {
    const role = parameters.has(name) ? 'parameter' : name === 'data' || name === 'v' ? 'input' : 'running';
    entries.push({ name, shape, offset, role });
    offset += data.length;
  }
  const all = new Float32Array(offset);
  arrays.forEach(([, { data }], i) => all.set(data, elementAt(entries, i).offset));
  writeFileSync(file, new Uint8Array(all.buffer));
  return entries;
};

/** What is asked of a peer, one JSON object a line. */
export type Request =
  | {
      readonly op: 'prepare';
      readonly workload: Workload;
      readonly file: string;
      readonly arrays: readonly ArrayEntry[];
      /** Where to write the first step's gradients of the parameters, in order, as float32. */
      readonly gradients: string;
    }
  | { readonly op: 'time'; readonly steps: number; readonly clock: Clock }
  | { readonly op: 'end' };

export type Terms = Readonly<Record<string, number>>;

/** Terms of the first two steps, and the versions of what computed them. */
export type Ready = {
  readonly versions: Readonly<Record<string, string>>;
  readonly terms: readonly [Terms, Terms];
};
