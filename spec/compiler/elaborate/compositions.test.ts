/** Built-in layers that are compositions are the programs that their expressions are, equation for equation: neither is faster. */
import { expect, test } from 'vitest';
import { compile, print } from '../../../compiler/index.js';
import {
  activate,
  adam,
  add,
  apply,
  averagePool,
  type Block,
  broadcast,
  data,
  dense,
  type Expr,
  experiment,
  flatten,
  input,
  layer,
  mul,
  network,
  pipe,
  reshape,
  reshaped,
  residual,
  scale,
  type Shape,
  silu,
  sqNorm,
  sumOver,
  tanh,
  upsample,
} from '../../../dsl/index.js';
import { right } from '../../shared/either.js';

type Picture = readonly [4, 6, 2];

const programOf = (block: Block<Picture, readonly [number, number, number]>): string => {
  const encoder = network('encoder', pipe(input(4, 6, 2), block, flatten, dense(2)));
  const { step } = right(
    compile(
      experiment({
        encoder,
        decoder: network('decoder', pipe(input(2), dense(48), reshape(4, 6, 2))),
        objective: { term: sqNorm(apply(encoder, data(4, 6, 2))) },
        optimizer: adam({ rate: 1e-3 }),
        batch: 3,
        steps: 1,
        data: 'none',
      }),
    ),
  );
  return print(step);
};

const written = (body: (x: Expr) => Expr): Block<Picture, readonly [number, number, number]> =>
  layer('written', (x: Expr<Picture>) => {
    const result: Expr<readonly [number, number, number]> = { ...body(x), _shape: undefined };
    return result;
  });

test.each<readonly [string, Block<Picture, readonly [number, number, number]>, (x: Expr) => Expr]>([
  ['averagePool', averagePool(2), (x) => scale(1 / 4, sumOver(reshaped(x, 2, 2, 3, 2, 2), [1, 3]))],
  ['upsample', upsample(2), (x) => reshaped(broadcast(x, [4, 2, 6, 2, 2], [0, 2, 4]), 8, 12, 2)],
  ['silu', silu, (x) => mul<Shape>(x, activate('sigmoid', x))],
  ['residual', residual(tanh), (x) => add<Shape>(x, activate('tanh', x))],
])('%s', (_, builtIn, body) => {
  expect(programOf(written(body))).toBe(programOf(builtIn));
});
