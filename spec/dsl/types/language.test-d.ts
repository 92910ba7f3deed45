/** What the type-checker infers of shapes, and what it refuses. Checked by tsc; nothing here runs. */
import { flow, pipe } from 'fp-ts/lib/function.js';
import type { Expr, HeadedNetwork, Network, Scalar } from '../../../dsl/index.js';
import * as d from '../../../dsl/index.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** `exactly<Expr<readonly [32]>>()(h)`: the type of h is this one and no other. */
const exactly =
  <Expected>() =>
  <Found>(_: Found, ..._same: Same<Found, Expected> extends true ? readonly [] : readonly [never]): void =>
    undefined;

const down = <const F extends number>(filters: F) => d.conv(filters, { kernel: 4, stride: 2 });
const up = <const F extends number>(filters: F) => d.convTranspose(filters, { kernel: 4, stride: 2 });

// Shapes through stacks of convolutions: 28 → 14 → 7 → 4, and up again.
const trunk = pipe(d.input(28, 28, 1), down(64), d.batchNorm(), d.relu, down(128), d.relu, down(256));
exactly<d.Stack<readonly [28, 28, 1], readonly [4, 4, 256]>>()(trunk);

const encoder = d.network('encoder', pipe(trunk, d.relu, d.flatten, d.dense(32)));
exactly<Network<readonly [28, 28, 1], readonly [32]>>()(encoder);

const decoder = d.network(
  'decoder',
  pipe(d.input(32), d.dense(7 * 7 * 128), d.reshape(7, 7, 128), up(64), d.relu, up(1), d.sigmoid),
);
exactly<Network<readonly [32], readonly [28, 28, 1]>>()(decoder);

exactly<d.Stack<readonly [32, 32, 3], readonly [8, 8, 3]>>()(pipe(d.input(32, 32, 3), d.averagePool(4)));
exactly<d.Stack<readonly [8, 8, 3], readonly [32, 32, 3]>>()(pipe(d.input(8, 8, 3), d.upsample(4)));
exactly<d.Stack<readonly [28, 28, 1], readonly [28, 28, 8]>>()(
  pipe(d.input(28, 28, 1), d.conv(8, { kernel: 3 })),
);

// A block of the user's, by flow, and a residual one around it.
const block = flow(d.conv(64, { kernel: 3 }), d.relu);
exactly<d.Stack<readonly [28, 28, 64], readonly [28, 28, 64]>>()(
  pipe(d.input(28, 28, 64), d.residual(block)),
);
// By itself, as a block of its own, it has the shape that its layers give.
const narrow = d.residual(flow(d.dense(32), d.tanh, d.dense(16)));
exactly<d.Block<readonly [16], readonly [16]>>()(narrow);
exactly<d.Stack<readonly [8], readonly [16]>>()(pipe(d.input(8), d.dense(16), narrow));
// @ts-expect-error 8 numbers are not the 16 that the block keeps
pipe(d.input(8), narrow);

// Spectral normalisation keeps what a layer or a block does to shapes.
exactly<d.Stack<readonly [28, 28, 1], readonly [14, 14, 8]>>()(
  pipe(d.input(28, 28, 1), d.spectral(down(8)), d.spectral(flow(d.conv(8, { kernel: 3 }), d.relu))),
);
exactly<d.Stack<readonly [3], readonly [5]>>()(pipe(d.input(3), d.spectral(d.dense(5), { iterations: 2 })));
exactly<typeof decoder>()(d.spectralNorm(decoder));

// A size outside the table is a number: it fits, and the compiler checks it.
const odd = d.network('odd', pipe(d.input(30, 30, 1), down(8), d.flatten, d.dense(32)));
exactly<Network<readonly [30, 30, 1], readonly [32]>>()(odd);

