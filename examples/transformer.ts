/** An autoencoder of pictures as sequences of rows: a transformer block in the encoder and one in the decoder. */
import { adam, apply, dataOf, dense, experiment, flatten, gelu, input, layerNorm } from 'immersion/dsl';
import { network, objective, pipe, positions, reshape, residual, selfAttention } from 'immersion/dsl';
import { sigmoid, sqNorm, type Stack, sub, tokenDense } from 'immersion/dsl';

type Rows = readonly [8, 16];

const block = <I extends readonly number[]>(stack: Stack<I, Rows>): Stack<I, Rows> =>
  pipe(
    stack,
    residual((rows: Stack<Rows, Rows>) => pipe(rows, layerNorm(), selfAttention({ heads: 2 }))),
    residual((rows: Stack<Rows, Rows>) => pipe(rows, layerNorm(), tokenDense(32), gelu, tokenDense(16))),
  );

const encoder = network(
  'encoder',
  pipe(input(8, 8, 1), reshape(8, 8), tokenDense(16), positions(), block, flatten, dense(6)),
);
const decoder = network(
  'decoder',
  pipe(input(6), dense(128), reshape(8, 16), positions(), block, tokenDense(8), sigmoid, reshape(8, 8, 1)),
);
const x = dataOf(encoder);

export default experiment({
  encoder,
  decoder,
  objective: objective({ reconstruction: sqNorm(sub(x, apply(decoder, apply(encoder, x)))) }),
  optimizer: adam({ rate: 1e-3 }),
  batch: 64,
  steps: 2000,
  data: 'digits',
});
