/**
 * `npm run bench -- compile [--depths 4,16,64,256] [--nets mlp,mnist,eighth,hepmass] [--backends cc,wasm,native] [--clock cpu] [--json]`: how long a
 * program takes to be ready. By depth: an InjFlow-ln step on perceptrons with that many hidden layers of 32 in encoder and decoder, compiled, lowered to
 * loops, and run for the first time on wasm. By network: its step on each backend, each in a process of its own, cc without what it has kept.
 */
import { type Compiled, compile } from 'immersion/compiler';
import {
  adam,
  dense,
  experiment,
  input,
  type Network,
  network,
  type NetworkValue,
  pipe,
  type Shape,
  tanh,
} from 'immersion/dsl';
import { injFlowLn } from 'immersion/objectives';
import { createWasmBackend, lowerWasm } from 'immersion/runs';
import { clocks } from './measure.js';
import { readyByNet, showReady } from './ready/by-net.js';
import { nets } from './ready/nets.js';
import { readyStep } from './subject.js';
import { accepted, clockOf, optionsOf, refuse } from './options.js';

const values = optionsOf({
  json: { type: 'boolean', default: false },
  depths: { type: 'string', default: '4,16,64,256' },
  nets: { type: 'string', default: Object.keys(nets).join(',') },
  backends: { type: 'string', default: 'cc,wasm,native' },
  clock: { type: 'string', default: 'wall' },
});
const list = (text: string): readonly string[] => text.split(',').filter((word) => word !== '');
const depths = list(values.depths).map(Number);
if (!depths.every((depth) => Number.isInteger(depth) && depth > 0)) {
  refuse('--depths', values.depths, 'whole numbers above 0, separated by commas');
}

const chosen = list(values.nets);
const backendsAsked = list(values.backends);
if (!chosen.every((net) => Object.hasOwn(nets, net)))
  refuse('--nets', values.nets, `some of ${Object.keys(nets).join(', ')}`);

/** The network with its hidden layer `depth` times over. */
const deepened = <I extends Shape, O extends Shape>(net: Network<I, O>, depth: number): Network<I, O> => {
  const [first, activation, inner, ...rest] = net.layers;
  const middle = Array.from({ length: depth - 1 }, () => [inner, activation]).flat();
  const layers = [first, activation, ...middle, ...rest].flatMap((layer) => layer ?? []);
  const value: NetworkValue = { ...net, layers };
  return { ...net, ...value };
};

const perceptrons = {
  encoder: network('encoder', pipe(input(16), dense(32), tanh, dense(32), dense(4))),
  decoder: network('decoder', pipe(input(4), dense(32), tanh, dense(32), dense(16))),
};

const compiled = (depth: number): Compiled => {
  const encoder = deepened(perceptrons.encoder, depth);
  const decoder = deepened(perceptrons.decoder, depth);
  const objective = injFlowLn(encoder, decoder);
  const result = accepted(
    compile(
      experiment({
        encoder,
        decoder,
        objective,
        optimizer: adam({ rate: 1e-3 }),
        batch: 256,
        steps: 1,
        data: 'x',
      }),
    ),
  );
  return result;
};

const now = clocks[clockOf(values)];

const timed = <A>(work: () => A): readonly [A, number] => {
  const start = now();
  const result = work();
  return [result, (now() - start) / 1000];
};

const backend = await createWasmBackend({ threads: 1 });
// The first compilation of a process also compiles the compiler.
if (depths.length > 0) lowerWasm(compiled(2).step);
const rows = depths.map((depth) => {
  const [all, compileSeconds] = timed(() => compiled(depth));
  const [plan, lowerSeconds] = timed(() => lowerWasm(all.step));
  const [, firstSeconds] = timed(() => readyStep(backend, all).run());
  return {
    depth,
    equations: all.step.equations.length,
    steps: plan.steps.length,
    compile: compileSeconds,
    lower: lowerSeconds,
    firstStep: firstSeconds,
  };
});

const byNet = readyByNet(chosen, backendsAsked);

if (values.json) console.log(JSON.stringify({ node: process.version, rows, byNet }, null, 2));
else {
  if (byNet.length > 0) {
    console.log(
      'whole training steps, each in a process of its own: seconds by the wall (of the processor, compilers included)',
    );
    console.log(`${showReady(byNet, backendsAsked)}\n`);
  }
  console.log(
    'InjFlow-ln step, perceptrons with hidden layers of 32, batch 256; seconds; a first step lowers, loads and runs',
  );
  console.log('hidden layers  equations  steps of plan  compile  lower to loops  first step, wasm');
  for (const row of rows) {
    const cells = [row.depth, row.equations, row.steps].map(String);
    const seconds = [row.compile, row.lower, row.firstStep].map((s) => s.toFixed(2));
    console.log(
      [...cells, ...seconds].map((cell, i) => cell.padStart([13, 9, 13, 7, 14, 16][i] ?? 0)).join('  '),
    );
  }
}
