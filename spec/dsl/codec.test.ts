/** Specifications as data: what is written is read back, and what is wrong is named at its place. */
import { fc, test } from '@fast-check/vitest';
import { isLeft } from 'fp-ts/lib/Either.js';
import { describe, expect } from 'vitest';
import { checkExperiment, decodeExperiment, encodeExperiment } from '../../dsl/codec/index.js';
import type { Experiment } from '../../dsl/experiment.js';
import { experiment } from '../../dsl/experiment.js';
import type { Node } from '../../dsl/expressions/expression.js';
import {
  add,
  apply,
  constant,
  data,
  draw,
  hyper,
  scale,
  sqNorm,
  step,
  sub,
  sum,
} from '../../dsl/expressions/expression.js';
import { dense, input } from '../../dsl/layers/layer.js';
import { network } from '../../dsl/network.js';
import { adam } from '../../dsl/optimizer.js';
import { orthonormal, sphere } from '../../dsl/expressions/draw.js';
import { showProblem } from '../../dsl/problem.js';
import { experiment as anyExperiment } from '../arbitrary/experiment.js';
import { left, right } from '../shared/either.js';
import { places, put } from '../shared/json.js';

const written = (value: Experiment): unknown => JSON.parse(JSON.stringify(right(encodeExperiment(value))));

const lines = (json: unknown): readonly string[] => left(decodeExperiment(json)).map(showProblem);

const encoder = network('encoder', dense(2)(input(3)));
const decoder = network('decoder', dense(3)(input(2)));
const x = data(3);
const h = apply(encoder, x);

const small = experiment({
  encoder,
  decoder,
  objective: { reconstruction: sqNorm(sub(x, apply(decoder, h))) },
  optimizer: adam({ rate: 1e-3 }),
  batch: 8,
  steps: 100,
  data: 'digits',
});

describe('a written experiment is read back', () => {
  test.prop([anyExperiment], { numRuns: 300 })('as a value', (value) => {
    expect(decodeExperiment(right(encodeExperiment(value)))).toEqual({ _tag: 'Right', right: value });
  });

  test.prop([anyExperiment], { numRuns: 500 })('through JSON text', (value) => {
    expect(decodeExperiment(written(value))).toEqual({ _tag: 'Right', right: value });
  });

  test.prop([anyExperiment], { numRuns: 300 })('and the check of its value changes nothing', (value) => {
    expect(checkExperiment(value)).toEqual({ _tag: 'Right', right: value });
  });
});

describe('nothing throws', () => {
  test.prop([fc.jsonValue()])('for any JSON value', (json) => {
    expect(isLeft(decodeExperiment(json))).toBe(true);
  });

  test.prop([fc.anything({ withNullPrototype: true, withBigInt: true, withMap: true, withDate: true })])(
    'for any value at all',
    (value) => {
      expect(isLeft(decodeExperiment(value))).toBe(true);
      expect(isLeft(checkExperiment(value))).toBe(true);
    },
  );

  test.prop([
    anyExperiment.chain((value) => {
      const json = written(value);
      return fc.tuple(fc.constant(json), fc.constantFrom(...places(json)), fc.anything());
    }),
  ])('for anything anywhere', ([json, path, part]) => {
    expect(() => [
      decodeExperiment(put(json, path, part)),
      checkExperiment(put(json, path, part)),
    ]).not.toThrow();
  });

  const nested = (levels: number): Node =>
    Array.from({ length: levels }).reduce<Node>((of) => ({ tag: 'stop', of }), constant(0));

  test('an expression just within the limit on nesting is read', () => {
    expect(isLeft(decodeExperiment(written({ ...small, objective: { term: nested(500) } })))).toBe(false);
  });

  test('a deeper one is a problem', () => {
    const deep = { ...small, objective: { term: nested(100_000) } };
    const expected =
      'objective.term.of.of.of.of…: found more than 512 levels of nesting, expected at most 512, and no cycles';
    expect(left(checkExperiment(deep)).map(showProblem)).toEqual([expected]);
    expect(left(encodeExperiment(deep)).map(showProblem)).toEqual([expected]);
    expect(lines({ schemaVersion: 1, objective: { term: nested(100_000) } })).toEqual([expected]);
  });

  test('so is a cycle', () => {
    const cycle: Record<string, unknown> = { tag: 'stop' };
    cycle['of'] = cycle;
    const objective = { term: cycle };
    expect(left(checkExperiment({ ...small, objective }))).toHaveLength(1);
    expect(left(decodeExperiment({ ...small, objective }))).toHaveLength(1);
  });

  test('a shared subexpression takes no exponential time', () => {
    const doubled = Array.from({ length: 200 }).reduce<Node>(
      (e) => ({ tag: 'binary', op: 'add', left: e, right: e }),
      step,
    );
    const json = right(encodeExperiment({ ...small, objective: { doubled } }));
    expect(isLeft(decodeExperiment(json))).toBe(false);
  });
});

