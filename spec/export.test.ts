/** Laws of exports: what other runtimes load gives the numbers that the compiler's own backend gives, for any batch size. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setBackend, Tensor, tensor } from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import spec from '../examples/digits.js';
import { createBuilder } from '../compiler/builder.js';
import { compile, type Program } from '../compiler/index.js';
import type { Var } from '../compiler/program.js';
import { exportProgram } from '../runtime/export.js';
import { initialState } from '../training/state.js';
import { right } from './either.js';
import { backends } from './backends.js';

/** Examples compiled for; the exports are called with another number. */
const compiledBatch = 4;
const count = 3;

const compiled = right(compile({ ...spec, batch: compiledBatch }));
const weights = new Map([...initialState(compiled, 3).arrays].map(([name, { data }]) => [name, data]));
const folder = mkdtempSync(join(tmpdir(), 'immersion-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const widthOf = (program: Program): number =>
  program.binders.filter((b) => b.kind === 'data')[0].var.type.shape.reduce((a, b) => a * b, 1);

/** What a program gives on its own backend for `count` examples. */
const expected = async (program: Program, output: string, values: Float32Array): Promise<Float32Array> => {
  const instance = await backends.wasm.open(new Map([[program.name, program]]), weights);
  const padded = new Float32Array(compiledBatch * widthOf(program));
  padded.set(values);
  const results =
    (await instance.run(program.name, new Map([['data', padded]]))).get(output) ?? new Float32Array();
  instance.dispose();
  return results.slice(0, (results.length / compiledBatch) * count);
};

/** Constants that fill the batch, and groups of equations that a session has operations of TensorFlow's own for. */
const idioms = ((): Program => {
  const { bind, emit, binders, equations } = createBuilder();
  const type = { rows: 1, shape: [3] };
  const filled = (value: number): Var => emit('constant', { value, ...type }, []);
  const shared = emit('constant', { value: 0.5, rows: 0, shape: [3] }, []);
  const squares = emit('reduceSum', { axes: [0] }, [emit('mul', {}, [shared, shared])]);
  const x = bind('data', 'data', type);
  const y = emit('tanh', {}, [x]);
  const slope = emit('sub', {}, [filled(1), emit('mul', {}, [y, y])]);
  const change = emit('select', {}, [emit('greater', {}, [x, filled(0.5)]), filled(0.25), x]);
  const parts = [emit('mul', {}, [slope, change]), filled(2)];
  const scale = emit('spread', { rows: 1 }, [emit('broadcast', { shape: [6], axes: [] }, [squares])]);
  const out = emit('mul', {}, [emit('concat', { axis: 0 }, parts), scale]);
  const outputs = [{ kind: 'value', name: 'out', var: out }] as const;
  return { name: 'idioms', batch: compiledBatch, binders: binders(), equations: equations(), outputs };
})();

const cases = [
  { program: compiled.encode, output: 'code' },
  { program: compiled.decode, output: 'data' },
  { program: idioms, output: 'out' },
].map(({ program, output }) => ({
  name: program.name,
  program,
  output,
  shape: program.binders.filter((b) => b.kind === 'data')[0].var.type.shape,
  values: Float32Array.from({ length: count * widthOf(program) }, (_, i) => Math.sin(i) / 2 + 0.5),
}));

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce(
    (most, x, i) => Math.max(most, Math.abs(x - b[i])),
    a.length === b.length ? 0 : Infinity,
  );

describe('exports', () => {
  beforeAll(async () => {
    for (const { program } of cases) {
      right(await exportProgram(program, weights, 'saved-model', join(folder, 'saved', program.name)));
      right(await exportProgram(program, weights, 'graph-model', join(folder, 'graph', program.name)));
    }
  });

  test.each(cases)(
    'the GraphModel of $name gives the same values in tfjs-converter',
    async ({ name, program, output, shape, values }) => {
      await setBackend('wasm');
      const read = (file: string): Buffer => readFileSync(join(folder, 'graph', name, file));
      const { modelTopology, weightsManifest, signature } = JSON.parse(read('model.json').toString());
      const bytes = read('weights.bin');
      const weightData = new Uint8Array(bytes).buffer;
      const model = await loadGraphModel({
        load: () =>
          Promise.resolve({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData, signature }),
      });
      const result = model.predict(tensor(values, [count, ...shape]));
      if (!(result instanceof Tensor)) throw new Error('expected one tensor');
      expect(largestDifference(await expected(program, output, values), result.dataSync())).toBeLessThan(
        1e-5,
      );
      model.dispose();
    },
  );

  const python = process.env['IMMERSION_PYTHON'];
  test.skipIf(python === undefined).each(cases)(
    "the SavedModel of $name gives the same values in Python's TensorFlow (IMMERSION_PYTHON names an interpreter that has it)",
    async ({ name, program, output, shape, values }) => {
      const input = join(folder, `${name}.json`);
      writeFileSync(input, JSON.stringify({ shape: [count, ...shape], values: [...values], output }));
      const script = [
        'import json, sys, numpy as np, tensorflow as tf',
        'case = json.load(open(sys.argv[2]))',
        'x = tf.constant(np.array(case["values"], np.float32).reshape(case["shape"]))',
        'call = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]',
        'print(json.dumps(call(data=x)[case["output"]].numpy().ravel().tolist()))',
      ].join('\n');
      const run = spawnSync(python ?? '', ['-c', script, join(folder, 'saved', name), input], {
        encoding: 'utf8',
      });
      expect(run.stderr.includes('Traceback') ? run.stderr : '').toBe('');
      const result: unknown = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '[]');
      expect(
        Array.isArray(result) && largestDifference(await expected(program, output, values), result),
      ).toBeLessThan(1e-5);
    },
    120_000,
  );

  test('an existing folder is left alone', async () => {
    const [{ program }] = cases;
    const before = readFileSync(join(folder, 'graph', program.name, 'model.json'));
    const again = await exportProgram(program, weights, 'graph-model', join(folder, 'graph', program.name));
    expect(again._tag).toBe('Left');
    expect(readFileSync(join(folder, 'graph', program.name, 'model.json')).equals(before)).toBe(true);
  });
});
