/** Costs are known from shapes: figures worked out by hand, and laws that every program's cost keeps. */
import { elementAt } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { compile } from '../../../compiler/compile.js';
import { type Cost, costOf, mostExpensive } from '../../../compiler/costs/cost.js';
import { elaborateEncoder } from '../../../compiler/elaborate/program.js';
import { outline } from '../../../compiler/outline.js';
import type { Program, Var } from '../../../compiler/ir/program.js';
import { elementCount } from '../../../compiler/ir/type.js';
import type { Stack } from '../../../dsl/layers/layer.js';
import { conv, convTranspose, dense, flatten, input, residual, tanh } from '../../../dsl/layers/layer.js';
import { type Network, network, type NetworkValue } from '../../../dsl/network.js';
import { sgd } from '../../../dsl/optimizer.js';
import { flow, pipe } from 'fp-ts/lib/function.js';
import { experiment } from '../../../dsl/experiment.js';
import type { Shape } from '../../../dsl/shape.js';
import { ae, injFlowLn } from '../../../objectives/index.js';
import { compilableExperiment } from '../../../laws/arbitrary/experiment.js';
import { right } from '../../shared/either.js';

const size = fc.integer({ min: 1, max: 9 });

const autoencoder = (encoder: NetworkValue, decoder: NetworkValue, batch: number) => {
  const objective = ae(encoder, decoder);
  return experiment({
    encoder,
    decoder,
    objective,
    optimizer: sgd({ rate: 0.1 }),
    batch,
    steps: 1,
    data: 'digits',
  });
};

/** The program that encodes with one layer alone. */
const alone = <I extends Shape, O extends Shape>(stack: Stack<I, O>, batch: number): Program => {
  const net = network('encoder', stack);
  return elaborateEncoder(autoencoder(net, net, batch)).program;
};

describe('by hand', () => {
  test.prop([size, size, size])('a dense layer n → m: 2nm FLOPs an example', (n, m, batch) => {
    const cost = costOf(alone(dense(m)(input(n)), batch));
    expect(cost.flops).toBe(2 * batch * n * m);
    expect(cost.parameters.count).toBe(n * m + m);
    // The product reads x and W and writes y; the bias is added to y and the sum written.
    expect(cost.bytes).toBe(4 * (batch * n + n * m + batch * m + (batch * m + m + batch * m)));
    expect(cost.peak).toBe(4 * (batch * n + n * m + m + 2 * batch * m));
  });

  test.prop([size, size, fc.integer({ min: 2, max: 5 }), size])(
    'a convolution of stride 2: 2·taps·channels·filters for each pixel that it gives',
    (channels, filters, kernel, batch) => {
      const cost = costOf(
        alone(conv(filters, { kernel, stride: 2, bias: false })(input(8, 6, channels)), batch),
      );
      expect(cost.flops).toBe(2 * batch * 4 * 3 * kernel ** 2 * channels * filters);
      expect(cost.parameters.count).toBe(kernel ** 2 * channels * filters);
      expect(cost.bytes).toBe(
        4 * (batch * 48 * channels + kernel ** 2 * channels * filters + batch * 12 * filters),
      );
    },
  );

  test.prop([size, size, fc.integer({ min: 2, max: 5 }), size])(
    'a transposed convolution of stride 2: the same for each pixel that it takes',
    (channels, filters, kernel, batch) => {
      const layer = convTranspose(filters, { kernel, stride: 2, bias: false });
      const cost = costOf(alone(layer(input(4, 3, channels)), batch));
      expect(cost.flops).toBe(2 * batch * 4 * 3 * kernel ** 2 * channels * filters);
      expect(cost.parameters.count).toBe(kernel ** 2 * channels * filters);
    },
  );
});

describe('an outline', () => {
  const branch = flow(conv(3, { kernel: 3 }), tanh);
  const net = network(
    'net',
    pipe(input(8, 8, 2), conv(3, { kernel: 3, stride: 2 }), tanh, residual(branch), flatten, dense(5)),
  );

  test('gives each layer its path, shape, parameters and FLOPs', () => {
    expect(
      right(outline(net)).map(({ path, outputs, parameters, flops }) => [
        path,
        outputs.get(''),
        parameters,
        flops,
      ]),
    ).toEqual([
      ['net/0.conv', [4, 4, 3], 9 * 2 * 3 + 3, 2 * 16 * 9 * 2 * 3],
      ['net/1.activation', [4, 4, 3], 0, 0],
      ['net/2.residual', [4, 4, 3], 9 * 3 * 3 + 3, 2 * 16 * 9 * 3 * 3],
      ['net/3.flatten', [48], 0, 0],
      ['net/4.dense', [5], 48 * 5 + 5, 2 * 48 * 5],
    ]);
  });

  test('reports what does not fit', () => {
    const broken = { name: 'net', input: [4], layers: [{ tag: 'reshape', shape: [5] }] } as const;
    expect(outline(broken)).toMatchObject({ left: [{ path: 'networks.net.layers[0]' }] });
  });
});

