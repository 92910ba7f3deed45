/** Values and two derivatives stay finite far out, at zero and at ties, on every backend. */
import { test } from 'vitest';
import { describe, expect } from 'vitest';
import { compile } from '../../../compiler/compile.js';
import { differentiate } from '../../../compiler/derivatives/differentiate.js';
import { createContext } from '../../../compiler/elaborate/context.js';
import { createElaborate } from '../../../compiler/elaborate/expression.js';
import { elaborateStep } from '../../../compiler/elaborate/program.js';
import { pushForward } from '../../../compiler/derivatives/forward.js';
import { constantLike } from '../../../compiler/ir/operations.js';
import type { Program, Var } from '../../../compiler/ir/program.js';
import { pullBack } from '../../../compiler/derivatives/reverse.js';
import { verify } from '../../../compiler/ir/verify.js';
import type { Experiment, Objective } from '../../../dsl/experiment.js';
import type { Node } from '../../../dsl/expressions/expression.js';
import { abs, constant, exp, max, min, norm, square, sum } from '../../../dsl/expressions/expression.js';
import type { Expr } from '../../../dsl/expressions/expression.js';
import type { NetworkValue } from '../../../dsl/network.js';
import { adam } from '../../../dsl/optimizer.js';
import { injFlow, injFlowLn } from '../../../objectives/injflow.js';
import { activation, allActivations, dense } from '../../../laws/arbitrary/network.js';
import { everywhere as onAll } from '../../shared/backends.js';
import { right } from '../../shared/either.js';
import { arrayOf, free } from '../../shared/expressions.js';
import { feed } from '../../shared/feeding.js';
import { type Arrays, gradientName, interpret } from '../../shared/outputs.js';

/** Runs a program everywhere and gives each run's outputs. */
const everywhere = async (
  program: Program,
  inputs: Arrays,
): Promise<readonly (readonly [string, Arrays])[]> => [
  ['interpreter', interpret(program, inputs)],
  ...(await onAll(program, inputs)),
];

const expectFinite = (arrays: Arrays, where: string): void => {
  for (const [name, values] of arrays)
    expect(
      [...values].filter((y) => !Number.isFinite(y)),
      `${where}: ${name}`,
    ).toEqual([]);
};

const points = Float64Array.of(1e4, -1e4, 1e3, -1e3, 88.8, -88.8, 0, -0, 1, -1);
const data: Expr<readonly []> = { tag: 'data', shape: [] };

/** A function's value and its first two derivatives, forward over forward and reverse over forward. */
const jet = (node: Node): Program => {
  const context = createContext(createElaborate, 'train', points.length);
  const { builder } = context;
  const y = createElaborate(context)(node, 'y');
  const argument = context.builder.bind('data', 'data', { rows: 1, shape: [] });
  if (y === null) throw new Error(JSON.stringify(context.problems));
  const one = constantLike(builder.emit, 1, argument.type);
  const derivative = (of: Var): Var => {
    const [t] = pushForward(
      builder.emit,
      builder.equations(),
      [{ primal: argument, tangent: one }],
      [of],
      false,
    );
    return t ?? constantLike(builder.emit, 0, argument.type);
  };
  const first = derivative(y);
  const [second] = pullBack(builder, [argument], [first], [one], false);
  const outputs = {
    y,
    first,
    forward: derivative(first),
    reverse: second ?? constantLike(builder.emit, 0, argument.type),
  };
  const program: Program = {
    name: 'jet',
    batch: points.length,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: Object.entries(outputs).map(([name, x]) => ({ kind: 'value', name, var: x })),
  };
  expect(verify(program)).toEqual([]);
  return program;
};

describe('far out', () => {
  const functions: Readonly<Record<string, Node>> = {
    ...Object.fromEntries(
      allActivations.map((name): readonly [string, Node] => [
        name,
        {
          tag: 'apply',
          network: { name, input: [], layers: [activation(name)] },
          at: data,
          output: '',
        },
      ]),
    ),
    exp: exp(data),
    abs: abs(data),
    square: square(data),
  };
  for (const [name, node] of Object.entries(functions)) {
    test(`${name} and its first two derivatives are finite`, async () => {
      for (const [where, arrays] of await everywhere(jet(node), new Map([['data', points]])))
        expectFinite(arrays, where);
    });
  }
});

const training = (objective: Objective, encoder: NetworkValue, decoder: NetworkValue): Experiment => ({
  encoder,
  decoder,
  objective,
  optimizer: adam({ rate: constant(1e-3) }),
  batch: 3,
  steps: 1,
  data: 'none',
  validation: { every: 0 },
});

describe('at zero', () => {
  const encoder: NetworkValue = {
    name: 'encoder',
    input: [4],
    layers: [dense(5), activation('elu'), dense(2)],
  };
  const decoder: NetworkValue = {
    name: 'decoder',
    input: [2],
    layers: [dense(5), activation('elu'), dense(4)],
  };
  for (const [name, objective] of Object.entries({ injFlow, injFlowLn })) {
    test(`a step of ${name} is finite where Jv = 0`, async () => {
      const { step, draws } = right(compile(training(objective(encoder, decoder), encoder, decoder)));
      const inputs = new Map(
        [...feed(step, draws, 1)].map(([key, values]) => [
          key,
          key.startsWith('decoder/') ? values.map(() => 0) : values,
        ]),
      );
      for (const [where, arrays] of await everywhere(step, inputs)) {
        expectFinite(arrays, where);
        expect([...arrayOf(arrays, 'commit')], where).toEqual([1]);
      }
    });
  }

  /** Gradients of a term in free vectors p and q of two elements. */
  const gradients = (term: Node, p: readonly number[], q: readonly number[]) => {
    const { program } = elaborateStep(training({ term }, encoder, decoder));
    const given = new Map([
      ['p', Float64Array.from(p)],
      ['q', Float64Array.from(q)],
    ]);
    const results = interpret(differentiate(program), given);
    return (name: string): readonly number[] => [...arrayOf(results, gradientName(name))];
  };
  const [p, q] = [free('p', 2), free('q', 2)];

  test('the derivative of a norm is 0 at 0', () => {
    expect(gradients(norm(p), [0, 0], [])('p')).toEqual([0, 0]);
  });

  test('the tie of a maximum goes to its first argument', () => {
    const gradient = gradients(sum(max(p, q)), [1, 2], [1, 3]);
    expect([gradient('p'), gradient('q')]).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test('the tie of a minimum goes to its first argument', () => {
    const gradient = gradients(sum(min(p, q)), [1, 2], [1, 1]);
    expect([gradient('p'), gradient('q')]).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});
