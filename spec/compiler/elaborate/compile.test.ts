/** What compilation refuses, with a path, and what it keeps apart. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../../compiler/index.js';
import { createBuilder } from '../../../compiler/ir/builder.js';
import { constantLike } from '../../../compiler/ir/operations.js';
import { eliminateCommonSubexpressions } from '../../../compiler/passes/cse.js';
import { simplify } from '../../../compiler/passes/simplify.js';
import {
  adam,
  add,
  apply,
  data,
  dataOf,
  dense,
  div,
  type Experiment,
  experiment,
  hyper,
  input,
  log,
  network,
  normal,
  draw,
  objective,
  pipe,
  pow,
  type Expr,
  scale,
  sqNorm,
  sqrt,
  step,
  sub,
} from '../../../dsl/index.js';
import { ae } from '../../../objectives/index.js';
import { feed } from '../../shared/feeding.js';
import { left, right } from '../../shared/either.js';
import { backends, runOn } from '../../shared/backends.js';
import { interpret } from '../../shared/outputs.js';

const encoder = network('encoder', pipe(input(4), dense(2)));
const decoder = network('decoder', pipe(input(2), dense(4)));
const x = dataOf(encoder);

const spec = (changes: Partial<Experiment>): Experiment => ({
  ...experiment({
    encoder,
    decoder,
    objective: ae(encoder, decoder),
    optimizer: adam({ rate: 1e-3 }),
    batch: 3,
    steps: 10,
    data: 'digits',
  }),
  ...changes,
});

const refused = (changes: Partial<Experiment>): readonly string[] =>
  left(compile(spec(changes))).map((p) => p.path);

describe('compilation refuses', () => {
  test('a schedule that is not finite at the first or the last step', () => {
    const late = sqrt(sub(8, step));
    expect(refused({ optimizer: adam({ rate: late }) })).toEqual(['optimizer.rate']);
    expect(refused({ optimizer: adam({ rate: div(1e-3, step) }) })).toEqual(['optimizer.rate']);
    const weighted = objective({ reconstruction: scale(log(sub(step, 1)), sqNorm(x)) });
    expect(refused({ objective: weighted })).toEqual(['objective.reconstruction.by']);
  });

  test('a decoder that does not take the codes, or does not give the data', () => {
    const other = network('decoder', pipe(input(3), dense(4)));
    expect(refused({ decoder: other, objective: objective({ a: sqNorm(apply(encoder, x)) }) })).toEqual([
      'decoder.input',
    ]);
    const wide = network('decoder', pipe(input(2), dense(5)));
    expect(refused({ decoder: wide, objective: objective({ a: sqNorm(apply(encoder, x)) }) })).toEqual([
      'decoder',
    ]);
  });

  test("data of two shapes, and data of another shape than the encoder's where the encoder takes it", () => {
    const both = objective({ a: sqNorm(data(5)), b: sqNorm(x) });
    expect(refused({ objective: both })).toEqual(['objective.b.of.of']);
    const long: Expr = { tag: 'apply', network: encoder, at: data(5), output: '' };
    expect(refused({ objective: objective({ a: sqNorm(long) }) })).toEqual(['objective.a.of.of']);
  });

  test('what the codec refuses, without throwing', () => {
    expect(refused({ batch: 0 })).toEqual(['batch']);
    const block: Expr = { tag: 'slice', of: x, begin: [-1], size: [2] };
    expect(refused({ objective: objective({ a: sqNorm(block) }) })).toEqual(['objective.a.of.of.begin[0]']);
  });
});

test('a decoder outside the objective still decodes', () => {
  const compiled = right(compile(spec({ objective: objective({ a: sqNorm(apply(encoder, x)) }) })));
  expect(compiled.parameters.map(({ name }) => name)).toContain('decoder/0.dense/kernel');
});

test('an infinity and its opposite are not one constant', async () => {
  const { emit, bind, binders, equations } = createBuilder();
  const type = { rows: 1, shape: [2] };
  const y = bind('data', 'data', type);
  const outputs = [
    emit('min', {}, [y, constantLike(emit, Infinity, type)]),
    emit('max', {}, [y, constantLike(emit, -Infinity, type)]),
  ].map((out, i) => ({ kind: 'value' as const, name: String(i), var: out }));
  const program = { name: 'program', batch: 1, binders: binders(), equations: equations(), outputs };
  const inputs = new Map([['data', Float64Array.of(-2, 3)]]);
  const found = await runOn(backends.wasm, eliminateCommonSubexpressions(simplify(program)), inputs);
  expect([...found.values()]).toEqual([Float64Array.of(-2, 3), Float64Array.of(-2, 3)]);
});

test('a step whose next state is not finite is not committed', () => {
  // Finite at both ends of the run, not in the middle.
  const rate = add(1e-3, div(1, sub(step, 5)));
  const compiled = right(compile(spec({ optimizer: adam({ rate }) })));
  const inputs = new Map([...feed(compiled.step, compiled.draws, 1), ['step', Float64Array.of(5)]]);
  expect(interpret(compiled.step, inputs).get('commit')?.[0]).toBe(0);
  const before = new Map([...inputs, ['step', Float64Array.of(4)]]);
  expect(interpret(compiled.step, before).get('commit')?.[0]).toBe(1);
});

test('a whole power has a value and a gradient for negative numbers, and a power of 0 a finite gradient', async () => {
  const square = pow(sub(sqNorm(x), 100), 2);
  const compiled = right(
    compile(spec({ objective: objective({ square, zero: pow(step, hyper('nu', 1.3)) }) })),
  );
  const inputs = new Map([...feed(compiled.step, compiled.draws, 3), ['step', Float64Array.of(0)]]);
  const expected = interpret(compiled.step, inputs);
  const found = await runOn(backends.wasm, compiled.step, inputs);
  expect(found.get('commit')?.[0]).toBe(1);
  expect(found.get('square')?.[0]).toBeCloseTo(expected.get('square')?.[0] ?? NaN, 0);
});

test('feeds of the wrong size are refused with what was expected', async () => {
  const noisy = objective({ a: sqNorm(sub(x, draw('v', normal(4)))) });
  const compiled = right(compile(spec({ objective: noisy })));
  const instance = await backends.wasm.open(new Map([['evaluate', compiled.evaluate]]), new Map());
  const before = backends.wasm.liveCount();
  const feeds = new Map([
    ['data', new Float32Array(5)],
    ['v', new Float32Array(12)],
  ]);
  await expect(instance.run('evaluate', feeds)).rejects.toThrow(
    'evaluate.data: found 5 values, expected 12 values',
  );
  expect(backends.wasm.liveCount()).toBe(before);
  instance.dispose();
});
