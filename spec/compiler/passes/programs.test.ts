/** Passes and lowerings keep the meaning of any program; whatever is equal is computed once. */
import { atLeast, elementAt, last } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect } from 'vitest';
import { type Compiled, compile } from '../../../compiler/compile.js';
import { optimize } from '../../../compiler/pipeline.js';
import { ancestors, atBatch } from '../../../compiler/ir/program.js';
import { eliminateCommonSubexpressions } from '../../../compiler/passes/cse.js';
import { eliminateDeadCode } from '../../../compiler/passes/dce.js';
import { simplify } from '../../../compiler/passes/simplify.js';
import { print } from '../../../compiler/ir/print.js';
import { type Program, type Var } from '../../../compiler/ir/program.js';
import { verify } from '../../../compiler/ir/verify.js';
import type { Experiment } from '../../../dsl/experiment.js';
import { constant } from '../../../dsl/expressions/expression.js';
import type { Network } from '../../../dsl/network.js';
import { sgd } from '../../../dsl/optimizer.js';
import { injFlowLn } from '../../../objectives/injflow.js';
import { agreesInSingle, expectSame, isTame } from '../../shared/agreement.js';
import { activation, allActivations, dense } from '../../../laws/arbitrary/network.js';
import { compilableExperiment } from '../../../laws/arbitrary/experiment.js';
import { runBy, type RunnerName } from '../../shared/backends.js';
import { isThere } from '../../shared/each-runner.js';
import { right } from '../../shared/either.js';
import { feed } from '../../shared/feeding.js';
import { interpret } from '../../shared/outputs.js';

const seed = fc.nat(1e6);

const counts = { passes: 0, wild: 0, kernels: 0, illConditioned: 0 };

const others = ({ evaluate, encode, decode }: Compiled): readonly Program[] => [evaluate, encode, decode];

