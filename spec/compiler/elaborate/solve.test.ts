/** Factors, triangular systems and conjugate gradients against dense linear algebra; failure shows, and nothing runs for ever. */
import { elementAt, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import { createBuilder } from '../../../compiler/ir/builder.js';
import type { Operator, Program, Var } from '../../../compiler/ir/program.js';
import { lowerWasm } from '../../../backends/wasm/lower.js';
import { lowerGraph } from '../../../backends/tensorflow/lower/lower-graph.js';
import { decomposeSolvers } from '../../../backends/tensorflow/lower/solver-decomposition.js';
import { firstJitter } from '../../../compiler/ir/primitives/factorization.js';
import type { Emit } from '../../../compiler/ir/program.js';
import type { Type } from '../../../compiler/ir/type.js';
import { verify } from '../../../compiler/ir/verify.js';
import { runBy, type RunnerName } from '../../shared/backends.js';
import { arrayOf } from '../../shared/expressions.js';
import { smoothValuesIn } from '../../../laws/arbitrary/values.js';
import { type Arrays, interpret } from '../../shared/outputs.js';
import { eachRunner, isThere } from '../../shared/each-runner.js';

const seed = fc.nat(1e6);

const runners: readonly RunnerName[] = ['wasm', 'kernels', 'cpu', 'native', 'cc', 'webgpu'];
const everywhere = ['interpreter', 'decomposed', ...runners] as const;
const canRun = (name: (typeof everywhere)[number]): boolean =>
  name === 'interpreter' || name === 'decomposed' || isThere(name);

const runAnywhere = async (
  name: (typeof everywhere)[number],
  program: Program,
  inputs: Arrays,
): Promise<Arrays> => {
  if (name === 'decomposed') return interpret(decomposeSolvers(program, new Map()).program, inputs);
  return name === 'interpreter' ? interpret(program, inputs) : runBy(name, program, inputs);
};

/** A program of one output over data binders. */
const programOf = (
  batch: number,
  types: Readonly<Record<string, Type>>,
  body: (emit: Emit, values: readonly Var[]) => Var,
): Program => {
  const builder = createBuilder();
  const values = Object.entries(types).map(([name, type]) => builder.bind('data', name, type));
  const out = body(builder.emit, values);
  const program: Program = {
    name: 'matrices',
    batch,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: [{ kind: 'value', name: 'out', var: out }],
  };
  expect(verify(program)).toEqual([]);
  return program;
};

/** v ↦ Aᵀ·A·v with a matrix A[m,n] for each row. */
const normal = (n: number, m: number): Operator => {
  const builder = createBuilder();
  const v = builder.bind('data', 'v', { rows: 1, shape: [n] });
  const a = builder.bind('data', 'a', { rows: 1, shape: [m, n] });
  const column = builder.emit('reshape', { shape: [n, 1] }, [v]);
  const image = builder.emit('matmul', { transposeA: false, transposeB: false }, [a, column]);
  const back = builder.emit('matmul', { transposeA: true, transposeB: false }, [a, image]);
  const out = builder.emit('reshape', { shape: [n] }, [back]);
  return { argument: v, captured: [a], equations: builder.equations(), out };
};

/** x for AᵀA·x = b by Gaussian elimination. */
const dense = (a: Float64Array, b: Float64Array, n: number, m: number): Float64Array => {
  const rows = Array.from({ length: n }, (_, i) =>
    Float64Array.from({ length: n + 1 }, (__, j) => {
      if (j === n) return float64At(b, i);
      let sum = 0;
      for (let k = 0; k < m; k++) sum += float64At(a, k * n + i) * float64At(a, k * n + j);
      return sum;
    }),
  );
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      const factor = float64At(elementAt(rows, j), i) / float64At(elementAt(rows, i), i);
      elementAt(rows, j).forEach((_, k) => {
        elementAt(rows, j)[k] = float64At(elementAt(rows, j), k) - factor * float64At(elementAt(rows, i), k);
      });
    }
  }
  return Float64Array.from(rows, (row, i) => float64At(row, n) / float64At(row, i));
};

const solveProgram = (
  batch: number,
  n: number,
  m: number,
  iterations: number,
  tolerance = 0,
  gives?: 'rounds' | 'residual',
): Program =>
  programOf(batch, { b: { rows: 1, shape: [n] }, a: { rows: 1, shape: [m, n] } }, (emit, values) =>
    emit(
      'solveSPD',
      { operator: normal(n, m), iterations, tolerance, ...(gives === undefined ? {} : { gives }) },
      values,
    ),
  );

