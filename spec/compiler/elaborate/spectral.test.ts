/** Spectral normalisation against exact singular values, and its gradient, state and names against the paper's formulas. */
import { atLeast, elementAt, float64At, last } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { flow, pipe } from 'fp-ts/lib/function.js';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { describe, expect, test as example } from 'vitest';
import { compile } from '../../../compiler/compile.js';
import { differentiate } from '../../../compiler/derivatives/differentiate.js';
import { elaborateEvaluation, elaborateStep } from '../../../compiler/elaborate/program.js';
import { type Experiment, experiment } from '../../../dsl/experiment.js';
import { type Node, sqNorm } from '../../../dsl/expressions/expression.js';
import { describeLayer } from '../../../dsl/printing/layers.js';
import { batchNorm, conv, dense, elu, input, type KernelLayer, tanh } from '../../../dsl/layers/layer.js';
import { network, type NetworkValue } from '../../../dsl/network.js';
import { adam, sgd } from '../../../dsl/optimizer.js';
import { type Shape, sizeOf } from '../../../dsl/shape.js';
import { spectral, spectralNorm } from '../../../dsl/layers/spectral.js';
import { ae, aeSn } from '../../../objectives/index.js';
import type { Backend } from '../../../backends/backend.js';
import { createSession, initialState } from '../../../runs/index.js';
import { dense as denseLayer } from '../../../laws/arbitrary/network.js';
import { smoothValuesIn } from '../../../laws/arbitrary/values.js';
import { backends, hasNative, nativeBackend } from '../../shared/backends.js';
import { right } from '../../shared/either.js';
import { arrayOf, calculate } from '../../shared/expressions.js';
import { dot } from '../../shared/moments.js';
import { type Arrays, gradientName, interpret } from '../../shared/outputs.js';

/** A matrix by its rows. */
type Rows = readonly (readonly number[])[];

const topSingularValue = (rows: Rows): number =>
  Math.max(
    ...new SingularValueDecomposition(new Matrix(rows.map((row) => [...row])), { autoTranspose: true })
      .diagonal,
  );

const rowsOf = (values: Float64Array, count: number): Rows =>
  Array.from({ length: count }, (_, i) => [
    ...values.subarray((i * values.length) / count, ((i + 1) * values.length) / count),
  ]);

const length = (v: ArrayLike<number>): number => Math.sqrt(dot(v, v));

type Case = { readonly layer: KernelLayer; readonly shape: Shape };

const geometry = fc.record({
  h: fc.integer({ min: 2, max: 4 }),
  w: fc.integer({ min: 2, max: 3 }),
  channels: fc.integer({ min: 1, max: 2 }),
  filters: fc.integer({ min: 1, max: 3 }),
  kernel: fc.integer({ min: 1, max: 2 }),
  stride: fc.integer({ min: 1, max: 2 }),
  padding: fc.constantFrom('same' as const, 'valid' as const),
  tag: fc.constantFrom('conv' as const, 'convTranspose' as const),
});

const cases: fc.Arbitrary<Case> = fc.oneof(
  fc
    .record({ n: fc.integer({ min: 1, max: 5 }), m: fc.integer({ min: 1, max: 5 }) })
    .map(({ n, m }) => ({ layer: denseLayer(m, false), shape: [n] })),
  geometry.map(({ h, w, channels, ...rest }) => ({
    layer: { ...rest, bias: false, initializer: { tag: 'glorotUniform' as const } },
    shape: [h, w, channels],
  })),
);

const seed = fc.nat(1e6);
const netOf = ({ layer, shape }: Case, norm?: 'kernel' | 'operator'): NetworkValue => {
  const net: NetworkValue = { name: 'net', input: shape, layers: [layer] };
  return norm === undefined ? net : spectralNorm(net, { norm, iterations: 150 });
};

/** The map of a one-layer network as a matrix, a row for each basis vector of its input. */
const matrixOf = (net: NetworkValue, s: number): Rows => {
  const n = sizeOf(net.input);
  const basis = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  const y: Node = { tag: 'apply', network: net, at: { tag: 'data', shape: net.input }, output: '' };
  return rowsOf(calculate({ y }, { batch: n, seed: s, given: new Map([['data', basis]]) })('y'), n);
};

/** The kernel as the paper reshapes it: a row for each output channel. */
const reshapedKernel = ({ layer, shape }: Case, s: number): Rows => {
  const inputs = last(shape);
  const [outputs, area] = layer.tag === 'dense' ? [layer.units, 1] : [layer.filters, layer.kernel ** 2];
  const values = smoothValuesIn([-0.9, 0.9], area * inputs * outputs, s, `net/0.${layer.tag}/kernel`);
  const outputLast = layer.tag !== 'convTranspose';
  return Array.from({ length: outputs }, (_, o) =>
    Array.from({ length: area * inputs }, (_tap, k) =>
      outputLast
        ? float64At(values, k * outputs + o)
        : float64At(values, (Math.floor(k / inputs) * outputs + o) * inputs + (k % inputs)),
    ),
  );
};