describe('what a problem says', () => {
  const json = {
    schemaVersion: 1,
    networks: {
      encoder: { input: [3], layers: [{ tag: 'dens', units: 2 }] },
      decoder: {
        input: [2],
        layers: [
          { tag: 'dense', unit: -3 },
          { tag: 'conv', filters: -3, kernel: 4 },
        ],
      },
    },
    encoder: 'encodr',
    objective: {
      reconstruction: { tag: 'scale', by: { tag: 'constant', value: Number.NaN }, of: { tag: 'stop' } },
    },
    optimizer: { rate: { tag: 'constant', value: 1e-3 }, chain: [{ tag: 'scaleByAdam', beta1: 1 }] },
    batch: 0,
    steps: 100,
    data: 'digits',
  };

  test('all of it at once, in the order of the value', () => {
    expect(lines(json)).toMatchInlineSnapshot(`
      [
        "networks.encoder.layers[0].tag: found "dens", expected one of dense, conv, convTranspose, spectral, flatten, reshape, batchNorm, dropout, activation, residual, averagePool, upsample, coupling, elementwise, permutation, luLinear, squeeze, factorOut, inverse, inject, bijection, defined, heads (did you mean "dense"?)",
        "networks.decoder.layers[0].units: found nothing, expected a positive integer",
        "networks.decoder.layers[0].unit: found "unit", expected no other fields than tag, units, bias, kernel (did you mean "units"?)",
        "networks.decoder.layers[1].filters: found -3, expected a positive integer",
        "encoder: found "encodr", expected one of encoder, decoder (did you mean "encoder"?)",
        "decoder: found nothing, expected one of encoder, decoder",
        "objective.reconstruction.by.value: found NaN, expected a finite number",
        "objective.reconstruction.of.of: found nothing, expected an expression",
        "optimizer.chain[0].beta1: found 1, expected a number in [0, 1)",
        "batch: found 0, expected a positive integer",
      ]
    `);
  });

  test('a newer version says only that', () => {
    expect(lines({ ...json, schemaVersion: 2 })).toMatchInlineSnapshot(`
      [
        "schemaVersion: found 2, expected at most 1 (it was written by a newer version of immersion)",
      ]
    `);
  });

  test('a version is needed', () => {
    const { schemaVersion: _, ...rest } = json;
    expect(lines(rest)[0]).toBe('schemaVersion: found nothing, expected the number 1');
  });

  test('an output that the network does not have', () => {
    const headed = put(written(small), ['networks', 'encoder', 'layers', 1], undefined);
    const layers = [{ tag: 'heads', heads: { mean: [], logVariance: [] } }];
    expect(lines(put(headed, ['networks', 'encoder', 'layers'], layers))).toMatchInlineSnapshot(`
      [
        "objective.reconstruction.of.of.right.at.output: found "", expected one of mean, logVariance",
      ]
    `);
  });

  test('heads in the middle', () => {
    const layers = [{ tag: 'heads', heads: { mean: [] } }, { tag: 'flatten' }];
    expect(lines(put(written(small), ['networks', 'encoder', 'layers'], layers))).toMatchInlineSnapshot(`
      [
        "networks.encoder.layers[0].tag: found "heads", expected one of dense, conv, convTranspose, spectral, flatten, reshape, batchNorm, dropout, activation, residual, averagePool, upsample, coupling, elementwise, permutation, luLinear, squeeze, factorOut, inverse, inject, bijection, defined (heads may only be the last layer of a network)",
      ]
    `);
  });

  test('more orthogonal probes than directions', () => {
    const frame = { ...small, objective: { term: sum(draw('q', orthonormal(2), { probes: 3 })) } };
    expect(left(checkExperiment(frame)).map(showProblem)).toMatchInlineSnapshot(`
      [
        "objective.term.of.probes: found 3, expected a number of probes from 1 to 2, the number of orthogonal directions",
      ]
    `);
  });

  test('probes of a volume that no surrogate can use', () => {
    const { decoder } = small;
    const probed = (probes: Node) => {
      const of: Node = { tag: 'volume', network: decoder, at: h, output: '', method: 'auto', probes };
      return left(checkExperiment({ ...small, objective: { of } })).map(showProblem);
    };
    expect([
      ...probed({ tag: 'draw', name: 'v', distribution: 'uniform', shape: decoder.input, probes: 2 }),
      ...probed(h),
    ]).toMatchInlineSnapshot(`
      [
        "objective.of.probes: found "uniform", expected a draw from normal, sphere, rademacher or orthonormal, whose E εεᵀ is I",
        "objective.of.probes: found "apply", expected a draw from normal, sphere, rademacher or orthonormal, whose E εεᵀ is I",
      ]
    `);
  });

  test('a value built in TypeScript has the paths of its JSON form, and a shared mistake is told once', () => {
    const bad = network('decoder', dense(-3)(input(2)));
    const value = {
      ...small,
      encoder: undefined,
      decoder: bad,
      objective: {
        one: sqNorm(apply(bad, h)),
        two: scale(hyper('weight', Number.POSITIVE_INFINITY), sqNorm(apply(bad, h))),
      },
    };
    expect(left(checkExperiment(value)).map(showProblem)).toMatchInlineSnapshot(`
      [
        "encoder: found nothing, expected a network",
        "networks.decoder.layers[0].units: found -3, expected a positive integer",
        "objective.two.by.value: found Infinity, expected a finite number",
      ]
    `);
  });

  test('one network name with two structures', () => {
    const other = network('encoder', dense(5)(input(3)));
    const value = { ...small, objective: { ...small.objective, other: sqNorm(apply(other, x)) } };
    expect(left(encodeExperiment(value)).map(showProblem)).toMatchInlineSnapshot(`
      [
        "objective.other.of.of.network: found another structure named "encoder", expected the structure that "encoder" has where it occurs first (give one of them another name)",
      ]
    `);
  });

  test('one name with two values, or two distributions', () => {
    const objective = {
      values: add(hyper('eta', 0.1), hyper('eta', 0.2)),
      draws: add(sum(draw('v', sphere(2))), sum(draw('v', sphere(3)))),
    };
    expect(left(checkExperiment({ ...small, objective })).map(showProblem)).toMatchInlineSnapshot(`
      [
        "objective.values.right: found another hyper named "eta", expected the same hyper as where the name occurs first (give one of them another name)",
        "objective.draws.right.of: found another draw named "v", expected the same draw as where the name occurs first (give one of them another name)",
      ]
    `);
  });

  test('a network has its path wherever it stands, and no name no such path', () => {
    const critic = network('my critic', dense(-3)(input(2)));
    const value = {
      ...small,
      encoder: { ...encoder, name: '', layers: 1 },
      objective: { one: sqNorm(apply(critic, h)) },
    };
    expect(left(checkExperiment(value)).map(showProblem)).toEqual([
      'encoder.name: found "", expected a non-empty name without "/"',
      'encoder.layers: found 1, expected an array of layers',
      'networks["my critic"].layers[0].units: found -3, expected a positive integer',
    ]);
  });

  test('a name with a slash, and one that JavaScript would confuse', () => {
    expect(lines(put(written(small), ['objective', 'a/b'], { tag: 'step' }))).toEqual([
      'objective["a/b"]: found "a/b", expected a non-empty name without "/"',
    ]);
    const text = JSON.stringify(written(small)).replace('"reconstruction"', '"__proto__"');
    expect(lines(JSON.parse(text))[0]).toContain('objective.__proto__: found "__proto__"');
  });
});

