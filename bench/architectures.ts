/**
 * `npm run bench -- architectures [--batch 2] [--width 1] [--backend auto] [--json]`: an InjFlow-ln step on random data of the true
 * size for each of the paper's three architectures: parameters, FLOPs, peak memory, seconds of a step.
 */
import { atLeast } from '../dsl/lookup.js';
import { parseArgs } from 'node:util';
import { isLeft } from 'fp-ts/lib/Either.js';
import { compile, costOf } from 'immersion/compiler';
import {
  adam,
  type Experiment,
  experiment,
  type Network,
  type Shape,
  showProblem,
  sizeOf,
} from 'immersion/dsl';
import { injFlowLn } from 'immersion/objectives';
import { createSession, initialState, startBackend } from 'immersion/runs';
import { celebaNetworks, cifar10Networks, mnistNetworks } from '../examples/architectures.js';

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    batch: { type: 'string', default: '2' },
    width: { type: 'string', default: '1' },
    backend: { type: 'string', default: 'auto' },
  },
});
const [batch, width] = atLeast(2, [values.batch, values.width].map(Number));

const started = await startBackend(values.backend);
if (isLeft(started)) throw new Error(started.left.map(showProblem).join('\n'));
const backend = started.right;

const experimentOf = <D extends Shape, Z extends Shape>(
  data: string,
  { encoder, decoder }: { readonly encoder: Network<D, Z>; readonly decoder: Network<Z, D> },
): Experiment =>
  experiment({
    encoder,
    decoder,
    objective: injFlowLn(encoder, decoder),
    optimizer: adam({ rate: 1e-3 }),
    batch,
    steps: 3,
    data,
  });

const measured = async (spec: Experiment) => {
  const compiled = compile(spec);
  if (isLeft(compiled)) throw new Error(compiled.left.map(showProblem).join('\n'));
  const session = await createSession(compiled.right, backend, initialState(compiled.right, 1));
  const count = batch * sizeOf(spec.encoder.input);
  const pixels = Float32Array.from({ length: count }, (_, i) => 0.5 + 0.5 * Math.sin(i * i + 1));
  const first = await session.step(pixels);
  const start = performance.now();
  const second = await session.step(pixels);
  const seconds = (performance.now() - start) / 1000;
  session.dispose();
  const { flops, peak, parameters } = costOf(compiled.right.step);
  const committed = first.committed && second.committed;
  return {
    name: spec.data,
    parameters: parameters.count,
    gflops: flops / 1e9,
    peakMB: peak / 1e6,
    seconds,
    committed,
    losses: [first.loss, second.loss],
  };
};

const results = [];
for (const spec of [
  experimentOf('mnist', mnistNetworks(width)),
  experimentOf('cifar10', cifar10Networks(width)),
  experimentOf('celeba', celebaNetworks(width)),
])
  results.push(await measured(spec));

if (values.json)
  console.log(
    JSON.stringify({ backend: backend.name, batch, width, node: process.version, results }, null, 2),
  );
else {
  console.log(`InjFlow-ln, batch ${batch}, width ${width}, ${backend.name}`);
  for (const r of results) {
    console.log(
      `${r.name.padEnd(8)} ${(r.parameters / 1e6).toFixed(1)} M parameters, ${r.gflops.toFixed(1)} GFLOPs, peak ${r.peakMB.toFixed(0)} MB, ${r.seconds.toFixed(2)} s a step, loss ${r.losses.map((l) => l.toPrecision(5)).join(' then ')}`,
    );
  }
}
