/** Rewriting keeps what it does not touch, and names mean one thing. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { sphere } from '../../dsl/expressions/draw.js';
import type { Experiment } from '../../dsl/experiment.js';
import { experiment } from '../../dsl/experiment.js';
import type { Node } from '../../dsl/expressions/expression.js';
import {
  add,
  apply,
  constant,
  data,
  div,
  draw,
  hyper,
  jvp,
  mul,
  scale,
  sqNorm,
  sqNormOfWeights,
  step,
  sub,
} from '../../dsl/expressions/expression.js';
import { dense, input } from '../../dsl/layers/layer.js';
import { network } from '../../dsl/network.js';
import { adam, adamW, sgd } from '../../dsl/optimizer.js';
import { averaged, chain, scaleByAdam, scaleByRate, weightDecay } from '../../dsl/update.js';
import { showProblem } from '../../dsl/problem.js';
import { hypersOf, networksOf } from '../../dsl/names.js';
import { children, everyNode, mapChildren, mapNode, nodesOf } from '../../dsl/expressions/rewrite.js';
import { parsePath, showPath } from '../../dsl/path.js';
import { setHypers, setPath, setValues } from '../../dsl/codec/settings.js';
import { experiment as anyExperiment, expr as anyExpr } from '../arbitrary/experiment.js';
import { left, right } from '../shared/either.js';

const encoder = network('encoder', dense(2)(input(3)));
const decoder = network('decoder', dense(3)(input(2)));
const critic = network('critic', dense(1)(input(2)));
const x = data(3);
const h = apply(encoder, x);
const eta = hyper('eta', 0.1);

const small = experiment({
  encoder,
  decoder,
  objective: {
    reconstruction: scale(eta, sqNorm(sub(x, apply(decoder, h)))),
    volume: mul(sqNorm(jvp(decoder, h, draw('v', sphere(2)))), eta),
    adversary: add(sqNorm(apply(critic, h)), sqNormOfWeights(critic)),
  },
  optimizer: adam({ rate: mul(hyper('rate', 1e-3), step) }),
  batch: 8,
  steps: 100,
  data: 'digits',
});

const doubled = (times: number): Node =>
  Array.from({ length: times }).reduce<Node>((e) => ({ tag: 'binary', op: 'add', left: e, right: e }), eta);

describe('mapNode', () => {
  test.prop([anyExpr])('with the identity gives the very same expression', (e) => {
    expect(mapNode(e, (node) => node)).toBe(e);
  });

  test.prop([anyExpr])('reaches every node, children first', (e) => {
    const visited: Node[] = [];
    mapNode(e, (node) => {
      expect(children(node).every((child) => visited.includes(child))).toBe(true);
      visited.push(node);
      return node;
    });
    expect(new Set(visited)).toEqual(new Set(everyNode([{ path: [], node: e }]).map(({ node }) => node)));
  });

  test.prop([anyExpr])('composes: two rewritings are one', (e) => {
    const up = (node: Node): Node => (node.tag === 'step' ? constant(1) : node);
    const negate = (node: Node): Node => (node.tag === 'constant' ? constant(-node.value) : node);
    expect(mapNode(mapNode(e, up), negate)).toEqual(mapNode(e, (node) => negate(up(node))));
  });

  test.prop([anyExpr])('children are what mapChildren replaces', (e) => {
    const seen: Node[] = [];
    mapChildren(e, (child) => {
      seen.push(child);
      return child;
    });
    expect(seen).toEqual(children(e));
  });

  test('keeps sharing, so that a doubled expression takes no exponential time', () => {
    const result = mapNode(doubled(100), (node) => (node.tag === 'hyper' ? constant(1) : node));
    expect(everyNode([{ path: [], node: result }])).toHaveLength(101);
  });
});

describe('an experiment', () => {
  test('has its terms and its rate as roots', () => {
    expect(nodesOf(small).map(({ path }) => path.join('.'))).toEqual([
      'objective.reconstruction',
      'objective.volume',
      'objective.adversary',
      'optimizer.rate',
    ]);
  });

  test.prop([anyExperiment])('shows every node at its path', (e) => {
    const whole = { ...e, networks: Object.fromEntries(right(networksOf(e))) };
    everyNode(nodesOf(e)).forEach(({ path, node }) => {
      const found = path.reduce<unknown>((inside, key) => Object(inside)[key], whole);
      expect(found).toEqual(node);
    });
  });

  test('knows its hyper-parameters and networks in the order of first use', () => {
    expect([...hypersOf(small)]).toEqual([
      ['eta', 0.1],
      ['rate', 1e-3],
    ]);
    expect([...right(networksOf(small))]).toEqual([
      ['encoder', encoder],
      ['decoder', decoder],
      ['critic', critic],
    ]);
  });

  test('has one structure for each network name', () => {
    const other = network('critic', dense(2)(input(2)));
    const e = {
      ...small,
      objective: { ...small.objective, more: sqNorm(apply(other, h)), again: sqNormOfWeights(other) },
    };
    expect(left(networksOf(e)).map(showProblem)).toEqual([
      'objective.more.of.of.network: found another structure named "critic", expected the structure that "critic" has where it occurs first (give one of them another name)',
    ]);
    const equal = network('critic', dense(1)(input(2)));
    expect([
      ...right(networksOf({ ...small, objective: { more: sqNormOfWeights(equal) } })).keys(),
    ]).toHaveLength(3);
  });
});

describe('setting', () => {
  test.prop([anyExperiment, fc.double({ noNaN: true, noDefaultInfinity: true })])(
    'a hyper-parameter changes it everywhere, and nothing else',
    (e: Experiment, value) => {
      const names = [...hypersOf(e).keys()];
      const changes = Object.fromEntries(names.map((name) => [name, value]));
      const changed = right(setHypers(e, changes));
      expect([...hypersOf(changed)]).toEqual(names.map((name) => [name, value]));
      expect(right(setHypers(changed, Object.fromEntries(hypersOf(e))))).toEqual(e);
    },
  );

  test('all problems at once', () => {
    expect(left(setHypers(small, { etta: 1, eta: Number.NaN, rate: '1e-4' })).map(showProblem)).toEqual([
      '--set etta: found "etta", expected one of eta, rate (did you mean "eta"?)',
      '--set eta: found NaN, expected a finite number',
    ]);
    expect(left(setValues(small, { batch: 1.5, steps: 'many', btach: 3, eta: '' })).map(showProblem)).toEqual(
      [
        '--set batch: found 1.5, expected a positive integer',
        '--set steps: found "many", expected a positive integer',
        '--set btach: found "btach", expected one of eta, rate, data, batch, steps, validation.every, optimizer.rate, optimizer.clipNorm, optimizer.beta1, optimizer.beta2, optimizer.epsilon (did you mean "batch"?)',
        '--set eta: found "", expected a finite number',
      ],
    );
  });

  test('a plain field, by path', () => {
    expect(right(setPath(small, 'optimizer.rate', 0.5)).optimizer.rate).toEqual(constant(0.5));
    expect(right(setPath(small, 'validation.every', '0')).validation.every).toBe(0);
    expect(right(setPath(small, 'data', 'mnist')).data).toBe('mnist');
    expect(left(setPath(small, 'data', '')).map(showProblem)).toEqual([
      '--set data: found "", expected a non-empty string',
    ]);
    const descent = { ...small, optimizer: sgd({ rate: 0.1 }) };
    expect(right(setPath(descent, 'optimizer.momentum', 0.9)).optimizer).toEqual(
      sgd({ rate: 0.1, momentum: 0.9 }),
    );
    expect(right(setPath(descent, 'optimizer.clipNorm', 2)).optimizer).toEqual(
      sgd({ rate: 0.1, clipNorm: 2 }),
    );
    const decaying = { ...small, optimizer: averaged(adamW({ rate: 0.1 })) };
    expect(
      right(
        setValues(decaying, {
          'optimizer.beta2': 0.9,
          'optimizer.weightDecay': 0.5,
          'optimizer.average': 0.5,
          'optimizer.chain[0].nesterov': 'true',
        }),
      ).optimizer,
    ).toEqual(
      averaged(chain(scaleByAdam({ beta2: 0.9, nesterov: true }), weightDecay(0.5), scaleByRate(0.1)), {
        decay: 0.5,
      }),
    );
    expect(left(setPath(descent, 'optimizer.beta1', 0.9))[0]?.expected).toContain('optimizer.momentum');
  });

  test('any number or text of the JSON form, by its path', () => {
    const path = 'networks.encoder.layers[0].units';
    expect(right(setValues(small, { [path]: 7, batch: 2 }))).toMatchObject({
      batch: 2,
      encoder: { layers: [{ tag: 'dense', units: 7 }] },
    });
    expect(left(setValues(small, { [path]: 'many' })).map(showProblem)).toEqual([
      `--set ${path}: found "many", expected a finite number`,
    ]);
    expect(left(setValues(small, { [path]: -1 })).map(showProblem)).toEqual([
      `${path}: found -1, expected a positive integer`,
    ]);
    expect(left(setValues(small, { 'networks.encoder.layers[5].units': 1 })).map(showProblem)).toEqual([
      '--set networks.encoder.layers[5].units: found "networks.encoder.layers[5]", which does not exist, expected an index below 1',
    ]);
    expect(left(setValues(small, { 'networks.encodr.layers[0]': 1 })).map(showProblem)).toEqual([
      expect.stringMatching(/"networks.encodr", which does not exist, .*\(did you mean "encoder"\?\)$/),
    ]);
    expect(left(setValues(small, { 'networks.encoder.layers': 1 })).map(showProblem)).toEqual([
      '--set networks.encoder.layers: found a list, expected the path of a number or a text',
    ]);
  });

  const key = fc.oneof(fc.nat({ max: 99 }), fc.string({ minLength: 1 }));
  test.prop([fc.array(key, { minLength: 1, maxLength: 5 })])('a path is read as it is written', (path) => {
    expect(parsePath(showPath(path))).toEqual(path);
  });

  test('a rate is a positive number', () => {
    expect(left(setValues(small, { 'optimizer.rate': 0 })).map(showProblem)).toEqual([
      '--set optimizer.rate: found 0, expected a positive number',
    ]);
    expect(left(setValues(small, { 'optimizer.rate': 'Infinity' })).map(showProblem)).toEqual([
      '--set optimizer.rate: found "Infinity", expected a positive number',
    ]);
    const descent = { ...small, optimizer: sgd({ rate: hyper('speed', 0.1) }) };
    expect(left(setValues(descent, { speed: -1 })).map(showProblem)).toEqual([
      'optimizer.rate.value: found -1, expected a positive number',
    ]);
  });

  test('a hyper-parameter that others are divided by cannot be 0', () => {
    const e = { ...small, objective: { term: div(1, mul(2, hyper('lambda', 1))) } };
    expect(left(setValues(e, { lambda: 0 })).map(showProblem)).toEqual([
      'objective.term.right: found 0, expected a divisor that is not zero',
    ]);
  });

  test('a field is itself, whatever a hyper-parameter is called', () => {
    const e = { ...small, objective: { term: hyper('batch', 1) } };
    const changed = right(setValues(e, { batch: 2, steps: 3 }));
    expect(changed).toMatchObject({ batch: 2, steps: 3, objective: { term: { value: 1 } } });
    expect(right(setPath(e, 'batch', 4))).toMatchObject({ batch: 4, objective: { term: { value: 1 } } });
  });
});
