/** Layers with any settings, and the names and numbers that specifications hold; shapes need not fit. */
import fc from 'fast-check';
import type { Node } from '../../dsl/expressions/expression.js';
import type { Initializer } from '../../dsl/layers/initializer.js';
import type { Layer, Transform } from '../../dsl/layers/layer.js';
import type { Shape } from '../../dsl/shape.js';

/** Finite; −0 is left out because JSON text has no way to write it. */
export const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0);
export const positive = fc.double({ noNaN: true, min: 1e-12, max: 1e6 });
/** Below 1 in single precision too. */
export const fraction = fc.double({ noNaN: true, min: 0, max: 1 - 2 ** -24 }).map((n) => n + 0);
export const size = fc.integer({ min: 1, max: 64 });
export const offset = fc.integer({ min: 0, max: 8 });
export const axes = (maxLength: number, minLength = 0): fc.Arbitrary<Shape> =>
  fc.array(size, { minLength, maxLength });
export const offsets: fc.Arbitrary<Shape> = fc.array(offset, { maxLength: 6 });

/** Words, and some that need quotes in a path; never a name that JavaScript would confuse. */
export const name: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.stringMatching(/^[a-z][a-zA-Z]{0,8}$/) },
  fc.string({ minLength: 1, maxLength: 6 }).filter((word) => !word.includes('/')),
);

/** For a hyper-parameter, a draw, a parameter or a term: a name that means nothing yet. */
export const freeName = name.filter(
  (word) =>
    !['data', 'step', 'steps', 'batch', 'loss', 'rate', 'gradientNorm', 'commit'].includes(word) &&
    !/^(validation\.|optimizer\.|next |gradient )/.test(word),
);

export const named = <A>(of: fc.Arbitrary<A>, atMost: number): fc.Arbitrary<Readonly<Record<string, A>>> =>
  fc
    .uniqueArray(fc.tuple(freeName, of), { minLength: 1, maxLength: atMost, selector: ([key]) => key })
    .map((entries) => Object.fromEntries(entries));

export const initializer: fc.Arbitrary<Initializer> = fc.oneof(
  fc.constantFrom<Initializer>(
    { tag: 'zeros' },
    { tag: 'ones' },
    { tag: 'glorotUniform' },
    { tag: 'heNormal' },
    { tag: 'orthogonal' },
  ),
  fc.record({ tag: fc.constant('constant' as const), value: finite }),
  fc.record({ tag: fc.constant('normal' as const), stddev: positive }),
  fc.record({ tag: fc.constant('uniform' as const), limit: positive }),
);

const convolution = {
  filters: size,
  kernel: size,
  stride: size,
  padding: fc.constantFrom('same' as const, 'valid' as const),
  bias: fc.boolean(),
  initializer,
};

const kernelLayer = fc.oneof(
  fc.record({ tag: fc.constant('dense' as const), units: size, bias: fc.boolean(), kernel: initializer }),
  fc.record({ tag: fc.constant('conv' as const), ...convolution }),
  fc.record({ tag: fc.constant('convTranspose' as const), ...convolution }),
);

const transform: fc.Arbitrary<Transform> = fc.oneof(
  fc.record({ tag: fc.constant('affine' as const), bound: positive }),
  fc.record({
    tag: fc.constantFrom('spline' as const, 'circularSpline' as const),
    bins: fc.integer({ min: 2, max: 16 }),
    bound: positive,
  }),
);