describe('derivatives', () => {
  const encoder = network('encoder', pipe(input(16), dense(64), tanh, dense(64), tanh, dense(4)));
  const decoder = network('decoder', pipe(input(4), dense(64), tanh, dense(64), tanh, dense(16)));
  const batch = 8;
  const flopsOf = (net: Network): readonly number[] => right(outline(net)).map(({ flops }) => batch * flops);
  const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const forward = { encoder: total(flopsOf(encoder)), decoder: total(flopsOf(decoder)) };
  const first = { encoder: elementAt(flopsOf(encoder), 0), decoder: elementAt(flopsOf(decoder), 0) };
  const step = (objective: ReturnType<typeof ae>): Cost =>
    costOf(right(compile({ ...autoencoder(encoder, decoder, batch), objective })).step);

  test('the gradient costs twice the forward pass, less the cotangent of the data', () => {
    expect(step(ae(encoder, decoder)).flops).toBe(3 * (forward.encoder + forward.decoder) - first.encoder);
  });

  test('a forward probe costs one more decoder, its gradient two more, less the cotangent of the probe', () => {
    expect(step(injFlowLn(encoder, decoder)).flops).toBe(
      3 * (forward.encoder + 2 * forward.decoder) - first.encoder - first.decoder,
    );
  });
});

/** The peak counted anew at every equation, from the definition: what exists by then and is still needed. */
const recount = (program: Program): number => {
  const { equations, binders, outputs, batch } = program;
  const definitions = new Map(equations.map((eq, i) => [eq.out.id, { eq, i }]));
  const views = [
    'reshape',
    'axisToBatch',
    'batchToAxis',
    'stop',
    'statistics',
    'broadcast',
    'broadcastBatch',
  ];
  const home = (x: Var): Var | undefined => {
    const eq = definitions.get(x.id)?.eq;
    if (eq?.primitive === 'constant') return undefined;
    return eq !== undefined && views.includes(eq.primitive) ? home(elementAt(eq.inputs, 0)) : x;
  };
  const uses = (x: Var): readonly number[] =>
    equations.flatMap((eq, i) => ([...eq.inputs, eq.out].some((y) => home(y)?.id === x.id) ? [i] : []));
  const kept = outputs.map((output) => home(output.var)?.id);
  const made = equations
    .filter((eq) => home(eq.out)?.id === eq.out.id)
    .map(({ out }) => ({
      bytes: 4 * elementCount(out.type, batch),
      from: definitions.get(out.id)?.i ?? 0,
      to: kept.includes(out.id) ? Infinity : Math.max(...uses(out)),
    }));
  const bound = binders.reduce((sum, b) => sum + 4 * elementCount(b.var.type, batch), 0);
  return equations.reduce(
    (peak, _, i) =>
      Math.max(
        peak,
        made.reduce((sum, { bytes, from, to }) => (from <= i && i <= to ? sum + bytes : sum), bound),
      ),
    bound,
  );
};

const programs = compilableExperiment.map((spec) => {
  const { step, evaluate, encode, decode } = right(compile(spec));
  return [step, evaluate, encode, decode];
});

const everything = (program: Program): number =>
  4 *
  [...program.binders.map((b) => b.var), ...program.equations.map((eq) => eq.out)].reduce(
    (sum, x) => sum + elementCount(x.type, program.batch),
    0,
  );

test.prop([programs], { numRuns: 30 })('the peak is what a recount by brute force gives', (all) => {
  for (const program of all) expect(costOf(program).peak).toBe(recount(program));
});

test.prop([programs])('the peak lies between the greatest working set and the sum of all values', (all) => {
  for (const program of all) {
    const cost = costOf(program);
    for (const { bytes } of cost.equations) expect(cost.peak).toBeGreaterThanOrEqual(bytes);
    expect(cost.peak).toBe(Math.max(cost.peak, ...cost.equations.map(({ alive }) => alive)));
    expect(cost.peak).toBeLessThanOrEqual(everything(program));
  }
});

test.prop([programs])('totals are the sums of the equations, and the most expensive come first', (all) => {
  for (const program of all) {
    const cost = costOf(program);
    const sum = (f: (e: Cost['equations'][number]) => number) => cost.equations.reduce((n, e) => n + f(e), 0);
    expect(cost.flops).toBe(sum((e) => e.flops));
    expect(cost.bytes).toBe(sum((e) => e.bytes));
    const top = mostExpensive(cost, 5).map((e) => e.flops);
    expect(top[0] ?? 0).toBe(Math.max(0, ...cost.equations.map((e) => e.flops)));
    expect(top).toEqual([...top].sort((a, b) => b - a));
  }
});

/** Of what the batch shares, such as the power method on a kernel. */
const sharedFlops = (cost: Cost): number =>
  cost.equations
    .filter(({ equation }) => equation.inputs.every((x) => x.type.rows === 0))
    .reduce((n, e) => n + e.flops, 0);

test.prop([programs, fc.integer({ min: 2, max: 5 })])('every figure grows with the batch', (all, times) => {
  for (const program of all) {
    const [one, many] = [costOf(program), costOf({ ...program, batch: times * program.batch })];
    const shared = sharedFlops(one);
    expect(sharedFlops(many)).toBe(shared);
    // A factorisation counts thirds.
    expect(many.flops - shared).toBeCloseTo(times * (one.flops - shared), 6);
    expect(many.bytes).toBeGreaterThanOrEqual(one.bytes);
    expect(many.peak).toBeGreaterThanOrEqual(one.peak);
    expect(many.parameters).toEqual(one.parameters);
  }
});