/** A[m,n] for each row with a singular value near 1 in each direction, and b. */
const systemOf = (batch: number, n: number, m: number, s: number): Arrays => {
  const a = smoothValuesIn([-0.3, 0.3], batch * m * n, s, 'a').map((x, i) =>
    Math.floor((i % (m * n)) / n) === i % n ? x + 1 : x,
  );
  return new Map([
    ['a', a],
    ['b', smoothValuesIn([-1, 1], batch * n, s, 'b')],
  ]);
};

const expectClose = (found: Float64Array, expected: Float64Array, tolerance: number): void => {
  const scale = Math.max(1, ...expected.map(Math.abs));
  expect(found.length).toBe(expected.length);
  found.forEach((x, i) => expect(Math.abs(x - float64At(expected, i))).toBeLessThan(tolerance * scale));
};

const sizes = fc.record({ n: fc.integer({ min: 1, max: 6 }), extra: fc.nat(3) });

/** The solution of a system and what is left over of it. */
const bothOf = (): Program => {
  const builder = createBuilder();
  const b = builder.bind('data', 'b', { rows: 1, shape: [3] });
  const a = builder.bind('data', 'a', { rows: 1, shape: [3, 3] });
  const params = { operator: normal(3, 3), iterations: 3, tolerance: 0 };
  const solution = builder.emit('solveSPD', params, [b, a]);
  const residual = builder.emit('solveSPD', { ...params, gives: 'residual' }, [b, a]);
  return {
    name: 'both',
    batch: 2,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: Object.entries({ solution, residual }).map(([name, x]) => ({ kind: 'value', name, var: x })),
  };
};

example('what is left over of a system costs no loop beside that of its solution', () => {
  const repeats = lowerWasm(bothOf()).steps.filter(({ tag }) => tag === 'repeat');
  expect(repeats.length).toBe(1);
  const { nodes } = lowerGraph([bothOf()], new Map());
  expect(nodes.filter(({ op }) => op === 'LoopCond').length).toBe(1);
});

