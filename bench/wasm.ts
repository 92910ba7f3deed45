/**
 * `npm run bench -- wasm`: the whole InjFlow-ln step on the paper's MNIST networks against the rate of a plain matrix product on the
 * same backend, against the plain autoencoder's step, and against the same step with every equation lowered to the kernel of its name.
 */
import { entryOf } from '../dsl/lookup.js';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { type Compiled, compile } from 'immersion/compiler';
import { adam, experiment, type Objective } from 'immersion/dsl';
import { ae, injFlowLn } from 'immersion/objectives';
import { createKernelBackend, createWasmBackend } from 'immersion/runs';
import { mnistNetworks } from '../examples/architectures.js';
import { inTurns, quotients, summary } from './measure.js';
import { byKind, profileOf } from './profile.js';
import { commandLine, accepted, clockOf, numberOf, optionsOf } from './options.js';
import { report, type Result } from './report.js';
import { product, ready, readyStep } from './subject.js';

const values = optionsOf({
  json: { type: 'boolean', default: false },
  kernels: { type: 'boolean', default: true },
  rounds: { type: 'string', default: '7' },
  width: { type: 'string', default: '0.25' },
  batch: { type: 'string', default: '64' },
  clock: { type: 'string', default: 'wall' },
});
const clock = clockOf(values);
const [width, batch, rounds] = [
  numberOf(values, 'width'),
  numberOf(values, 'batch'),
  numberOf(values, 'rounds'),
];
const { encoder, decoder } = mnistNetworks(width);

const compiled = (objective: Objective): Compiled => {
  const optimizer = adam({ rate: 1e-3 });
  const result = accepted(
    compile(experiment({ encoder, decoder, objective, optimizer, batch, steps: 1, data: 'mnist' })),
  );
  return result;
};

const tfjsVersion = (): string => {
  const file = new URL('../package.json', import.meta.url);
  const { dependencies }: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return entryOf(dependencies, '@tensorflow/tfjs-backend-wasm');
};

const kernelBackend = await createKernelBackend();
const backend = await createWasmBackend({ threads: 1 });

const injflow = compiled(injFlowLn(encoder, decoder));
const subjects = {
  'matmul 1024, tfjs': ready(kernelBackend, product(1024)),
  'matmul 1024, ours': ready(backend, product(1024)),
  'InjFlow-ln step': readyStep(backend, injflow),
  'AE step': readyStep(backend, compiled(ae(encoder, decoder))),
} as const;

const readings = inTurns(
  Object.entries(subjects).map(([name, { run }]) => ({
    name,
    run,
    repeat: name.startsWith('matmul') ? 3 : 1,
  })),
  { warmUp: 2, rounds, clock },
);
const secondsOf = (name: keyof typeof subjects): readonly number[] => readings.get(name) ?? [];
const ratesOf = (name: keyof typeof subjects): readonly number[] =>
  secondsOf(name).map((seconds) => subjects[name].cost.flops / seconds);

const calls = profileOf(subjects['InjFlow-ln step'], 7);

// The step by kernels takes many times longer and once is enough to see it: one run to warm up, two readings.
const byKernels = values.kernels ? readyStep(kernelBackend, injflow) : undefined;
const kernelSeconds =
  byKernels === undefined
    ? []
    : (inTurns([{ name: 'kernels', run: byKernels.run }], { warmUp: 1, rounds: 2, clock }).get('kernels') ??
      []);

const [times, flops] = [
  quotients(secondsOf('InjFlow-ln step'), secondsOf('AE step')),
  subjects['InjFlow-ln step'].cost.flops / subjects['AE step'].cost.flops,
];

const result: Result = {
  date: new Date().toISOString().slice(0, 10),
  backend: 'wasm',
  node: process.version,
  tfjs: tfjsVersion(),
  processor: `${cpus()[0]?.model ?? 'unknown'}, one core of ${cpus().length}`,
  command: commandLine(),
  width,
  batch,
  rounds,
  clock,
  subjects: [
    ...Object.entries(subjects).map(([name, { cost }]) => ({
      name,
      flops: cost.flops,
      seconds: summary(readings.get(name) ?? []),
    })),
    ...(byKernels === undefined
      ? []
      : [{ name: 'InjFlow-ln step, kernels', flops: byKernels.cost.flops, seconds: summary(kernelSeconds) }]),
  ],
  ofMatmul: summary(quotients(ratesOf('InjFlow-ln step'), ratesOf('matmul 1024, tfjs'))),
  ofOurMatmul: summary(quotients(ratesOf('InjFlow-ln step'), ratesOf('matmul 1024, ours'))),
  againstAutoencoder: { times: summary(times), flops, excess: summary(times.map((t) => t / flops)) },
  kinds: byKind(calls),
  calls: calls.slice(0, 10),
};

if (values.json) console.log(JSON.stringify(result, null, 2));
else console.log(report(result));
