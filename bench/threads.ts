/**
 * `npm run bench -- threads [--threads 1,2] [--width 0.125] [--batch 64] [--rounds 9] [--json]`: an InjFlow-ln step on wasm by the number of threads
 * that share it: the perceptrons 16-64-64-4 at batch 256, and the paper's MNIST networks at a part of their width; and a product of matrices.
 * By the wall clock, in turns.
 */
import { elementAt } from '../dsl/lookup.js';
import { type Compiled, compile } from 'immersion/compiler';
import { adam, dense, type Experiment, experiment, input, network, pipe, tanh } from 'immersion/dsl';
import { injFlowLn } from 'immersion/objectives';
import { type ArrayBackend, createWasmBackend, provenance } from 'immersion/runs';
import { mnistNetworks } from '../examples/architectures.js';
import { inTurns, quotients, type Reading, summary } from './measure.js';
import { commandLine, accepted, numberOf, optionsOf, refuse } from './options.js';
import { type Prepared, product, ready, readyStep } from './subject.js';

const values = optionsOf({
  threads: { type: 'string', default: '1,2' },
  width: { type: 'string', default: '0.125' },
  batch: { type: 'string', default: '64' },
  rounds: { type: 'string', default: '9' },
  json: { type: 'boolean', default: false },
});
const [width, batch, rounds] = [
  numberOf(values, 'width'),
  numberOf(values, 'batch'),
  numberOf(values, 'rounds'),
];
const counts = values.threads.split(',').map(Number);
if (!counts.every((count) => Number.isInteger(count) && count > 0))
  refuse('--threads', values.threads, 'whole numbers above 0, separated by commas');

const stepOf = (spec: Pick<Experiment, 'encoder' | 'decoder' | 'objective' | 'batch'>): Compiled =>
  accepted(compile(experiment({ ...spec, optimizer: adam({ rate: 1e-3 }), steps: 1, data: 'x' })));

const perceptrons = (): Compiled => {
  const encoder = network('encoder', pipe(input(16), dense(64), tanh, dense(64), tanh, dense(4)));
  const decoder = network('decoder', pipe(input(4), dense(64), tanh, dense(64), tanh, dense(16)));
  return stepOf({ encoder, decoder, objective: injFlowLn(encoder, decoder), batch: 256 });
};
const pictures = (): Compiled => {
  const { encoder, decoder } = mnistNetworks(width);
  return stepOf({ encoder, decoder, objective: injFlowLn(encoder, decoder), batch });
};

/** What is run so often for one reading. The product shows what the machine's cores allow: nothing in it waits for anything. */
const workloads = [
  {
    name: 'product of 1024 × 1024 matrices',
    make: (backend: ArrayBackend): Prepared => ready(backend, product(1024)),
    repeat: 1,
  },
  {
    name: 'perceptrons 16-64-64-4, batch 256',
    make: (backend: ArrayBackend): Prepared => readyStep(backend, perceptrons()),
    repeat: 20,
  },
  {
    name: `MNIST networks at ${width} of their width, batch ${batch}`,
    make: (backend: ArrayBackend): Prepared => readyStep(backend, pictures()),
    repeat: 1,
  },
];
const backends = await Promise.all(counts.map((threads) => createWasmBackend({ threads })));

const range = ({ median, least, most }: Reading, digits: number): string =>
  `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;

const results = workloads.map(({ name, make, repeat }) => {
  const subjects = backends.map((backend, i) => ({
    name: String(counts[i]),
    run: make(backend).run,
    repeat,
  }));
  const readings = inTurns(subjects, { warmUp: 6, rounds, clock: 'wall' });
  const secondsOf = (i: number): readonly number[] => readings.get(String(counts[i])) ?? [];
  return {
    name,
    by: counts.map((threads, i) => ({
      threads,
      seconds: summary(secondsOf(i)),
      faster: summary(quotients(secondsOf(0), secondsOf(i))),
      /** Of the least times: the one to trust where others share the machine. */
      fasterAtBest: summary(secondsOf(0)).least / summary(secondsOf(i)).least,
    })),
  };
});
await Promise.all(backends.map(({ end }) => end()));

const { date, processor, versions } = provenance();
const command = commandLine();
console.log(
  values.json
    ? JSON.stringify({ date, processor, versions, command, results }, null, 2)
    : [
        `\`${command}\`, ${date}, ${processor}, Node ${elementAt(Object.values(versions), 2)}`,
        '',
        '| step | threads | ms | as fast as on the first, by turns | by the least times |',
        '| --- | ---: | ---: | ---: | ---: |',
        ...results.flatMap(({ name, by }) =>
          by.map(
            ({ threads, seconds: { median, least, most }, faster, fasterAtBest }) =>
              `| ${name} | ${threads} | ${range({ median: 1000 * median, least: 1000 * least, most: 1000 * most }, 2)} | ${range(faster, 2)} | ${fasterAtBest.toFixed(2)} |`,
          ),
        ),
      ].join('\n'),
);