describe('conjugate gradients', () => {
  test.prop([sizes, seed])('are exact after as many products as there are unknowns', ({ n, extra }, s) => {
    const m = n + extra;
    const inputs = systemOf(2, n, m, s);
    const found = arrayOf(interpret(solveProgram(2, n, m, n), inputs), 'out');
    for (let row = 0; row < 2; row++) {
      const a = arrayOf(inputs, 'a').subarray(row * m * n, (row + 1) * m * n);
      const b = arrayOf(inputs, 'b').subarray(row * n, (row + 1) * n);
      expectClose(found.subarray(row * n, (row + 1) * n), dense(a, b, n, m), 1e-10);
    }
  });

  eachRunner(runners, (name) => {
    test.prop([sizes, fc.integer({ min: 1, max: 6 }), seed], { numRuns: name === 'native' ? 4 : 15 })(
      `on ${name} agree with the interpreter after any number of products`,
      async ({ n, extra }, iterations, s) => {
        const program = solveProgram(3, n, n + extra, Math.min(iterations, n));
        const inputs = systemOf(3, n, n + extra, s);
        const found = arrayOf(await runBy(name, program, inputs), 'out');
        expectClose(found, arrayOf(interpret(program, inputs), 'out'), 1e-5);
      },
    );
  });

  for (const name of everywhere) {
    example.runIf(canRun(name))(
      `on ${name} stop early for a row that is done, and go on for the others`,
      async () => {
        // A is 1 in the first example and diag(1, 2, 3) in the second.
        const a = [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        const inputs = new Map([
          ['a', Float64Array.from(a)],
          ['b', Float64Array.of(1, 2, 3, 1, 1, 1)],
        ]);
        const found = arrayOf(await runAnywhere(name, solveProgram(2, 3, 3, 50, 1e-5), inputs), 'out');
        expectClose(found, Float64Array.of(1, 2, 3, 1, 1 / 4, 1 / 9), 1e-4);
        for (const [bound, rounds] of [
          [50, 3],
          [2, 2],
        ] as const) {
          const counted = solveProgram(2, 3, 3, bound, 1e-5, 'rounds');
          expect([...arrayOf(await runAnywhere(name, counted, inputs), 'out')]).toEqual([1, rounds]);
        }
      },
    );

    example.runIf(canRun(name))(
      `on ${name} say what is left over of a system that is not solved`,
      async () => {
        // Diag(1, 2, 3) twice: after two products, and after three.
        const a = Float64Array.of(1, 0, 0, 0, 2, 0, 0, 0, 3);
        const inputs = new Map([
          ['a', a],
          ['b', Float64Array.of(1, 1, 1)],
        ]);
        const found = async (bound: number, gives?: 'residual'): Promise<Float64Array> =>
          arrayOf(await runAnywhere(name, solveProgram(1, 3, 3, bound, 0, gives), inputs), 'out');
        const x = await found(2);
        const left = Float64Array.from([1, 4, 9], (square, i) => 1 - square * float64At(x, i));
        expectClose(await found(2, 'residual'), left, 1e-5);
        expect(Math.hypot(...left)).toBeGreaterThan(0.1);
        expectClose(await found(3, 'residual'), Float64Array.of(0, 0, 0), 1e-4);
      },
    );

    example(`on ${name} end with numbers for a singular matrix`, async () => {
      const inputs = new Map([
        ['a', Float64Array.of(1, 0, 0, 0)],
        ['b', Float64Array.of(1, 0)],
      ]);
      const found = arrayOf(await runAnywhere(name, solveProgram(1, 2, 2, 1000), inputs), 'out');
      expectClose(found, Float64Array.of(1, 0), 1e-5);
    });

    example(`on ${name} show a right-hand side that is not a number`, async () => {
      const inputs = new Map([...systemOf(1, 2, 2, 1), ['b', Float64Array.of(NaN, 1)]]);
      const found = arrayOf(await runAnywhere(name, solveProgram(1, 2, 2, 2), inputs), 'out');
      expect([...found]).toEqual([NaN, NaN]);
    });
  }
});

const factorProgram = (batch: number, n: number, jitters: number): Program =>
  programOf(batch, { a: { rows: 1, shape: [n, n] } }, (emit, values) =>
    emit('cholesky', { jitters }, values),
  );

const square = (factor: Float64Array, n: number): Float64Array =>
  factor.map((_, i) => {
    const [row, column] = [Math.floor(i / n), i % n];
    let sum = 0;
    for (let k = 0; k < n; k++) sum += float64At(factor, row * n + k) * float64At(factor, column * n + k);
    return sum;
  });

describe('the Cholesky factor', () => {
  test.prop([fc.integer({ min: 1, max: 6 }), seed])('times its transpose is the matrix', (n, s) => {
    const m = smoothValuesIn([-1, 1], n * n, s, 'm');
    const a = square(m, n).map((x, i) => (i % (n + 1) === 0 ? x + 0.1 : x));
    const factor = arrayOf(interpret(factorProgram(1, n, 0), new Map([['a', a]])), 'out');
    expectClose(square(factor, n), a, 1e-13);
    factor.forEach((x, i) => expect(i % n > Math.floor(i / n) ? x : 0).toBe(0));
  });

  /** diag(2 − lowest, lowest), of mean 1, and the jitter it needs, in units of the first. */
  const cases = [
    { lowest: 0.5, jitter: 0 },
    { lowest: -firstJitter / 4, jitter: 1 },
    { lowest: -firstJitter * 4, jitter: 10 },
    { lowest: -firstJitter * 40, jitter: 100 },
    { lowest: -1, jitter: NaN },
  ];
  for (const name of everywhere) {
    example.runIf(canRun(name))(
      `on ${name} takes the least jitter that helps, and is not a number after the last`,
      async () => {
        const inputs = new Map([
          ['a', Float64Array.from(cases.flatMap(({ lowest }) => [2 - lowest, 0, 0, lowest]))],
        ]);
        const found = arrayOf(await runAnywhere(name, factorProgram(cases.length, 2, 3), inputs), 'out');
        cases.forEach(({ lowest, jitter }, i) => {
          const pivot = float64At(found, 4 * i + 3) ** 2;
          const expected = lowest + jitter * firstJitter;
          if (Number.isNaN(jitter)) expect([0, 2, 3].map((k) => found[4 * i + k])).toEqual([NaN, NaN, NaN]);
          else expect(Math.abs(pivot - expected)).toBeLessThan(1e-5 * Math.max(Math.abs(expected), 1e-2));
        });
      },
    );
  }
});
