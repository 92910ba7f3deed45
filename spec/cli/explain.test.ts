/** `immersion explain` says what an experiment computes and costs, on a terminal of any width, and as data. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { explain } from '../../cli/explain.js';
import { explanationOf } from '../../cli/explanation/explanation.js';
import { explanationText, short, shortBytes } from '../../cli/explanation/explanation-text.js';
import { compile } from '../../compiler/index.js';
import {
  apply,
  dataOf,
  dense,
  draw,
  input,
  jvp,
  meanOf,
  network,
  normal,
  pipe,
  solveGram,
  sphere,
  sqNorm,
  sqNormEach,
  tanh,
  vjp,
  volume,
  type VolumeMethod,
} from '../../dsl/index.js';
import { backendNames } from '../../runs/index.js';
import mlp from '../../examples/mlp.js';
import mnist from '../../examples/mnist.js';
import sine from '../../examples/sine.js';
import sphereExample from '../../examples/sphere.js';
import { right } from '../shared/either.js';

const example = (name: string): string =>
  fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url));

/** Runs the command; what it writes to stdout and stderr. */
const run = async (...args: readonly string[]) => {
  const written = { out: '', err: '' };
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((written.out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((written.err += String(text)), true));
  const code = await explain(args);
  vi.restoreAllMocks();
  return { code, ...written };
};

afterEach(() => vi.restoreAllMocks());

test.each([
  [0, '0', '0 B'],
  [999, '999', '999 B'],
  [1000, '1.00 k', '1.00 kB'],
  [999_999, '1.00 M', '1.00 MB'],
  [12_345_678, '12.3 M', '12.3 MB'],
])('%i in three digits', (value, number, bytes) => {
  expect([short(value), shortBytes(value)]).toEqual([number, bytes]);
});

describe('an explanation', () => {
  test("adds up: the paper's MNIST networks", () => {
    const { networks, jacobians, step } = right(explanationOf(right(compile(mnist))));
    expect(networks.map(({ name, parameters, layers }) => [name, parameters, layers.length])).toEqual([
      ['encoder', 7_214_432, 17],
      ['decoder', 5_267_905, 17],
    ]);
    expect(step.parameters.count).toBe(7_214_432 + 5_267_905);
    expect(jacobians).toMatchObject([
      { terms: ['injectivity', 'volume'], method: 'forward probe', probes: 1, exact: 32, network: 'decoder' },
    ]);
    expect(step.timesAutoencoder).toBeCloseTo(1.63, 1);
  });

  test('tells forward from reverse probes, and counts them', () => {
    const encoder = network('encoder', pipe(input(16), dense(8), tanh, dense(4)));
    const decoder = network('decoder', pipe(input(4), dense(8), tanh, dense(16)));
    const h = apply(encoder, dataOf(encoder));
    const objective = {
      forward: meanOf(5, sqNormEach(jvp(decoder, h, draw('v', sphere(4), { probes: 5 })))),
      reverse: sqNorm(vjp(decoder, h, draw('w', normal(16)))),
    };
    const { jacobians } = right(explanationOf(right(compile({ ...mlp, encoder, decoder, objective }))));
    expect(jacobians.map(({ terms, method, probes, exact }) => [terms[0], method, probes, exact])).toEqual([
      ['forward', 'forward probe', 5, 4],
      ['reverse', 'reverse probe', 1, 16],
    ]);
  });

  test('says how a volume and a system with JᵀJ are computed, and what the other ways cost', () => {
    const encoder = network('encoder', pipe(input(21), dense(32), tanh, dense(10)));
    const decoder = network('decoder', pipe(input(10), dense(32), tanh, dense(21)));
    const h = apply(encoder, dataOf(encoder));
    const textOf = (method: VolumeMethod): string => {
      const u = solveGram(decoder, h, draw('b', normal(10)), { iterations: 4 });
      const objective = { volume: volume(decoder, h, { method }), u: sqNorm(u) };
      const text = explanationText(
        right(explanationOf(right(compile({ ...mlp, encoder, decoder, objective })))),
        100,
      );
      return text.slice(text.indexOf('Jacobians'), text.indexOf('a training step'));
    };
    expect(textOf('auto')).toMatchInlineSnapshot(`
      "Jacobians  products are those of J with one direction for one example

        ½·ln det(J_decoderᵀ·J_decoder)(encoder(x))  in volume
          stochastic, which costs less; evaluation is exact
          stochastic  k = 1: L⁻ᵀε, a product and its gradient  13 products  25.8 kFLOPs
          exact       all columns of J, and their gradient     30 products  59.5 kFLOPs
          (JᵀJ)⁻¹ε
            Cholesky factor      all columns of J      10 products  19.8 kFLOPs
            conjugate gradients  two products a round  20 products  39.7 kFLOPs
        (J_decoderᵀ·J_decoder)(encoder(x))⁻¹·b  in u
          conjugate gradients, whose rounds are bounded
          conjugate gradients  two products a round  8 products  15.9 kFLOPs

      "
    `);
    expect(textOf('exact')).toMatchInlineSnapshot(`
      "Jacobians  products are those of J with one direction for one example

        ½·ln det(J_decoderᵀ·J_decoder)(encoder(x))  in volume
          exact, as the specification says
          exact       all columns of J, and their gradient     30 products  59.5 kFLOPs
          stochastic  k = 1: L⁻ᵀε, a product and its gradient  13 products  25.8 kFLOPs
        (J_decoderᵀ·J_decoder)(encoder(x))⁻¹·b  in u
          conjugate gradients, whose rounds are bounded
          conjugate gradients  two products a round  8 products  15.9 kFLOPs

      "
    `);
  });

  test.each(
    Object.entries({ mnist, mlp, sine, sphere: sphereExample }).flatMap(([name, one]) =>
      [60, 80, 120].map((columns) => ({ name, one, columns })),
    ),
  )('of $name fits $columns columns, and leaves nothing out', ({ one, columns }) => {
    const explanation = right(explanationOf(right(compile(one))));
    const lines = explanationText(explanation, columns).split('\n');
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    const words = (text: string): string => text.split(/\s+/).sort().join(' ');
    expect(words(lines.join('\n'))).toBe(words(explanationText(explanation, 1000)));
  });
});

describe('the command', () => {
  test('shows a density and what it is with respect to', () => {
    const text = explanationText(right(explanationOf(right(compile(sine)))), 100);
    expect(text.slice(text.indexOf('density'), text.indexOf('hyper'))).toMatchInlineSnapshot(`
      "density  of an example, in nats, with respect to volume on the manifold that it is projected to

        h := decoder⁻¹(x)

        ln p(x) = −0.918939 − 0.5·‖h‖² − ½·ln det(J_decoderᵀ·J_decoder)(h)

      "
    `);
  });

  test('shows the program after each pass and the plan with --ir', async () => {
    const { code, out } = await run(example('mlp'), '--ir', '--backend', 'cpu');
    expect(code).toBe(0);
    for (const heading of [
      '── after elaborate ─',
      '── after differentiate ─',
      '── after dce ─',
      '── plan for cpu ─',
    ])
      expect(out).toContain(heading);
  });

  test('shows the loops of a step with what they compute and move', async () => {
    const { code, out } = await run(example('mlp'), '--loops');
    expect(code).toBe(0);
    expect(out).toContain('── loops for wasm ─');
    expect(out).toMatch(
      /^ *\d+ {2}for i < 256, j < 64, k < 64 +2\.1 MFLOP, [\d.]+ kB\n +%\d+\[64i \+ j\] \+= /m,
    );
  });

  test('shows the graph of the native backend', async () => {
    const { code, out } = await run(example('mlp'), '--ir', '--backend', 'native');
    expect(code).toBe(0);
    expect(out).toMatch(/── plan for native ─+\n\n/);
    expect(out).toMatch(/ResourceApplyAdam/);
  });

  test('gives one JSON result with --json, and follows --set', async () => {
    const { code, out } = await run(example('mlp'), '--json', '--set', 'batch=3');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      step: { batch: 3 },
      networks: [{ name: 'encoder' }, { name: 'decoder' }],
    });
  });

  test('answers mistakes with 1 and one line each', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'immersion-explain-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const broken = join(folder, 'broken.json');
    await writeFile(broken, '{}');
    for (const args of [
      [],
      ['nowhere.ts'],
      [broken],
      [example('mlp'), '--set', 'eta'],
      [example('mlp'), '--set', 'beta=1'],
    ]) {
      const { code, out, err } = await run(...args);
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/found .+, expected .+\n$/);
    }
    const { code, err } = await run(example('mlp'), '--backend', 'wsam');
    expect([code, err]).toEqual([
      1,
      `--backend: found "wsam", expected one of ${['auto', ...backendNames].join(', ')} (did you mean "wasm"?)\n`,
    ]);
  });
});