const x = d.data(28, 28, 1);
const h = d.apply(encoder, x);
const v = d.draw('v', d.sphere(32));
const probes = d.draw('probes', d.sphere(32), { probes: 4 });
const w = d.draw('w', d.normal(28, 28, 1));
exactly<Expr<readonly [28, 28, 1]>>()(x);
exactly<Expr<readonly [32]>>()(h);
exactly<Expr<readonly [32]>>()(v);
exactly<Expr<readonly [4, 32]>>()(probes);
exactly<Expr<readonly [28, 28, 1]>>()(d.apply(decoder, h));
exactly<Expr<readonly [28, 28, 1]>>()(d.sub(x, d.apply(decoder, h)));

// Derivatives, with and without an axis of probes.
exactly<Expr<readonly [28, 28, 1]>>()(d.jvp(decoder, h, v));
exactly<Expr<readonly [4, 28, 28, 1]>>()(d.jvp(decoder, h, probes));
exactly<Expr<readonly [32]>>()(d.vjp(decoder, h, w));
exactly<Expr<readonly [4, 32]>>()(d.vjp(decoder, h, d.jvp(decoder, h, probes)));
exactly<Expr<readonly [4]>>()(d.sqNormEach(d.jvp(decoder, h, probes)));
exactly<Expr<Scalar>>()(d.meanOf(4, d.log(d.sqNormEach(d.jvp(decoder, h, probes)))));

// Sizes that were lost fit, with probes too.
const odd3 = d.network('odd3', pipe(d.input(30, 30, 1), down(8)));
const odd3At = d.data(30, 30, 1);
exactly<Expr<readonly [30, 30, 1]>>()(d.vjp(odd3, odd3At, d.draw('u', d.normal(15, 15, 8))));
exactly<Expr<readonly [4, 30, 30, 1]>>()(
  d.vjp(odd3, odd3At, d.draw('u4', d.normal(15, 15, 8), { probes: 4 })),
);

// Several outputs.
const gaussian = d.network(
  'gaussian',
  pipe(d.input(28, 28, 1), d.flatten, d.heads({ mean: d.dense(32), logVariance: d.dense(16) })),
);
exactly<HeadedNetwork<readonly [28, 28, 1], { mean: readonly [32]; logVariance: readonly [16] }>>()(gaussian);
const outputs = d.apply(gaussian, x);
exactly<{ readonly mean: Expr<readonly [32]>; readonly logVariance: Expr<readonly [16]> }>()(outputs);
exactly<Expr<readonly [28, 28, 1]>>()(d.apply(decoder, outputs.mean));

// Flows: shapes, direction and kind; inverting flips the first two.
const half = <A extends d.Shape>(stack: d.Stack<A, readonly [number]>) => pipe(stack, d.dense(10), d.tanh);
const ambient = d.network(
  'ambient',
  pipe(
    d.latent(1),
    d.elementwise(d.spline()),
    d.inject(2),
    d.coupling({ conditioner: half }),
    d.permutation(0),
  ),
);
exactly<d.Flow<readonly [1], readonly [2], 'generative', 'injective'>>()(ambient);
exactly<d.Flow<readonly [2], readonly [1], 'normalizing', 'injective'>>()(d.invert(ambient));
exactly<d.Flow<readonly [1], readonly [2], 'generative', 'injective'>>()(d.invert(d.invert(ambient)));
exactly<Expr<readonly [1]>>()(d.apply(d.invert(ambient), d.data(2)));
exactly<Expr<readonly [2]>>()(d.jvp(ambient, d.data(1), d.data(1)));
const pixels = pipe(
  d.observed(28, 28, 1),
  d.squeeze(),
  d.factorOut((inner) => pipe(inner, d.squeeze())),
);
exactly<d.FlowStack<readonly [28, 28, 1], readonly [number], 'normalizing', 'bijective'>>()(pixels);
const image = d.network('image', pipe(d.latent(784), d.inverse(pixels)));
exactly<d.Flow<readonly [784], readonly [28, 28, 1], 'generative', 'bijective'>>()(image);
exactly<Expr<Scalar>>()(d.logDet(d.invert(image), x));