describe('programs', () => {
  test.prop([compilableExperiment, seed], { numRuns: 300 })(
    'every pass leaves a well-formed program of the same meaning',
    (experiment, s) => {
      const { stages, draws } = right(compile(experiment));
      const [elaborated] = atLeast(1, stages);
      const inputs = feed(elementAt(stages, 1).program, draws, s);
      const results = stages.map(({ pass, program }) => {
        expect(verify(program), pass).toEqual([]);
        return interpret(program, inputs);
      });
      counts.passes++;
      if (!isTame(elementAt(results, 1))) counts.wild++;
      fc.pre(isTame(elementAt(results, 1)));
      expectSame(elementAt(results, 1), elementAt(results, 0), elaborated.pass);
      stages.forEach(({ pass }, i) => expectSame(elementAt(results, i), elementAt(results, 1), pass));
    },
  );

  const passes = { simplify, eliminateCommonSubexpressions, eliminateDeadCode };
  test.prop([compilableExperiment, fc.array(fc.constantFrom(...Object.keys(passes)), { maxLength: 5 })], {
    numRuns: 100,
  })('passes may run in any order and any number', (experiment, order) => {
    const { stages, draws } = right(compile(experiment));
    const { program } = elementAt(stages, 1);
    const inputs = feed(program, draws, 7);
    const expected = interpret(program, inputs);
    fc.pre(isTame(expected));
    const result = order.reduce(
      (p, name) => Object.entries(passes).find(([key]) => key === name)?.[1](p) ?? p,
      program,
    );
    expect(verify(result)).toEqual([]);
    expectSame(interpret(result, inputs), expected, order.join());
  });

  const onBackend = (name: RunnerName, numRuns: number, timeout?: number): void => {
    if (!isThere(name))
      return test.skip(`on ${name} a step computes what the interpreter says`, () => undefined);
    test.prop([compilableExperiment, seed], { numRuns })(
      `on ${name} a step computes what the interpreter says, and leaks nothing`,
      async (experiment, s) => {
        const compiled = right(compile(experiment));
        for (const program of [compiled.step, ...others(compiled)]) {
          const inputs = feed(program, compiled.draws, s);
          const found = await runBy(name, program, inputs);
          counts.kernels++;
          if (!agreesInSingle(program, inputs, found)) counts.illConditioned++;
        }
      },
      timeout,
    );
  };
  onBackend('wasm', 200);
  onBackend('kernels', 60);
  onBackend('cpu', 40);
  onBackend('native', 15);
  // A compiler takes its time where others use the processor too.
  onBackend('cc', 3, 300_000);
  onBackend('webgpu', 8, 300_000);

  test.prop([compilableExperiment], { numRuns: 60 })('equal experiments print equally', (experiment) => {
    const again: Experiment = structuredClone(experiment);
    const [one, other] = [experiment, again].map((e) =>
      right(compile(e)).stages.map((stage) => print(stage.program)),
    );
    expect(other).toEqual(one);
  });

  test.prop([compilableExperiment, fc.integer({ min: 2, max: 50 })], { numRuns: 60 })(
    'whatever is evaluated is one program for any batch',
    (experiment, batch) => {
      const [one, many] = atLeast(
        2,
        [2, batch].map((size) => right(compile({ ...experiment, batch: size }))),
      );
      for (const name of ['evaluate', 'encode', 'decode'] as const)
        expect(print(atBatch(one[name], batch))).toBe(print(many[name]));
    },
  );

  test.prop([compilableExperiment, fc.integer({ min: 1, max: 50 })], { numRuns: 60 })(
    'printing does not depend on the numbers of variables',
    (experiment, offset) => {
      const { step } = right(compile(experiment));
      const renumbered = (x: Var): Var => ({ ...x, id: x.id * 2 + offset });
      const other: Program = {
        ...step,
        binders: step.binders.map((b) => ({ ...b, var: renumbered(b.var) })),
        equations: step.equations.map((eq) => ({
          ...eq,
          inputs: eq.inputs.map(renumbered),
          out: renumbered(eq.out),
        })),
        outputs: step.outputs.map((o) => ({ ...o, var: renumbered(o.var) })),
      };
      expect(print(other)).toBe(print(step));
    },
  );

  const depth = fc.integer({ min: 1, max: 4 });
  const perceptron = (name: string, sizes: readonly number[], activations: readonly number[]): Network => ({
    name,
    input: sizes.slice(0, 1),
    layers: sizes
      .slice(1)
      .flatMap((units, i) => [
        dense(units),
        activation(elementAt(allActivations, elementAt(activations, i))),
      ]),
  });
  test.prop([depth, depth, fc.array(fc.nat(allActivations.length - 1), { minLength: 4, maxLength: 4 })])(
    'a step of InjFlow-ln runs the encoder once, the decoder once and its tangent once',
    (m, l, activations) => {
      const encoder = perceptron('encoder', [5, ...new Array<number>(m - 1).fill(4), 2], activations);
      const decoder = perceptron('decoder', [2, ...new Array<number>(l - 1).fill(4), 5], activations);
      const { step } = right(
        compile({
          encoder,
          decoder,
          objective: injFlowLn(encoder, decoder),
          optimizer: sgd({ rate: constant(0.1) }),
          batch: 3,
          steps: 1,
          data: 'none',
          validation: { every: 0 },
        }),
      );
      const products = step.equations.filter((eq) => eq.primitive === 'linear');
      const draws = new Set(step.binders.flatMap((b) => (b.kind === 'draw' ? [b.var.id] : [])));
      const isTangent = (x: Var): boolean => [...ancestors(step.equations, [x])].some((id) => draws.has(id));
      expect(products.filter((eq) => isTangent(elementAt(eq.inputs, 0)))).toHaveLength(l);
      expect(products.filter((eq) => !isTangent(elementAt(eq.inputs, 0)))).toHaveLength(m + l);
    },
  );

  test.prop([compilableExperiment], { numRuns: 60 })(
    'no two equations of a compiled program are equal',
    (experiment) => {
      const compiled = right(compile(experiment));
      for (const { equations } of [compiled.step, ...others(compiled)]) {
        const keys = equations.map((eq) =>
          JSON.stringify([eq.primitive, eq.params, eq.inputs.map((x) => x.id)]),
        );
        expect(new Set(keys).size).toBe(keys.length);
      }
    },
  );

  test.prop([compilableExperiment], { numRuns: 60 })(
    'optimizing a second time changes nothing',
    (experiment) => {
      const compiled = right(compile(experiment));
      for (const program of [compiled.step, ...others(compiled)]) {
        const again = optimize('again', program);
        expect(print(last(again).program)).toBe(print(program));
      }
    },
  );

  afterAll(() => {
    const { passes: checked, wild, kernels, illConditioned } = counts;
    console.log(
      `programs: ${wild} of ${checked} overflow, ${illConditioned} of ${kernels} runs ill-conditioned`,
    );
    expect(wild).toBeLessThanOrEqual(checked / 2);
    expect(illConditioned).toBeLessThanOrEqual(kernels / 2);
  });
});
