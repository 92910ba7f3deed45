/** Flows in experiments: as values, as JSON, compiled, explained; and what is refused. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, test } from 'vitest';
import { compile, outline } from '../../../compiler/index.js';
import * as d from '../../../dsl/index.js';
import { left, right } from '../../shared/either.js';
import { put } from '../../shared/json.js';

const ambient = d.network(
  'ambient',
  d.pipe(
    d.latent(1),
    d.elementwise(d.spline()),
    d.inject(2),
    d.coupling({ conditioner: (half) => d.pipe(half, d.dense(10), d.tanh) }),
    d.permutation(1),
  ),
);
const base = d.network('base', d.pipe(d.latent(1), d.elementwise(d.spline())));
const x = d.data(2);
const z = d.apply(d.invert(ambient), x);
const spec = d.experiment({
  encoder: d.invert(ambient),
  decoder: ambient,
  objective: {
    reconstruction: d.sqNorm(d.sub(x, d.apply(ambient, z))),
    latent: d.sub(d.sqNorm(d.apply(d.invert(base), z)), d.logDet(d.invert(base), z)),
  },
  optimizer: d.adam({ rate: 1e-3 }),
  batch: 8,
  steps: 10,
  data: 'circle',
});
const json = (): unknown => right(d.encodeExperiment(spec));
const lines = (value: unknown): readonly string[] => left(d.decodeExperiment(value)).map(d.showProblem);

test('an inverted network is a reference, and its structure is written once', () => {
  expect(json()).toMatchObject({ encoder: { inverse: 'ambient' }, decoder: 'ambient' });
  expect(right(d.decodeExperiment(JSON.parse(JSON.stringify(json()))))).toEqual(spec);
});

test('both ways share the weights', () => {
  const { parameters, encode, decode } = right(compile(spec));
  const names = (program: typeof encode): readonly string[] =>
    program.binders.filter(({ kind }) => kind === 'parameter').map(({ name }) => name);
  // The code is the half that the coupling left alone, so the way back needs fewer of them.
  expect(names(decode)).toEqual(expect.arrayContaining([...names(encode)]));
  expect(parameters.map(({ name }) => name).toSorted()).toEqual([
    'ambient/0.elementwise/transform',
    'ambient/2.coupling/0.dense/bias',
    'ambient/2.coupling/0.dense/kernel',
    'ambient/2.coupling/projection/bias',
    'ambient/2.coupling/projection/kernel',
    'base/0.elementwise/transform',
  ]);
});

test('an inverted network is outlined as it was written', () => {
  expect(right(outline(d.invert(ambient)))).toEqual(right(outline(ambient)));
});

test('the objective reads as on paper', () => {
  expect(d.objectiveFormula(spec.objective)).toMatchInlineSnapshot(`
    "h := ambient⁻¹(x)

    reconstruction = ‖x − ambient(h)‖²
    latent         = ‖base⁻¹(h)‖² − ln(|det J_base⁻¹(h)|)"
  `);
});

describe('refused', () => {
  test('the log-determinant of an injection', () => {
    const objective = { volume: { tag: 'logDet', network: 'ambient', at: { tag: 'data', shape: [1] } } };
    expect(lines(put(json(), ['objective'], objective))).toMatchInlineSnapshot(`
      [
        "objective.volume.network: found "ambient, which has inject", expected a network of layers that have an inverse on both sides (the volume of an injection is a property of its Jacobian, not of its layers)",
      ]
    `);
  });

  test('the inverse of a network that has none', () => {
    const layers = [{ tag: 'dense', units: 2 }];
    expect(lines(put(json(), ['networks', 'ambient', 'layers'], layers))).toMatchInlineSnapshot(`
      [
        "encoder.inverse: found "ambient, which has dense", expected a network of layers that have an inverse",
        "objective.reconstruction.of.of.right.at.network.inverse: found "ambient, which has dense", expected a network of layers that have an inverse",
      ]
    `);
  });

  test('batch statistics in a conditioner', () => {
    const path = ['networks', 'ambient', 'layers', 2, 'conditioner'];
    expect(lines(put(json(), path, [{ tag: 'batchNorm' }]))).toMatchInlineSnapshot(`
      [
        "networks.ambient.layers[2].conditioner: found "batch statistics or dropout", expected layers that are a function of their input alone (the inverse of a coupling must see the same function)",
      ]
    `);
  });

  test('an injection inside an inverse, a spline of one bin', () => {
    const layers = [
      { tag: 'inverse', input: [1], layers: [{ tag: 'inject', units: 2 }] },
      { tag: 'elementwise', transform: { tag: 'spline', bins: 1 } },
    ];
    expect(lines(put(json(), ['networks', 'ambient', 'layers'], layers))).toMatchInlineSnapshot(`
      [
        "networks.ambient.layers[0].layers: found "inject", expected layers that have an inverse on both sides",
        "networks.ambient.layers[1].transform.bins: found 1, expected an integer of at least 2",
      ]
    `);
  });

  const problems = (flow: d.NetworkValue): readonly string[] => {
    const outlined = outline(flow);
    return E.isLeft(outlined) ? outlined.left.map(d.showProblem) : [];
  };

  test('shapes that the type-checker cannot follow', () => {
    const flow = (...layers: readonly d.Layer[]): d.NetworkValue => ({ name: 'flow', input: [3], layers });
    const wide: d.Layer = {
      tag: 'coupling',
      transform: d.affine(),
      part: 'last',
      conditioner: [{ tag: 'reshape', shape: [1, 1, 1] }],
    };
    expect([
      ...problems(flow({ tag: 'inject', units: 2 })),
      ...problems(flow({ tag: 'squeeze', size: 2 })),
      ...problems(flow({ tag: 'reshape', shape: [3, 1, 1] }, wide)),
      ...problems(flow({ tag: 'inverse', input: [4], layers: [] })),
      ...problems({ ...flow(wide), input: [2] }),
    ]).toMatchInlineSnapshot(`
      [
        "networks.flow.layers[0]: found an input of shape [3], expected a vector of at most 2",
        "networks.flow.layers[0]: found an input of shape [3], expected an image [h,w,c] whose sides divide by 2",
        "networks.flow.layers[1]: found an input of shape [3,1,1], expected at least two channels: one part conditions the other",
        "networks.flow.layers[0]: found an input of shape [3], expected [4], which the layers inverted here give",
        "networks.flow.layers[0].conditioner: found [1,1,1], expected a vector",
      ]
    `);
  });

  test('an encoder that takes other data than the decoder gives', () => {
    const value = { ...spec, encoder: { ...spec.encoder, input: [3] } };
    expect(left(compile(value)).map(d.showProblem)).toMatchInlineSnapshot(`
      [
        "networks.ambient: found an input of shape [3], expected [2]",
      ]
    `);
  });
});
