/** On native, masks and factors that the rows of an example share are never written out row by row, and 0 stays 0. */
import { fc, test as law } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createBuilder } from '../../../compiler/ir/builder.js';
import { compile } from '../../../compiler/compile.js';
import { lowerGraph } from '../../../backends/tensorflow/lower/lower-graph.js';
import type { Program } from '../../../compiler/ir/program.js';
import {
  adam,
  coupling,
  dense,
  experiment,
  inject,
  invert,
  latent,
  network,
  pipe,
  relu,
  type Shape,
  type Stack,
} from '../../../dsl/index.js';
import { rectangular } from '../../../objectives/index.js';
import { hasNative, nativeBackend } from '../../shared/backends.js';
import { right } from '../../shared/either.js';
import { interpret, outputKey } from '../../shared/outputs.js';

const operationsOf = (program: Program): ReadonlySet<string> => {
  const state = program.binders.filter(({ kind }) => kind === 'parameter' || kind === 'state');
  const shapes = new Map(state.map(({ name, var: x }) => [name, x.type.shape]));
  return new Set(lowerGraph([program], shapes).nodes.map(({ op }) => op));
};

const [batch, k, n] = [2, 3, 4];

/** `by`, of each example, over k rows of it: x·t, and t where x > 0. */
const shared = ((): Program => {
  const builder = createBuilder();
  const { emit } = builder;
  const x = builder.bind('data', 'x', { rows: 1, shape: [n] });
  const t = emit('axisToBatch', {}, [builder.bind('data', 't', { rows: 1, shape: [k, n] })]);
  const rows = (of: typeof x) =>
    emit('axisToBatch', {}, [emit('broadcast', { shape: [k, n], axes: [1] }, [of])]);
  const zero = (rows: number) => emit('constant', { value: 0, rows, shape: [n] }, []);
  const isPositive = emit('greater', {}, [x, zero(1)]);
  return {
    name: 'shared',
    batch,
    binders: builder.binders(),
    outputs: [
      { kind: 'value', name: 'product', var: emit('mul', {}, [rows(x), t]) },
      {
        kind: 'value',
        name: 'masked',
        var: emit('select', {}, [rows(isPositive), t, zero(k)]),
      },
    ],
    equations: builder.equations(),
  };
})();

describe.skipIf(!hasNative())('what the rows of an example share', () => {
  test('is repeated by the operation that uses it', () => {
    const operations = operationsOf(shared);
    expect([...operations]).toEqual(expect.arrayContaining(['Mul', 'MulNoNan']));
    expect(operations).not.toContain('BroadcastTo');
  });

  const numbers = (size: number, ...special: readonly number[]) =>
    fc.array(
      fc.oneof({ weight: 4, arbitrary: fc.integer({ min: -8, max: 8 }) }, fc.constantFrom(...special, 1)),
      {
        minLength: size,
        maxLength: size,
      },
    );

  law.prop([numbers(batch * n), numbers(batch * k * n, Infinity, -Infinity, NaN)])(
    'gives what the interpreter says, where a mask hides what is not finite too',
    async (x, t) => {
      const instance = await right(nativeBackend()).open(new Map([['shared', shared]]), new Map());
      const feeds = { x: Float32Array.from(x), t: Float32Array.from(t) };
      const found = await instance.run('shared', new Map(Object.entries(feeds)));
      instance.dispose();
      const exact = new Map(Object.entries(feeds).map(([name, values]) => [name, Float64Array.from(values)]));
      const expected = interpret(shared, exact);
      for (const name of ['product', 'masked'])
        expect([...(found.value.get(name) ?? [])].map((y) => y + 0)).toEqual(
          [...(expected.get(outputKey('value', name)) ?? [])].map((y) => y + 0),
        );
    },
  );
});

test('a round of conjugate gradients through relu compares with the activation itself', () => {
  const conditioner = (stack: Stack<readonly [number], readonly [number]>): Stack<readonly [number], Shape> =>
    relu(dense(3)(stack));
  const decoder = network('decoder', pipe(latent(2), inject(5), coupling({ part: 'last', conditioner })));
  const encoder = invert(decoder);
  const { step } = right(
    compile(
      experiment({
        encoder,
        decoder,
        objective: rectangular(encoder, decoder, { method: 'stochastic', iterations: 2 }),
        optimizer: adam({ rate: 1e-3 }),
        batch: 4,
        steps: 1,
        data: 'given',
      }),
    ),
  );
  const operations = operationsOf(step);
  expect(operations).toContain('LoopCond');
  expect(operations).toContain('ReluGrad');
  expect(operations).not.toContain('NotEqual');
});