test('what a constructor defaults is written out', () => {
  expect(written(small)).toMatchInlineSnapshot(`
    {
      "batch": 8,
      "data": "digits",
      "decoder": "decoder",
      "encoder": "encoder",
      "networks": {
        "decoder": {
          "input": [
            2,
          ],
          "layers": [
            {
              "bias": true,
              "kernel": {
                "tag": "glorotUniform",
              },
              "tag": "dense",
              "units": 3,
            },
          ],
        },
        "encoder": {
          "input": [
            3,
          ],
          "layers": [
            {
              "bias": true,
              "kernel": {
                "tag": "glorotUniform",
              },
              "tag": "dense",
              "units": 2,
            },
          ],
        },
      },
      "objective": {
        "reconstruction": {
          "keep": 0,
          "of": {
            "of": {
              "left": {
                "shape": [
                  3,
                ],
                "tag": "data",
              },
              "op": "sub",
              "right": {
                "at": {
                  "at": {
                    "shape": [
                      3,
                    ],
                    "tag": "data",
                  },
                  "network": "encoder",
                  "output": "",
                  "tag": "apply",
                },
                "network": "decoder",
                "output": "",
                "tag": "apply",
              },
              "tag": "binary",
            },
            "op": "square",
            "tag": "unary",
          },
          "tag": "sum",
        },
      },
      "optimizer": {
        "chain": [
          {
            "beta1": 0.9,
            "beta2": 0.999,
            "epsilon": 1e-8,
            "nesterov": false,
            "tag": "scaleByAdam",
          },
        ],
        "rate": {
          "tag": "constant",
          "value": 0.001,
        },
      },
      "schemaVersion": 1,
      "steps": 100,
      "validation": {
        "every": 10,
      },
    }
  `);
});
