/** Gradients agree with differences, also those of objectives that hold a derivative. */
import { elementAt, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect } from 'vitest';
import { differentiate } from '../../../compiler/derivatives/differentiate.js';
import { elaborateStep } from '../../../compiler/elaborate/program.js';
import type { Value } from '../../../compiler/ir/primitive.js';
import type { Program } from '../../../compiler/ir/program.js';
import { evaluateEquation } from '../../../compiler/ir/primitive-table.js';
import type { Experiment, Objective } from '../../../dsl/experiment.js';
import type { Expr } from '../../../dsl/expressions/expression.js';
import { add, constant, log, sqNorm } from '../../../dsl/expressions/expression.js';
import type { ActivationName, Layer, Statistics } from '../../../dsl/layers/layer.js';
import type { NetworkValue } from '../../../dsl/network.js';
import { sgd } from '../../../dsl/optimizer.js';
import { mapExpressions } from '../../../dsl/expressions/rewrite.js';
import type { Shape } from '../../../dsl/shape.js';
import { activation, dense, everything, type Kit } from '../../../laws/arbitrary/network.js';
import { experimentsOf } from '../../../laws/arbitrary/experiment.js';
import { smoothValuesIn } from '../../../laws/arbitrary/values.js';
import { arrayOf, calculation, direction, jvp, vjp, x } from '../../shared/expressions.js';
import { feed } from '../../shared/feeding.js';
import { dot } from '../../shared/moments.js';
import { type Arrays, gradientName, interpret } from '../../shared/outputs.js';

const seed = fc.nat(1e6);

/** Which way every equation with a kink goes; two points with the same ways lie in one smooth piece. */
const branches = (program: Program, inputs: Arrays): string | null => {
  const values = new Map<number, Value>(
    program.binders.map(({ name, var: x1 }) => [x1.id, { type: x1.type, data: arrayOf(inputs, name) }]),
  );
  const ways: number[] = [];
  for (const eq of program.equations) {
    const operands = eq.inputs.flatMap((y) => values.get(y.id) ?? []);
    const dataOf = (i: number): Float64Array => elementAt(operands, i).data;
    if (eq.primitive === 'elu') ways.push(...dataOf(0).map((y) => (y > 0 ? 1 : 0)));
    if (eq.primitive === 'max' || eq.primitive === 'min' || eq.primitive === 'greater') {
      ways.push(...dataOf(0).map((y, i) => Math.sign(y - float64At(dataOf(1), i))));
    }
    // The root has no derivative at 0, and large ones beside it.
    if (eq.primitive === 'sqrt' && dataOf(0).some((y) => y < 1e-4)) return null;
    values.set(eq.out.id, { type: eq.out.type, data: evaluateEquation(eq, operands, program.batch) });
  }
  return ways.join('');
};

const counts = { points: 0, rejected: 0 };

/** Compares the gradient of the loss along a random direction with five-point differences; false where they say nothing. */
const agrees = (experiment: Experiment, s: number): boolean => {
  const { program: objective, context } = elaborateStep(experiment);
  expect(context.problems).toEqual([]);
  const program = differentiate(objective);
  const inputs = feed(program, [...context.draws.values()], s);
  const parameters = program.binders.flatMap((b) => (b.kind === 'parameter' ? [b.name] : []));
  const along = new Map(
    parameters.map((name) => [
      name,
      smoothValuesIn([-1, 1], arrayOf(inputs, name).length, s, `along ${name}`),
    ]),
  );
  const at = (h: number): Arrays =>
    new Map(
      [...inputs].map(([name, values]) => {
        const by = along.get(name);
        return [name, by === undefined ? values : values.map((y, i) => y + h * float64At(by, i))];
      }),
    );
  const loss = (h: number): number => float64At(arrayOf(interpret(objective, at(h)), 'loss'), 0);
  const slope = (h: number): number => (loss(-2 * h) - 8 * loss(-h) + 8 * loss(h) - loss(2 * h)) / (12 * h);
  const gradients = interpret(program, inputs);
  const pairs = parameters.map((name) => ({
    gradient: arrayOf(gradients, gradientName(name)),
    by: along.get(name) ?? new Float64Array(),
  }));
  const norm = Math.sqrt(pairs.reduce((total, { gradient }) => total + dot(gradient, gradient), 0));
  const found = pairs.reduce((total, { gradient, by }) => total + dot(gradient, by), 0);
  const h = 2e-4;
  const [fine, coarse] = [slope(h), slope(2 * h)];
  const tolerance = 1e-6 * norm + 1e-9 * Math.max(1, Math.abs(loss(0)));
  const ways = [-4 * h, 0, 4 * h].map((t) => branches(objective, at(t)));
  counts.points++;
  if (ways.some((w) => w === null || w !== ways[0]) || !(Math.abs(fine - coarse) < tolerance)) {
    counts.rejected++;
    return false;
  }
  expect(Math.abs(found - fine)).toBeLessThan(tolerance);
  return true;
};

