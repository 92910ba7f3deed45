/** Laws tell true claims from false ones, and a counterexample is TypeScript that type-checks and fails alike. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  activate,
  add,
  apply,
  basis,
  constant,
  data,
  dense,
  draw,
  exp,
  type Expr,
  field,
  fill,
  greater,
  input,
  invert,
  jvp,
  latent,
  log,
  luLinear,
  mul,
  neg,
  network,
  type Node,
  norm,
  normal,
  parameter,
  pipe,
  rademacher,
  reshaped,
  scale,
  type Shape,
  sphere,
  sqNorm,
  square,
  stop,
  sub,
  sum,
  tanh,
  uniform,
  volume,
  zeros,
} from '../../dsl/index.js';
import {
  type Autoencoder,
  autoencoders,
  check,
  equal,
  examples,
  experiments,
  expressions,
  flows,
  forAll,
  given,
  gradientsAgree,
  injectiveFlows,
  inMean,
  invariantUnder,
  invertible,
  type Law,
  meaningOf,
  monotone,
  networks,
  nonNegative,
  normalised,
  shapes,
  unbiased,
  upperBounds,
  weights,
} from '../../laws/index.js';
import { compile } from '../../compiler/index.js';
import { left, right } from '../shared/either.js';
import { evaluated } from '../shared/module.js';
import { diagnostics } from '../dsl/types/diagnostics.js';

const x = data(3);
const drawnNormal = draw('v', normal(3));
const net = network('net', pipe(input(3), dense(4), tanh, dense(3)));
const flow = network('flow', pipe(latent(3), luLinear));

/** ln N(x; 0, I). */
const logNormal = (at: Expr): Expr<readonly []> => sub(scale(-0.5, sqNorm(at)), Math.log(2 * Math.PI));

type Pair = { readonly holds: Law; readonly fails: Law; readonly says: RegExp };

const laws: Readonly<Record<string, Pair>> = {
  nonNegative: {
    holds: nonNegative(square(apply(net, x))),
    fails: nonNegative(apply(net, x)),
    says: /^expression is -[\d.e-]+, expected at least 0 \(element \d of \d\)/,
  },
  'nonNegative of what is no number': {
    holds: nonNegative(exp(x)),
    fails: nonNegative(log(x)),
    says: /^expression is (NaN|-Infinity|-[\d.]+), expected at least 0/,
  },
  upperBounds: {
    holds: upperBounds(scale(3, sqNorm(x)), square(sum(x))),
    fails: upperBounds(scale(2, sqNorm(x)), square(sum(x))),
    says: /^bound is [\d.]+ where exact is [\d.]+, expected at least that/,
  },
  'upperBounds in mean': {
    holds: upperBounds(inMean(sqNorm(drawnNormal)), 3),
    fails: upperBounds(inMean(log(sqNorm(drawnNormal))), Math.log(3)),
    says: /^bound less 1.098\d+ is -[\d.]+ ± [\d.]+ on the average of \d+ draws, expected 0 or more/,
  },
  equal: {
    holds: equal(add(x, x), scale(2, x)),
    fails: equal(mul(x, x), scale(2, x)),
    says: /^a is .* where b is .*, expected the same \(element \d of \d\)/,
  },
  invariantUnder: {
    holds: invariantUnder(sqNorm, neg, x),
    fails: invariantUnder((at) => sum(at), neg, x),
    says: /^changed is/,
  },
  unbiased: {
    holds: unbiased(sqNorm(jvp(net, x, draw('u', rademacher(3)))), sqNorm(jvp(net, x, basis(3)))),
    fails: unbiased(norm(jvp(net, x, draw('u', rademacher(3)))), norm(jvp(net, x, basis(3)))),
    says: /^estimate less exact is -[\d.]+ ± [\d.]+/,
  },
  'unbiased, element by element': {
    holds: unbiased(mul(drawnNormal, drawnNormal), fill(1, 3)),
    fails: unbiased(mul(drawnNormal, drawnNormal), add(fill(1, 3), fill(0.5, 3))),
    says: /\(element \d of 3\)/,
  },
  gradientsAgree: {
    holds: gradientsAgree(sqNorm(apply(net, x))),
    fails: gradientsAgree(sqNorm(mul(apply(net, x), stop(apply(net, x))))),
    says: /^the gradient along a direction of all weights is/,
  },
  invertible: {
    holds: invertible(flow, x),
    fails: [...invertible(flow, x), ...equal(apply(invert(flow), x), x)],
    says: /^a is/,
  },
  normalised: {
    holds: normalised(logNormal, [2]),
    fails: normalised((at) => add(logNormal(at), 0.5), [2]),
    says: /^integral less 1 is [\d.]+ ±/,
  },
  monotone: {
    holds: monotone((at) => activate('softplus', at), scale(4, x)),
    fails: monotone((at) => activate('gelu', at), scale(4, x)),
    says: /^after is/,
  },
};