// Objectives.
const autoencoder = d.objective({
  reconstruction: d.sqNorm(d.sub(x, d.apply(decoder, h))),
  prior: d.scale(d.hyper('prior', 0.5), d.sqNorm(h)),
});
export const heavier = d.override(autoencoder, { prior: d.sqNorm(h) });
export const smooth = d.replaceActivation(encoder, 'relu', 'softplus');
exactly<Network<readonly [28, 28, 1], readonly [32]>>()(smooth);
exactly<Network<readonly [32], readonly [28, 28, 1]>>()(d.rename(decoder, 'twin'));

export const refused = [
  // @ts-expect-error: the decoder takes 32 numbers, the encoder of this one gives 16.
  d.apply(decoder, outputs.logVariance),
  // @ts-expect-error: an image is no code.
  d.apply(decoder, x),
  // @ts-expect-error: only the mean has the decoder's shape.
  d.apply(decoder, outputs),
  // @ts-expect-error: four directional derivatives are not one image.
  d.sub(x, d.jvp(decoder, h, probes)),
  // @ts-expect-error: neither is their norm without an axis of probes.
  d.meanOf(4, d.sqNorm(d.jvp(decoder, h, probes))),
  // @ts-expect-error: a single derivative has no axis of four probes.
  d.meanOf(4, d.sqNormEach(d.jvp(decoder, h, v))),
  // @ts-expect-error: a tangent has the shape of the input.
  d.jvp(decoder, h, w),
  // @ts-expect-error: a cotangent has the shape of the output.
  d.vjp(decoder, h, v),
  // @ts-expect-error: nor is a tangent of another size taken for many probes.
  d.jvp(decoder, h, outputs.logVariance),
  // @ts-expect-error: each probe has the shape of the input.
  d.jvp(decoder, h, d.draw('short', d.normal(16), { probes: 4 })),
  // @ts-expect-error: and each probe of a cotangent that of the output.
  d.vjp(decoder, h, d.draw('flat', d.normal(784), { probes: 4 })),
  // @ts-expect-error: a derivative is of one output; take a network that has one.
  d.jvp(gaussian, x, x),
  // @ts-expect-error: a term is a scalar.
  d.objective({ reconstruction: d.square(d.sub(x, d.apply(decoder, h))) }),
  // @ts-expect-error: a term is called reconstruction, not reconstructoin.
  d.override(autoencoder, { reconstructoin: d.sqNorm(h) }),
  // @ts-expect-error: an overriding term is a scalar too.
  d.override(autoencoder, { prior: h }),
  // @ts-expect-error: no such activation.
  d.replaceActivation(encoder, 'relu', 'swich'),
  // @ts-expect-error: dense takes a vector; flatten first.
  pipe(d.input(28, 28, 1), d.dense(32)),
  // @ts-expect-error: a convolution takes an image.
  pipe(d.input(784), d.conv(8, { kernel: 3 })),
  // @ts-expect-error: a residual block keeps the shape.
  pipe(d.input(32), d.residual(d.dense(16))),
  // @ts-expect-error: element-wise operations take equal shapes.
  d.add(v, outputs.logVariance),
  // @ts-expect-error: heads come last.
  pipe(d.input(8), d.heads({ mean: d.dense(2) }), d.relu),
  // @ts-expect-error: the volume of an injection is that of its Jacobian.
  d.logDet(ambient, d.data(1)),
  // @ts-expect-error: the inverse takes what the flow gives.
  d.apply(d.invert(ambient), d.data(1)),
  // @ts-expect-error: an ordinary network has no inverse.
  d.invert(encoder),
  // @ts-expect-error: nor a log-determinant.
  d.logDet(encoder, x),
  // @ts-expect-error: an ordinary layer ends a flow.
  pipe(d.latent(2), d.dense(2), d.actNorm),
  // @ts-expect-error: from data to latents nothing is injected.
  pipe(d.observed(2), d.inject(3)),
  // @ts-expect-error: pixels become channels of an image only.
  pipe(d.latent(4), d.squeeze()),
  // @ts-expect-error: from latents to data runs the inverse of what runs from data to latents.
  pipe(d.latent(2), d.inverse(pipe(d.latent(2), d.actNorm))),
  // @ts-expect-error: a rate is a scalar.
  d.adam({ rate: h }),
];