/** Layers that have an inverse; what lies inside may have to have one too. */
export const invertibleLayer: fc.Arbitrary<Layer> = fc.letrec<{ layer: Layer }>((tie) => {
  const layers = fc.array(tie('layer'), { maxLength: 2 });
  return {
    layer: fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      fc.record({
        tag: fc.constant('coupling' as const),
        transform,
        part: fc.constantFrom('first' as const, 'last' as const),
        conditioner: fc.array(
          fc.record({
            tag: fc.constant('dense' as const),
            units: size,
            bias: fc.boolean(),
            kernel: initializer,
          }),
          { maxLength: 2 },
        ),
      }),
      fc.record({ tag: fc.constant('elementwise' as const), transform }),
      fc.record({ tag: fc.constant('permutation' as const), seed: finite }),
      fc.constant<Layer>({ tag: 'luLinear' }),
      fc.record({ tag: fc.constant('squeeze' as const), size }),
      fc.record({ tag: fc.constant('flatten' as const) }),
      fc.record({ tag: fc.constant('factorOut' as const), layers }),
      fc.record({ tag: fc.constant('inverse' as const), input: axes(3, 1), layers }),
      fc
        .record({ name: freeName, input: axes(3, 1), output: axes(3, 1) })
        .map(({ name: its, input, output }): Layer => {
          const of = (argument: string, shape: Shape): Node => ({ tag: 'argument', name: argument, shape });
          return {
            tag: 'bijection',
            name: its,
            input,
            output,
            forward: { tag: 'unary', op: 'neg', of: of('x', input) },
            inverse: { tag: 'unary', op: 'neg', of: of('y', output) },
            logDeterminant: { tag: 'constant', value: 0 },
          };
        }),
    ),
  };
}).layer;

export const injection: fc.Arbitrary<Layer> = fc.record({ tag: fc.constant('inject' as const), units: size });

/** A layer that is an expression of its input, with layers inside and a parameter of its own. */
const definedLayer = (inside: fc.Arbitrary<readonly Layer[]>): fc.Arbitrary<Layer> =>
  fc
    .record({ own: freeName, shape: axes(4, 1), inside, role: freeName, initializer })
    .map(({ own, shape, inside: inner, role, initializer: start }): Layer => {
      const x: Node = { tag: 'argument', name: 'x', shape };
      const through: Node = { tag: 'through', name: 'inner', layers: inner, of: x };
      const gain: Node = { tag: 'parameter', name: role, shape, initializer: start };
      const body: Node = { tag: 'binary', op: 'mul', left: gain, right: through };
      return { tag: 'defined', name: own, arguments: { x: shape }, outputs: { '': body } };
    });

/** Layers that may stand anywhere; residual blocks inside one another. */
export const innerLayer: fc.Arbitrary<Layer> = fc.letrec<{ layer: Layer }>((tie) => ({
  layer: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    kernelLayer,
    fc.record({
      tag: fc.constant('spectral' as const),
      norm: fc.constantFrom('kernel' as const, 'operator' as const),
      iterations: size,
      layer: kernelLayer,
    }),
    fc.record({ tag: fc.constant('flatten' as const) }),
    fc.record({ tag: fc.constant('reshape' as const), shape: axes(6) }),
    fc.record({
      tag: fc.constant('batchNorm' as const),
      statistics: fc.constantFrom('constant' as const, 'differentiated' as const),
      momentum: fraction,
      epsilon: positive,
    }),
    fc.record({ tag: fc.constant('dropout' as const), rate: fraction }),
    fc.record({
      tag: fc.constant('activation' as const),
      name: fc.constantFrom(
        'relu' as const,
        'leakyRelu' as const,
        'elu' as const,
        'tanh' as const,
        'sigmoid' as const,
        'softplus' as const,
        'silu' as const,
        'gelu' as const,
      ),
      slope: finite,
    }),
    fc.record({ tag: fc.constant('averagePool' as const), size }),
    fc.record({ tag: fc.constant('upsample' as const), size }),
    invertibleLayer,
    injection,
    fc.record({ tag: fc.constant('residual' as const), layers: fc.array(tie('layer'), { maxLength: 3 }) }),
    definedLayer(fc.array(tie('layer'), { maxLength: 2 })),
  ),
})).layer;

export const headsLayer: fc.Arbitrary<Layer> = named(fc.array(innerLayer, { maxLength: 2 }), 3).map(
  (heads) => ({
    tag: 'heads',
    heads,
  }),
);

export const layer: fc.Arbitrary<Layer> = fc.oneof({ weight: 4, arbitrary: innerLayer }, headsLayer);
