/** Getting ready takes time near-linear in a program's length: laws that count work, since a clock depends on the machine. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Backend, createWasmBackend, initialState } from 'immersion/runs';
import { lowerWasm } from '../../../backends/index.js';
import type { Program } from '../../../compiler/index.js';
import { type Compiled, compile } from '../../../compiler/index.js';
import { createBuilder } from '../../../compiler/ir/builder.js';
import { createPlan } from '../../../compiler/loops/builder.js';
import { clusterProgram } from '../../../compiler/loops/cluster.js';
import { clearedOutputs, directStores, reorderable } from '../../../compiler/loops/dependence.js';
import type { LoopKernel, Store } from '../../../compiler/loops/loop.js';
import type { Nest } from '../../../compiler/loops/nest.js';
import { simplify } from '../../../compiler/passes/simplify.js';
import { nestsOf } from '../../../backends/wasm/schedule.js';
import { adam, dense, experiment, input, network, pipe, tanh } from '../../../dsl/index.js';
import type { NetworkValue } from '../../../dsl/network.js';
import { injFlowLn } from '../../../objectives/index.js';

/** The network with its hidden layer `depth` times over. */
const deepened = <N extends NetworkValue>(net: N, depth: number): N => {
  const [first, activation, inner, last] = net.layers;
  const middle = Array.from({ length: depth - 1 }, () => [inner, activation]).flat();
  return { ...net, layers: [first, activation, ...middle, last].flatMap((layer) => layer ?? []) };
};

const compiled = (depth: number): Compiled => {
  const encoder = deepened(network('encoder', pipe(input(3), dense(2), tanh, dense(2), dense(1))), depth);
  const decoder = deepened(network('decoder', pipe(input(1), dense(2), tanh, dense(2), dense(3))), depth);
  const objective = injFlowLn(encoder, decoder);
  const result = compile(
    experiment({
      encoder,
      decoder,
      objective,
      optimizer: adam({ rate: 1e-3 }),
      batch: 2,
      steps: 1,
      data: 'x',
    }),
  );
  if (isLeft(result)) throw new Error('a perceptron does not compile');
  return result.right;
};

/** The program, and how often a pass has looked at one of its equations. */
const watched = (program: Program): { readonly program: Program; readonly looks: () => number } => {
  let looks = 0;
  const equations = program.equations.map((eq) => ({
    ...eq,
    get inputs() {
      looks += 1;
      return eq.inputs;
    },
    get out() {
      looks += 1;
      return eq.out;
    },
  }));
  return { program: { ...program, equations }, looks: () => looks };
};

const depths = [16, 32, 64] as const;

/** A function whose work may at most double, but for a logarithm, where what it is given doubles. */
const expectNearLinear = (work: readonly number[]): void => {
  for (const [i, count] of work.entries()) {
    const before = work[i - 1];
    expect(count).toBeGreaterThan(0);
    if (before !== undefined) expect(count / before).toBeLessThanOrEqual(2.2);
  }
};

describe('doubling the depth of a perceptron', () => {
  let steps: readonly Program[];
  beforeAll(() => {
    steps = depths.map((depth) => compiled(depth).step);
  });

  test('doubles what is looked at between items that fuse', () => {
    expectNearLinear(steps.map((step) => clusterProgram(step, { arrays: 1000 }).visits));
  });

  test('doubles how often lowering looks at equations', () => {
    expectNearLinear(
      steps.map((step) => {
        const { program, looks } = watched(step);
        lowerWasm(program);
        return looks();
      }),
    );
  });

  test('doubles how often liveness looks at buffers', () => {
    expectNearLinear(
      [64, 128, 256].map((count) => {
        let looks = 0;
        const plan = createPlan();
        const seen = (x: { readonly buffer: number; readonly shape: readonly number[] }) => ({
          get buffer() {
            looks += 1;
            return x.buffer;
          },
          shape: x.shape,
        });
        let x = plan.input('x', [1]);
        for (let i = 0; i < count; i++) x = plan.kernel('Neg', { x: seen(x) }, {}, [1]);
        plan.finish([{ kind: 'value', name: 'y', operand: x }]);
        return looks;
      }),
    );
  });
});

test('doubling the stores of a loop doubles how often dependence analysis looks at them', () => {
  const sum = (buffer: number): Store => ({ buffer, offset: 0, strides: [1, 0], value: 0, mode: 'add' });
  expectNearLinear(
    [64, 128, 256].map((count) => {
      let looks = 0;
      const stores = Array.from({ length: count }, (_, buffer) => ({
        ...sum(buffer),
        get buffer() {
          looks += 1;
          return buffer;
        },
      }));
      const kernel: LoopKernel = {
        extents: [3, 5],
        loads: [{ buffer: 0, offset: 0, strides: [5, 1] }],
        body: [{ op: 'load', load: 0 }],
        stores,
        outputs: stores.map(() => 3),
      };
      const nest: Nest = { ...kernel, mode: 'vector' };
      reorderable(nest);
      const nests = nestsOf(kernel);
      clearedOutputs(kernel, nests, directStores(kernel, nests));
      return looks;
    }),
  );
});

describe('a program that is longer than a stack of calls or a list of parameters', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createWasmBackend();
  });

  test('a chain of operations is simplified and lowered', () => {
    const { bind, emit, binders, equations } = createBuilder();
    let x = bind('data', 'x', { rows: 1, shape: [3] });
    for (let i = 0; i < 150_000; i++) x = emit('tanh', {}, [x]);
    const program: Program = {
      name: 'chain',
      batch: 2,
      binders: binders(),
      equations: equations(),
      outputs: [{ kind: 'value', name: 'y', var: x }],
    };
    expect(lowerWasm(simplify(program)).steps).toHaveLength(1);
  });

  test('a loop that would read more arrays than a function has parameters runs as several', async () => {
    const all = compiled(256);
    const instance = await backend.open(
      new Map([['step', all.step]]),
      new Map([...initialState(all, 1).arrays].map(([name, { data }]) => [name, data])),
    );
    const feeds = new Map(
      all.step.binders.flatMap(({ kind, name, var: { type } }) =>
        kind === 'data' || kind === 'draw'
          ? [[name, new Float32Array(2 * type.shape.reduce((a, b) => a * b, 1)).fill(0.5)] as const]
          : kind === 'scalar'
            ? [[name, Float32Array.of(1)] as const]
            : [],
      ),
    );
    const outputs = await instance.run('step', feeds);
    expect(outputs.telemetry.get('commit')).toEqual(Float32Array.of(1));
    instance.dispose();
  });
});