/** What a layer's map is divided by. */
const divisor = (plain: Rows, normalised: Rows): number => length(plain.flat()) / length(normalised.flat());

/** The power method approaches from below; close singular values take long, but then any of them will do. */
const expectNorm = (found: number, exact: number): void => {
  expect(found / exact).toBeLessThan(1 + 1e-9);
  expect(found / exact).toBeGreaterThan(1 - 3e-3);
};

describe('σ after many iterations', () => {
  test.prop([cases, seed], { numRuns: 40 })(
    'is the top singular value of the layer as an operator',
    (c, s) => {
      const plain = matrixOf(netOf(c), s);
      expectNorm(divisor(plain, matrixOf(netOf(c, 'operator'), s)), topSingularValue(plain));
    },
  );

  test.prop([cases, seed], { numRuns: 40 })('is the top singular value of the reshaped kernel', (c, s) => {
    const found = divisor(matrixOf(netOf(c), s), matrixOf(netOf(c, 'kernel'), s));
    expectNorm(found, topSingularValue(reshapedKernel(c, s)));
  });
});

const training = (net: NetworkValue, batch: number): Experiment => {
  const y: Node = { tag: 'apply', network: net, at: { tag: 'data', shape: net.input }, output: '' };
  return experiment({
    encoder: net,
    decoder: net,
    objective: { term: sqNorm(y) },
    optimizer: sgd({ rate: 1 }),
    batch,
    steps: 1,
    data: 'none',
  });
};

describe('one training step of x ↦ xW/σ', () => {
  const batch = 3;
  const sizes = fc.record({ n: fc.integer({ min: 1, max: 4 }), m: fc.integer({ min: 1, max: 4 }) });
  const [kernelName, stateName] = ['net/0.dense/kernel', 'net/0.dense/u'];

  /** W as rows, and products with it from either side. */
  const given = (n: number, m: number, s: number) => {
    const W = smoothValuesIn([-1, 1], n * m, s, 'W');
    const u = smoothValuesIn([-1, 1], m, s, 'u');
    const x = smoothValuesIn([-1, 1], batch * n, s, 'x');
    const inputs: Arrays = new Map([
      [kernelName, W],
      [stateName, u],
      ['data', x],
    ]);
    const rows = rowsOf(W, n);
    const left = (a: ArrayLike<number>): readonly number[] =>
      Array.from({ length: m }, (_, j) =>
        dot(
          rows.map((row) => elementAt(row, j)),
          a,
        ),
      );
    const onRight = (a: ArrayLike<number>): readonly number[] => rows.map((row) => dot(row, a));
    return { inputs, rows, left, onRight, u, examples: rowsOf(x, batch) };
  };
  const unit = (a: ArrayLike<number>): readonly number[] => Array.from(a, (value) => value / length(a));
  const net = (n: number, m: number): NetworkValue =>
    spectralNorm({ name: 'net', input: [n], layers: [denseLayer(m, false)] });

  test.prop([sizes, seed])(
    'has the gradient of algorithm 1, with u and v held constant, and keeps u',
    ({ n, m }, s) => {
      const { inputs, rows, left, onRight, u, examples } = given(n, m, s);
      const v = unit(onRight(unit(u)));
      const next = unit(left(v));
      const sigma = length(left(v));
      const values = interpret(differentiate(elaborateStep(training(net(n, m), batch)).program), inputs);
      const outputs = examples.map((x) => left(x).map((y) => y / sigma));
      const close = (found: number, expected: number): void =>
        expect(Math.abs(found - expected)).toBeLessThan(
          1e-9 * Math.max(1, Math.abs(expected), 1 / sigma ** 3),
        );
      close(
        float64At(arrayOf(values, 'term'), 0),
        outputs.reduce((total, y) => total + dot(y, y), 0) / batch,
      );
      next.forEach((value, j) => close(float64At(arrayOf(values, `next ${stateName}`), j), value));
      // dL/dW̄ of the mean of ‖xW̄‖², and from it (dL/dW̄ − ⟨dL/dW̄, W̄⟩ v uᵀ)/σ: eq. (12) of the paper.
      const G = rows.map((_, i) =>
        Array.from({ length: m }, (_j, j) =>
          examples.reduce(
            (t, x, b) => t + (2 * elementAt(x, i) * elementAt(elementAt(outputs, b), j)) / batch,
            0,
          ),
        ),
      );
      const along = rows.reduce((t, row, i) => t + dot(row, elementAt(G, i)) / sigma, 0);
      const gradient = arrayOf(values, gradientName(kernelName));
      rows.forEach((_, i) =>
        elementAt(G, i).forEach((g, j) =>
          close(float64At(gradient, i * m + j), (g - along * elementAt(v, i) * elementAt(next, j)) / sigma),
        ),
      );
    },
  );

  test.prop([sizes, seed])('leaves evaluation with the stored u, which it does not change', ({ n, m }, s) => {
    const { inputs, left, onRight, u, examples } = given(n, m, s);
    const { program } = elaborateEvaluation(training(net(n, m), batch));
    expect(program.outputs.map((o) => o.kind)).toEqual(['term']);
    const sigma = length(onRight(unit(u)));
    const found = arrayOf(interpret(program, inputs), 'term');
    examples.forEach((x, b) =>
      expect(float64At(found, b) / (length(left(x)) / sigma) ** 2).toBeCloseTo(1, 9),
    );
  });

  example('is finite for a kernel of zeros', () => {
    const { inputs } = given(2, 2, 1);
    const zero = new Map([...inputs, [kernelName, new Float64Array(4)] as const]);
    const values = interpret(differentiate(elaborateStep(training(net(2, 2), batch)).program), zero);
    expect([...values.values()].every((array) => array.every(Number.isFinite))).toBe(true);
  });
});

