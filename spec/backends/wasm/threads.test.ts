/** Generated WebAssembly on threads: what the reference says, the same bits on any number of them, and none of them left. */
import { fc, test as property } from '@fast-check/vitest';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { isLeft } from 'fp-ts/lib/Either.js';
import { afterAll, describe, expect, test } from 'vitest';
import { elementAt } from '../../../dsl/lookup.js';
import { attempt } from '../../../backends/failure.js';
import { createHeap } from '../../../backends/wasm/heap.js';
import { startThreads } from '../../../backends/wasm/threads.js';
import { createWasmBackend } from '../../../backends/wasm/wasm.js';
import { createPlan } from '../../../compiler/loops/builder.js';
import { evaluateLoop } from '../../../compiler/loops/evaluate.js';
import type { LoopKernel } from '../../../compiler/loops/loop.js';
import { adam, type Experiment, experiment } from '../../../dsl/index.js';
import { mnistNetworks } from '../../../examples/architectures.js';
import mlp from '../../../examples/mlp.js';
import table from '../../../examples/table.js';
import { injFlowLn } from '../../../objectives/index.js';
import { agree, arbitraryKernel, contractionOf, copy, random, total } from '../../arbitrary/loop.js';
import { placedKernel } from '../../arbitrary/placed.js';
import { createEngine, type Engine, loopOf, runPlan } from '../../compiler/loops/loop-runner.js';
import { root } from '../../shared/command.js';
import { digestOf } from './digests.js';

const counts = [1, 2, 3] as const;
const engines = counts.map(createEngine);
afterAll(async () => {
  for (const { threads } of engines) await threads.end();
});

type Case = { readonly kernel: LoopKernel; readonly inputs: readonly Float32Array[] };

/** Runs kernels as one program. */
const runAll = (cases: readonly Case[], engine: Engine): readonly (readonly Float32Array[])[] => {
  const plan = createPlan();
  const operands = cases.map(({ kernel, inputs }, i) => loopOf(plan, String(i), kernel, inputs));
  const results = runPlan(
    plan,
    operands.flat(),
    cases.flatMap(({ inputs }) => inputs),
    { engine },
  );
  let taken = 0;
  return operands.map((own) => results.slice(taken, (taken += own.length)));
};

const filled = (kernel: LoopKernel, sizes: readonly number[], seed: number): Case => {
  const next = random(seed);
  return { kernel, inputs: sizes.map((size) => Float32Array.from({ length: size }, next)) };
};
const termsOf = ({ extents }: LoopKernel): number => extents.reduce((a, b) => a * b, 1);

describe('a kernel on threads', { timeout: 120_000 }, () => {
  property.prop([fc.array(arbitraryKernel, { minLength: 20, maxLength: 20 })], { numRuns: 2 })(
    'computes what the reference computes',
    (drawn) => {
      const cases = drawn.map(({ kernel, sizes, seed }) => filled(kernel, sizes, seed));
      for (const engine of engines)
        runAll(cases, engine).forEach((outputs, i) => {
          const { kernel, inputs } = elementAt(cases, i);
          agree(outputs, evaluateLoop(kernel, inputs), 1e-5 + termsOf(kernel) * 2e-7);
        });
    },
  );

  property.prop(
    [
      fc.array(contractionOf(fc.integer({ min: 1, max: 70 }), 200_000), { minLength: 6, maxLength: 6 }),
      fc.array(placedKernel(fc.integer({ min: 20, max: 70 }), 200_000), { minLength: 12, maxLength: 12 }),
    ],
    { numRuns: 2 },
  )('sums products, and has the same bits on any number of threads', (drawn, placed) => {
    const sums = [
      total([3_001, 40], [40, 1], [0, 1], 40),
      total([300, 900], [900, 1], [1, 0], 300),
      copy([40_000], [1], [1]),
      copy([3, 120, 130], [15_600, 130, 1], [1, 3, 360]),
    ];
    const cases = [
      ...drawn.map(({ kernel, sizes }) => filled(kernel, sizes, 5)),
      ...sums.map((kernel) => filled(kernel, [termsOf(kernel)], 6)),
      ...placed,
    ];
    const [one, ...others] = engines.map((engine) => runAll(cases, engine));
    others.forEach((other) =>
      other.forEach((outputs, i) =>
        outputs.forEach((output, k) =>
          expect(
            Buffer.from(output.buffer).equals(Buffer.from(one?.[i]?.[k]?.buffer ?? new ArrayBuffer())),
          ).toBe(true),
        ),
      ),
    );
    one?.forEach((outputs, i) => {
      const { kernel, inputs } = elementAt(cases, i);
      const terms = termsOf(kernel) / (kernel.outputs[0] ?? 1);
      agree(outputs, evaluateLoop(kernel, inputs), 1e-6 * (4 + Math.sqrt(terms)));
    });
  });
});