const training = (
  objective: Objective,
  nets: readonly [NetworkValue, NetworkValue],
  batch = 2,
): Experiment => ({
  encoder: nets[0],
  decoder: nets[1],
  objective,
  optimizer: sgd({ rate: constant(0.1) }),
  batch,
  steps: 1,
  data: 'none',
  validation: { every: 0 },
});

const smooth: readonly ActivationName[] = ['tanh', 'sigmoid', 'elu', 'softplus', 'silu', 'gelu'];

const convolution = (tag: 'conv' | 'convTranspose', stride: number): Layer => ({
  tag,
  filters: 2,
  kernel: 3,
  stride,
  padding: 'same',
  bias: true,
  initializer: { tag: 'glorotUniform' },
});

const batchNorm = (statistics: Statistics): Layer => ({
  tag: 'batchNorm',
  statistics,
  momentum: 0.9,
  epsilon: 0.1,
});

/** Layers on a picture [2,2,1] of which the first derivative is to be differentiated again. */
const networks: Readonly<Record<string, readonly Layer[]>> = {
  ...Object.fromEntries(
    smooth.map((name): readonly [string, readonly Layer[]] => [name, [{ tag: 'flatten' }, dense(3), activation(name), dense(4)]]),
  ),
  conv: [convolution('conv', 1), activation('tanh'), convolution('conv', 2)],
  convTranspose: [convolution('convTranspose', 2), activation('tanh'), convolution('convTranspose', 1)],
  'batchNorm with constant statistics': [
    convolution('conv', 1), batchNorm('constant'), activation('tanh'), convolution('conv', 1),
  ],
  'batchNorm with differentiated statistics': [
    convolution('conv', 1), batchNorm('differentiated'), activation('tanh'), convolution('conv', 1),
  ],
}; // prettier-ignore

/** The two kinds of objectives that hold a derivative. */
const holding = (net: NetworkValue, to: Shape): Readonly<Record<string, Expr>> => ({
  jvp: jvp(net, x([2, 2, 1]), direction('v', [2, 2, 1])),
  vjp: vjp(net, x([2, 2, 1]), direction('w', to)),
  'jvp with probes': jvp(net, x([2, 2, 1]), direction('V', [2, 2, 1], 2)),
  'vjp with probes': vjp(net, x([2, 2, 1]), direction('W', to, 2)),
});

const outputShape = (layers: readonly Layer[]): Shape => {
  const net: NetworkValue = { name: 'net', input: [2, 2, 1], layers };
  const { program } = calculation({ y: { tag: 'apply', network: net, at: x([2, 2, 1]), output: '' } });
  return elementAt(program.outputs, 0).var.type.shape;
};

describe('the gradient', () => {
  for (const [name, layers] of Object.entries(networks)) {
    const net: NetworkValue = { name: 'net', input: [2, 2, 1], layers };
    for (const [kind, derivative] of Object.entries(holding(net, outputShape(layers)))) {
      test.prop([seed], { numRuns: 15 })(
        `of an objective that holds a ${kind} of a network with ${name}`,
        (s) => {
          fc.pre(agrees(training({ volume: log(add(0.1, sqNorm(derivative))) }, [net, net], 3), s));
        },
      );
    }
  }

  const kit: Kit = { ...everything, activations: smooth, spectral: false };
  test.prop([experimentsOf(kit), seed], { numRuns: 150 })(
    'of any objective without stop',
    (experiment, s) => {
      agrees(
        mapExpressions(experiment, (node) => (node.tag === 'stop' ? node.of : node)),
        s,
      );
    },
  );

  afterAll(() => {
    console.log(`gradients: ${counts.rejected} of ${counts.points} points near a kink or ill-conditioned`);
    expect(counts.rejected).toBeLessThanOrEqual(counts.points / 2);
  });

  test.prop([seed], { numRuns: 20 })('d/dW of ‖Jᵀv‖² of a tanh MLP, weight by weight', (s) => {
    const net: NetworkValue = {
      name: 'net',
      input: [3],
      layers: [dense(4), activation('tanh'), dense(2), activation('tanh')],
    };
    const { program: objective } = elaborateStep(
      training({ penalty: sqNorm(vjp(net, x([3]), direction('v', [2]))) }, [net, net]),
    );
    const program = differentiate(objective);
    const inputs = feed(program, [], s);
    const gradients = interpret(program, inputs);
    for (const { kind, name } of program.binders) {
      if (kind !== 'parameter') continue;
      const gradient = arrayOf(gradients, gradientName(name));
      gradient.forEach((g, i) => {
        const loss = (h: number): number => {
          const moved = arrayOf(inputs, name).map((w, k) => (k === i ? w + h : w));
          return float64At(arrayOf(interpret(objective, new Map([...inputs, [name, moved]])), 'loss'), 0);
        };
        const h = 1e-3;
        const slope = (loss(-2 * h) - 8 * loss(-h) + 8 * loss(h) - loss(2 * h)) / (12 * h);
        expect(Math.abs(g - slope)).toBeLessThan(1e-8 * Math.max(1, Math.abs(slope)));
      });
    }
  });
});