const encoder = network('encoder', pipe(input(6), dense(4), tanh, dense(2)));
const decoder = network('decoder', pipe(input(2), dense(5), tanh, dense(6)));
const options = { optimizer: adam({ rate: 1e-2 }), batch: 4, steps: 1, data: 'none' };
const withSn = experiment({ ...aeSn(encoder, decoder), ...options });

describe('wrapping', () => {
  example('changes no parameter, no name and no initial value', () => {
    const plain = right(
      compile(experiment({ encoder, decoder, objective: ae(encoder, decoder), ...options })),
    );
    const wrapped = right(compile(withSn));
    expect(wrapped.parameters).toEqual(plain.parameters);
    const [before, after] = atLeast(
      2,
      [plain, wrapped].map((compiled) => initialState(compiled, 7).arrays),
    );
    for (const [name, values] of before) expect(after.get(name)).toEqual(values);
    expect([...after.keys()].filter((name) => !before.has(name))).toEqual([
      'decoder/0.dense/u',
      'decoder/2.dense/u',
    ]);
  });

  example('reaches every kernel of a block, none before it, and none twice', () => {
    const block = flow(conv(3, { kernel: 3, stride: 2 }), batchNorm(), elu);
    const net = network(
      'net',
      pipe(input(8, 8, 1), conv(2, { kernel: 3 }), spectral(block, { norm: 'operator', iterations: 2 })),
    );
    expect(net.layers.map(describeLayer)).toEqual([
      'conv 2, 3×3, stride 1, same',
      'spectral, norm of the operator, 2 iterations (conv 3, 3×3, stride 2, same)',
      'batch norm',
      'elu',
    ]);
    const all = spectralNorm(net);
    expect(all.layers.map(({ tag }) => tag)).toEqual(['spectral', 'spectral', 'batchNorm', 'activation']);
    expect(spectralNorm(all, { norm: 'operator' })).toEqual(all);
  });
});

/** σ of the stored u over the exact one, for each kernel of the decoder after some steps. */
const trained = async (backend: Backend): Promise<readonly number[]> => {
  const compiled = right(compile(withSn));
  const session = await createSession(compiled, backend, initialState(compiled, 3));
  const data = Float32Array.from(smoothValuesIn([-1, 1], 24, 5, 'data'));
  for (let i = 0; i < 60; i++) expect((await session.step(data)).committed).toBe(true);
  const { arrays } = await session.state();
  session.dispose();
  return ['decoder/0.dense', 'decoder/2.dense'].map((layer) => {
    const [kernel, u] = atLeast(
      2,
      ['kernel', 'u'].map((role) => Float64Array.from(arrays.get(`${layer}/${role}`)?.data ?? [])),
    );
    const rows = rowsOf(kernel, kernel.length / u.length);
    return length(rows.map((row) => dot(row, u))) / topSingularValue(rows);
  });
};

describe('while a model trains, u follows the top singular vector', () => {
  const check = async (backend: Backend): Promise<void> => {
    for (const ratio of await trained(backend)) {
      expect(ratio).toBeGreaterThan(0.98);
      expect(ratio).toBeLessThan(1 + 1e-5);
    }
  };
  example('on wasm', () => check(backends.wasm));
  example.runIf(hasNative())('on native', () => check(right(nativeBackend())));
});