/** The message of what a check throws. */
const messageOf = (run: () => void): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  return '';
};

/** What was found: the numbers of the first line. */
const numbersIn = (message: string) => message.split('\n')[0]?.match(/-?\d[\d.e-]*/g);

const moduleIn = (message: string): string => message.slice(message.indexOf('import '));

describe.each(Object.entries(laws))('%s', (_, { holds, fails, says }) => {
  test('lets pass what is so', () => {
    expect(() => check(holds)).not.toThrow();
  });

  test('says what is not so, with a module that fails alike', () => {
    const message = messageOf(() => check(fails));
    expect(message).toMatch(says);
    expect(message).toMatch(/the smallest counterexample after \d+ steps? of shrinking, of seed -?\d+/);
    const again = messageOf(() => evaluated(moduleIn(message)));
    expect(numbersIn(again)).toEqual(numbersIn(message));
  });
});

test('counterexamples type-check', () => {
  const modules = Object.values(laws).map(({ fails }) => moduleIn(messageOf(() => check(fails))));
  expect(modules.flatMap(diagnostics)).toEqual([]);
}, 120_000);

describe('what is ill-formed is a problem and no counterexample', () => {
  test.each<readonly [string, Law, string]>([
    ['shapes that differ', equal(x, { tag: 'data', shape: [2] }), 'data of shape [2], expected [3]'],
    ['sides of two shapes', equal<Shape>(x, data(3, 1)), 'data of shape [3,1]'],
    [
      'a gradient of a vector',
      gradientsAgree({ tag: 'data', shape: [3] }),
      'loss: found [3], expected a scalar',
    ],
  ])('%s', (_, law, words) => {
    expect(messageOf(() => check(law))).toContain(words);
  });

  test('where nothing can be compared, that is said', () => {
    expect(messageOf(() => check(equal(sum(x), log(sub(neg(sqNorm(x)), 1)))))).toMatch(
      /nothing to compare with/,
    );
  });
});

