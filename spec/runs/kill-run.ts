/** A process that trains in a folder until it is killed, and goes on there when it is started again: `kill-run.ts FOLDER BACKEND`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { loadData, select } from '../../data/index.js';
import {
  adam,
  batchNorm,
  dense,
  elu,
  experiment,
  flatten,
  input,
  network,
  pipe,
  reshape,
  schedule,
  showProblem,
} from '../../dsl/index.js';
import { augmentedLagrangian, injFlowLn, reconstructionConstraint } from '../../objectives/index.js';
import { readRun, resume, startBackend, trainRun } from '../../runs/index.js';

const [folder = '', name = 'wasm'] = process.argv.slice(2);

/** A rate schedule, running statistics and running values are all in play. */
const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(24), batchNorm(), elu, dense(3)));
const decoder = network('decoder', pipe(input(3), dense(24), elu, dense(64), reshape(8, 8, 1)));
const spec = experiment({
  encoder,
  decoder,
  objective: injFlowLn(encoder, decoder, {
    mu: augmentedLagrangian(reconstructionConstraint(encoder, decoder)),
  }),
  optimizer: adam({ rate: schedule.exponential(4e-3, 100) }),
  batch: 16,
  steps: 240,
  data: 'digits',
  validation: { every: 20 },
});

const fail = (problems: readonly Parameters<typeof showProblem>[0][]): never => {
  process.stderr.write(`${problems.map(showProblem).join('\n')}\n`);
  process.exit(1);
};

const digits = await loadData('digits')();
if (isLeft(digits)) throw fail(digits.left);
const rows = Array.from({ length: 400 }, (_, row) => row);
const data = { train: select(digits.right.train, 'digits', rows), test: digits.right.test };
const backend = await startBackend(name, { device: 'cpu', threads: 1 });
if (isLeft(backend)) throw fail(backend.left);

const note = existsSync(join(folder, 'spec.json')) ? readRun(folder) : undefined;
const goesOn = note !== undefined && !isLeft(note) && note.right.settings !== undefined;
/** Every step takes a little while, so that kills hit all of them. */
const onEvent = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
process.stdout.write('started\n');
const trained = goesOn
  ? await resume(folder, { data, backend: backend.right, onEvent })
  : await trainRun(spec, {
      data,
      backend: backend.right,
      seed: 4,
      keep: { name: 'kill', out: folder },
      policy: {
        checkpoints: { every: { tag: 'steps', steps: 7 }, keep: 2, best: true },
        plateau: { by: 'volume', better: 'less', patience: 2, least: 0.05, factor: 0.5, floor: 0 },
      },
      onEvent,
    });
if (isLeft(trained)) throw fail(trained.left);
trained.right.model.dispose();
process.stdout.write('ended\n');