const { encoder, decoder } = mnistNetworks(1 / 16);
const pictures = experiment({
  encoder,
  decoder,
  objective: injFlowLn(encoder, decoder),
  optimizer: adam({ rate: 1e-3 }),
  batch: 8,
  steps: 10,
  data: 'mnist',
});

/** Perceptrons, a flow with systems to solve, convolutions with batch-norm. */
const some: readonly (readonly [string, Experiment])[] = [
  ['perceptrons', { ...mlp, batch: 256 }],
  ['a flow for tables', { ...table, batch: 20 }],
  ["the paper's MNIST networks, thin", pictures],
];

describe.each(some)('steps of %s', (_, spec) => {
  test('end in the same bits on any number of threads', async () => {
    const digests: string[] = [];
    for (const threads of counts) {
      const backend = await createWasmBackend({ threads });
      digests.push(await digestOf(spec, backend));
      await backend.end();
    }
    expect(new Set(digests).size).toBe(1);
  }, 120_000);
});

describe('threads', () => {
  const big = filled(total([400, 900], [900, 1], [1, 0], 400), [360_000], 1);

  test('are gone when they are told to end, and what was shared runs here', async () => {
    const tasks = (): number => readdirSync('/proc/self/task').length;
    const before = tasks();
    const engine = createEngine(3);
    const shared = runAll([big], engine);
    expect(tasks()).toBeGreaterThan(before);
    await engine.threads.end();
    await expect.poll(tasks, { timeout: 10_000 }).toBeLessThanOrEqual(before);
    expect(runAll([big], engine)).toEqual(shared);
  });

  test('that fail are one line, and work again', async () => {
    const heap = createHeap(true);
    const threads = startThreads(heap, 2);
    const fails = (): void => {
      throw new RangeError('out of bounds');
    };
    const module = { id: -1, address: 0, length: 0, nests: [fails] };
    const failed = await attempt(async () => threads.share(module, 0, 0, 64));
    expect(isLeft(failed) ? failed.left : []).toMatchObject([
      { path: 'wasm', found: 'an error in a thread' },
    ]);
    const [output] = elementAt(runAll([big], { heap, threads }), 0);
    agree([output ?? new Float32Array()], evaluateLoop(big.kernel, big.inputs), 1e-4);
    await threads.end();
  });

  test.each([[undefined, 0, null] as const, ['SIGINT', null, 'SIGINT'] as const])(
    'keep no process from ending (%s)',
    async (signal, code, by) => {
      const source = `
        import { createWasmBackend } from ${JSON.stringify(`${root}/backends/wasm/wasm.ts`)};
        const size = 256;
        const [x, w, y] = [{ id: 0, type: { rows: 1, shape: [size] } }, { id: 1, type: { rows: 0, shape: [size, size] } }, { id: 2, type: { rows: 1, shape: [size] } }];
        const backend = await createWasmBackend({ threads: 3 });
        const program = backend.load({ name: 'p', batch: size, binders: [{ kind: 'data', name: 'x', var: x }, { kind: 'parameter', name: 'w', var: w }],
          equations: [{ primitive: 'linear', params: {}, inputs: [x, w], out: y }], outputs: [{ kind: 'value', name: 'y', var: y }] });
        const inputs = new Map(['x', 'w'].map((name) => [name, backend.upload(new Float32Array(size * size).fill(1))]));
        const step = () => program.run(inputs).forEach(backend.dispose);
        step();
        console.log('ready');
        if (${signal !== undefined}) setInterval(step, 1);`;
      const flags = [
        '--conditions=immersion-source',
        '--import',
        'tsx',
        '--input-type=module',
        '--eval',
        source,
      ];
      const child = spawn(process.execPath, flags, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout.once('data', () => signal && setTimeout(() => child.kill(signal), 100));
      const [ended, name] = await new Promise<readonly [number | null, string | null]>((resolve) =>
        child.on('exit', (...how) => resolve(how)),
      );
      expect([ended, name]).toEqual([code, by]);
    },
    60_000,
  );
});