describe('arbitraries', () => {
  const sampled = <A>(of: fc.Arbitrary<A>): readonly A[] => fc.sample(of, 30);

  test('networks and autoencoders fit their shapes', () => {
    for (const { encoder, decoder, data: shape, codes } of sampled(autoencoders())) {
      const there = right(meaningOf(apply(encoder, { tag: 'data', shape })));
      expect(there.shape).toEqual([codes]);
      expect(right(meaningOf(apply(decoder, data(codes)))).shape).toEqual(shape);
    }
    for (const one of sampled(networks('one', [2, 2, 1], [3])))
      expect(right(meaningOf(apply(one, data(2, 2, 1)))).shape).toEqual([3]);
  });

  test('flows have their inverse', () => {
    forAll(flows(), (one) => invertible(one, { tag: 'data', shape: one.input }));
    forAll(injectiveFlows(), (one) => {
      const at: Node = { tag: 'data', shape: one.input };
      return invertible(one, at);
    });
  });

  test('expressions have the shape asked for', () => {
    const pairs = autoencoders().chain((model: Autoencoder) =>
      shapes({ axes: 2, size: 3 }).chain((shape) =>
        expressions(model, shape).map((expression) => ({ shape, expression })),
      ),
    );
    for (const { shape, expression } of sampled(pairs))
      expect(right(meaningOf(expression, { batch: 2 })).shape).toEqual(shape);
  });

  test('experiments compile', () => {
    for (const experiment of sampled(experiments())) right(compile(experiment));
  });

  test('weights are those of the network, and give its value', () => {
    const weighed = networks('one', [2], [2]).chain((one) => weights(one).map((values) => ({ one, values })));
    for (const { one, values } of sampled(weighed)) {
      const { inputs } = right(meaningOf(apply(one, data(2)), { values }));
      for (const [name, numbers] of Object.entries(values)) expect(inputs.get(name)).toEqual(numbers);
    }
    expect(sampled(examples([2, 2], 3)).every(({ length }) => length === 12)).toBe(true);
  });
});

describe('the meaning of an expression', () => {
  test('is its value at what is given, example by example', () => {
    const values = { data: [1, 2, 3, 4, 5, 6], w: [2] };
    const scaled = scale(reshaped(parameter('w', zeros, 1)), x);
    const { values: found, shape } = right(meaningOf(scaled, { batch: 2, values }));
    expect([...found]).toEqual([2, 4, 6, 8, 10, 12]);
    expect(shape).toEqual([3]);
  });

  test('draws by the seed as every backend does', () => {
    const at = (seed: number) => [...right(meaningOf(draw('v', sphere(4)), { seed })).values];
    expect(at(1)).toEqual(at(1));
    expect(at(1)).not.toEqual(at(2));
    expect(at(1).reduce((total, v) => total + v * v, 0)).toBeCloseTo(4, 5);
  });

  test('is a problem where too few numbers are given', () => {
    expect(left(meaningOf(x, { values: { data: [1] } }))).toEqual([
      {
        path: 'world.values',
        found: '1 numbers for data, which takes 3',
        expected: 'as many numbers as it takes',
      },
    ]);
  });

  test('reads fields and the step', () => {
    const { values } = right(meaningOf(add(field('y', 1), fill(1, 1)), { values: { y: [4] } }));
    expect([...values]).toEqual([5]);
    expect([...right(meaningOf({ tag: 'step' }, { step: 7 })).values]).toEqual([7]);
  });

  test('of a uniform draw is in its range', () => {
    forAll(shapes(), (shape) => [
      ...nonNegative(draw('u', uniform(...shape))),
      ...upperBounds(1, draw('u', uniform(...shape))),
    ]);
  });
});

test('the exact volume is below bound (5) and above nothing', () => {
  const bound = ({ decoder, codes: d }: Autoencoder) => {
    const z = data(d);
    return { z, bound: scale(d / 2, log(scale(1 / d, sqNorm(jvp(decoder, z, basis(d)))))) };
  };
  forAll(autoencoders(), (model) => {
    const { z, bound: above } = bound(model);
    return upperBounds(above, volume(model.decoder, z, { method: 'exact' }));
  });
  expect(() =>
    forAll(autoencoders(), (model) => {
      const { z, bound: above } = bound(model);
      return upperBounds(sub(above, 0.1), volume(model.decoder, z, { method: 'exact' }));
    }),
  ).toThrow('expected at least that');
});

test('a law is made only where its condition holds', () => {
  const negative = upperBounds(constant(0), sum(x));
  expect(() => check(negative)).toThrow('expected at least that');
  check(given(greater(0, sum(x)), negative));
  expect(messageOf(() => check(given(greater(0, sqNorm(x)), negative)))).toMatch(/nothing to compare with/);
});
