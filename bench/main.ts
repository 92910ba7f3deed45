/**
 * `npm run bench [-- wasm] [--json] [--rounds 7] [--width 0.25] [--batch 64] [--no-plain] [--clock cpu]`: the whole InjFlow-ln step on the paper's
 * MNIST networks against the rate of a plain matrix product on the same backend, against the plain autoencoder's step, and
 * against the same step with every equation lowered to the kernel of its name. `npm run bench -- peers`: see peers.ts;
 * `npm run bench -- architectures`: see architectures.ts; `npm run bench -- rectangular`: see rectangular.ts; `npm run bench -- oracles`: see oracles.ts;
 * `npm run bench -- compile`: see compile.ts.
 */
import { atLeast, entryOf } from '../dsl/lookup.js';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { isLeft } from 'fp-ts/lib/Either.js';
import { type Compiled, compile } from 'immersion/compiler';
import { adam, experiment, type Objective, showProblem } from 'immersion/dsl';
import { ae, injFlowLn } from 'immersion/objectives';
import { createWasmBackend } from 'immersion/runs';
import { mnistNetworks } from '../examples/architectures.js';
import { type Clock, inTurns, quotients, summary } from './measure.js';
import { byKind, profileOf } from './profile.js';
import { report, type Result } from './report.js';
import { product, ready, readyStep } from './subject.js';

const others = ['peers', 'architectures', 'rectangular', 'oracles', 'compile'];
const word = process.argv[2];
if (word !== undefined && others.includes(word)) {
  await import(`./${process.argv[2]}.js`);
  process.exit(0);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    json: { type: 'boolean', default: false },
    plain: { type: 'boolean', default: true },
    rounds: { type: 'string', default: '7' },
    width: { type: 'string', default: '0.25' },
    batch: { type: 'string', default: '64' },
    clock: { type: 'string', default: 'wall' },
  },
});

const unknown = positionals.filter((name) => name !== 'wasm');
if (unknown.length > 0) {
  console.error(`bench: found ${unknown.join(' ')}, expected wasm, ${others.join(', ')}`);
  process.exit(1);
}

const clock: Clock = values.clock === 'cpu' ? 'cpu' : 'wall';
const [width, batch, rounds] = atLeast(3, [values.width, values.batch, values.rounds].map(Number));
const { encoder, decoder } = mnistNetworks(width);

const compiled = (objective: Objective): Compiled => {
  const optimizer = adam({ rate: 1e-3 });
  const result = compile(
    experiment({ encoder, decoder, objective, optimizer, batch, steps: 1, data: 'mnist' }),
  );
  if (isLeft(result)) throw new Error(result.left.map(showProblem).join('\n'));
  return result.right;
};

const tfjsVersion = (): string => {
  const file = new URL('../package.json', import.meta.url);
  const { dependencies }: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return entryOf(dependencies, '@tensorflow/tfjs-backend-wasm');
};

const plainBackend = await createWasmBackend({ plain: true });
const backend = await createWasmBackend();

const injflow = compiled(injFlowLn(encoder, decoder));
const subjects = {
  'matmul 1024, tfjs': ready(plainBackend, product(1024)),
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

// The plain step takes many times longer and once is enough to see it: one run to warm up, two readings.
const plain = values.plain ? readyStep(plainBackend, injflow) : undefined;
const plainSeconds =
  plain === undefined
    ? []
    : (inTurns([{ name: 'plain', run: plain.run }], { warmUp: 1, rounds: 2, clock }).get('plain') ?? []);

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
  command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
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
    ...(plain === undefined
      ? []
      : [{ name: 'InjFlow-ln step, plain', flops: plain.cost.flops, seconds: summary(plainSeconds) }]),
  ],
  ofMatmul: summary(quotients(ratesOf('InjFlow-ln step'), ratesOf('matmul 1024, tfjs'))),
  ofOurMatmul: summary(quotients(ratesOf('InjFlow-ln step'), ratesOf('matmul 1024, ours'))),
  againstAutoencoder: { times: summary(times), flops, excess: summary(times.map((t) => t / flops)) },
  kinds: byKind(calls),
  calls: calls.slice(0, 10),
};

if (values.json) console.log(JSON.stringify(result, null, 2));
else console.log(report(result));
