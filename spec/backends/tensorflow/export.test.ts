/** Laws of exports: what other runtimes load gives the numbers that the compiler's own backend gives, for any batch size. */
import { elementAt, entryOf } from '../../../dsl/lookup.js';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setBackend, Tensor, tensor } from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import spec from '../../../examples/digits.js';
import { createBuilder } from '../../../compiler/ir/builder.js';
import { compile, type Program } from '../../../compiler/index.js';
import type { Var } from '../../../compiler/ir/program.js';
import { generateSplit, linear } from '../../../data/index.js';
import * as d from '../../../dsl/index.js';
import { logNormal, rectangularExact } from '../../../objectives/index.js';
import { exportProgram } from '../../../backends/tensorflow/export.js';
import { fit, type Fitted } from '../../../runs/index.js';
import { initialState } from '../../../runs/model/state.js';
import { json, run } from '../../shared/command.js';
import { right } from '../../shared/either.js';
import { backends } from '../../shared/backends.js';

/** Examples compiled for; the exports are called with another number. */
const compiledBatch = 4;
const count = 3;

const compiled = right(compile({ ...spec, batch: compiledBatch }));
const weights = new Map([...initialState(compiled, 3).arrays].map(([name, { data }]) => [name, data]));
const folder = mkdtempSync(join(tmpdir(), 'immersion-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const widthOf = (program: Program): number =>
  elementAt(
    program.binders.filter((b) => b.kind === 'data'),
    0,
  ).var.type.shape.reduce((a, b) => a * b, 1);

/** What a program gives on its own backend for `count` examples. */
const expected = async ({ program, weights: own, values }: Case, output: string): Promise<Float32Array> => {
  const instance = await backends.wasm.open(new Map([[program.name, program]]), own);
  const padded = new Float32Array(compiledBatch * widthOf(program));
  padded.set(values);
  const results =
    (await instance.run(program.name, new Map([['data', padded]]))).value.get(output) ?? new Float32Array();
  instance.dispose();
  return results.slice(0, (results.length / compiledBatch) * count);
};

/** Constants that fill the batch, and groups of equations that a session has operations of TensorFlow's own for. */
const idioms = ((): Program => {
  const { bind, emit, binders, equations } = createBuilder();
  const type = { rows: 1, shape: [3] };
  const filled = (value: number): Var => emit('constant', { value, ...type }, []);
  const shared = emit('constant', { value: 0.5, rows: 0, shape: [3] }, []);
  const squares = emit('reduce', { op: 'add', axes: [0] }, [emit('mul', {}, [shared, shared])]);
  const x = bind('data', 'data', type);
  const y = emit('tanh', {}, [x]);
  const slope = emit('sub', {}, [filled(1), emit('mul', {}, [y, y])]);
  const change = emit('select', {}, [emit('greater', {}, [x, filled(0.5)]), filled(0.25), x]);
  const parts = [emit('mul', {}, [slope, change]), filled(2)];
  const scale = emit('broadcastBatch', { rows: 1 }, [emit('broadcast', { shape: [6], axes: [] }, [squares])]);
  const out = emit('mul', {}, [emit('concat', { axis: 0 }, parts), scale]);
  const outputs = [{ kind: 'value', name: 'out', var: out }] as const;
  return { name: 'idioms', batch: compiledBatch, binders: binders(), equations: equations(), outputs };
})();

/** A rectangular flow in [D] with a density, trained for a moment: systems of the weights and a factor of JᵀJ for each example. */
const rectangularFlow = async (dimension: number, codimension: number): Promise<Fitted> => {
  const D = dimension + codimension;
  const flow = d.network(
    'flow',
    d.pipe(
      d.latent(dimension),
      d.luLinear,
      d.inject(D),
      d.coupling({ conditioner: (half) => d.pipe(half, d.dense(8), d.tanh) }),
      d.luLinear,
      d.coupling({ part: 'first', conditioner: (half) => d.pipe(half, d.dense(8), d.tanh) }),
    ),
  );
  const inverse = d.invert(flow);
  const z = d.apply(inverse, d.data(D));
  const linearData = right(linear.make({ dimension, codimension }));
  return right(
    await fit(
      d.experiment({
        encoder: inverse,
        decoder: flow,
        objective: rectangularExact(inverse, flow),
        logDensity: d.sub(logNormal(dimension)(z), d.volume(flow, z, { method: 'exact' })),
        optimizer: d.adam({ rate: 1e-2 }),
        batch: compiledBatch,
        steps: 20,
        data: 'linear',
        validation: { every: 0 },
      }),
      {
        data: generateSplit(linearData, { count: 100, test: 10, validation: 0, seed: 0 }),
        backend: backends.wasm,
      },
    ),
  );
};

type Case = {
  readonly name: string;
  readonly program: Program;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly outputs: readonly string[];
  readonly shape: readonly number[];
  readonly values: Float32Array;
};

const caseOf = (program: Program, of = weights, name = program.name): Case => ({
  name,
  program,
  weights: of,
  outputs: program.outputs.map((o) => o.name),
  shape: elementAt(
    program.binders.filter((b) => b.kind === 'data'),
    0,
  ).var.type.shape,
  values: Float32Array.from({ length: count * widthOf(program) }, (_, i) => Math.sin(i) / 2 + 0.5),
});

const flows = await Promise.all([rectangularFlow(1, 1), rectangularFlow(3, 2)]);
const ofFlows = await Promise.all(
  flows.map(async (fitted) => {
    const { encode, density } = fitted.compiled;
    if (density === undefined) throw new Error('no density');
    const { arrays } = await fitted.state();
    const own = new Map([...arrays].map(([name, { data }]) => [name, data]));
    const d = widthOf(fitted.compiled.decode);
    return [caseOf(encode, own, `encode of ${d}`), caseOf(density, own, `density of ${d}`)] as const;
  }),
);

/** Kernels apart: with stride 3 and kernels of 2, 2×2 numbers become 6×6. */
const apart = ((): Case => {
  const encoder = d.network('encoder', d.pipe(d.input(6, 6, 1), d.flatten, d.dense(4)));
  const enlarge = d.convTranspose(1, { kernel: 2, stride: 3, padding: 'valid' });
  const decoder = d.network('decoder', d.pipe(d.input(4), d.reshape(2, 2, 1), enlarge, d.reshape(6, 6, 1)));
  const objective = d.objective({
    size: d.sqNorm(d.sub(d.data(6, 6, 1), d.apply(decoder, d.apply(encoder, d.data(6, 6, 1))))),
  });
  const made = right(
    compile(
      d.experiment({
        encoder,
        decoder,
        objective,
        optimizer: d.adam({ rate: 1e-3 }),
        batch: compiledBatch,
        steps: 1,
        data: 'digits',
      }),
    ),
  );
  const own = new Map([...initialState(made, 3).arrays].map(([name, { data }]) => [name, data]));
  return caseOf(made.decode, own, 'decode of kernels apart');
})();

const cases: readonly Case[] = [
  apart,
  ...[compiled.encode, compiled.decode, idioms].map((program) => caseOf(program)),
  ...ofFlows.flat(),
];

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce(
    (most, x, i) => Math.max(most, Math.abs(x - elementAt(b, i))),
    a.length === b.length ? 0 : Infinity,
  );

describe('exports', () => {
  beforeAll(async () => {
    for (const { name, program, weights: own } of cases) {
      right(await exportProgram(program, own, 'saved-model', join(folder, 'saved', name)));
      right(await exportProgram(program, own, 'graph-model', join(folder, 'graph', name)));
    }
  });

  test.each(cases)('the GraphModel of $name gives the same values in tfjs-converter', async (one) => {
    const { name, outputs, shape, values } = one;
    await setBackend('wasm');
    const read = (file: string): Buffer => readFileSync(join(folder, 'graph', name, file));
    const { modelTopology, weightsManifest, signature } = JSON.parse(read('model.json').toString());
    const bytes = read('weights.bin');
    const weightData = new Uint8Array(bytes).buffer;
    const model = await loadGraphModel({
      load: () =>
        Promise.resolve({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData, signature }),
    });
    for (const output of outputs) {
      const result = model.execute(tensor(values, [count, ...shape]), signature.outputs[output].name);
      if (!(result instanceof Tensor)) throw new Error('expected one tensor');
      expect(largestDifference(await expected(one, output), result.dataSync())).toBeLessThan(1e-5);
    }
    model.dispose();
  });

  const python = process.env['IMMERSION_PYTHON'];
  /** By name of the case and the output; one process for all, since loading TensorFlow takes longer than anything else. */
  let inPython: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {};
  beforeAll(() => {
    if (python === undefined) return;
    const input = join(folder, 'cases.json');
    const given = cases.map(({ name, shape, values }) => ({
      folder: join(folder, 'saved', name),
      name,
      shape: [count, ...shape],
      values: [...values],
    }));
    writeFileSync(input, JSON.stringify(given));
    const script = [
      'import json, sys, numpy as np, tensorflow as tf',
      'results = {}',
      'for case in json.load(open(sys.argv[1])):',
      '  x = tf.constant(np.array(case["values"], np.float32).reshape(case["shape"]))',
      '  call = tf.saved_model.load(case["folder"]).signatures["serving_default"]',
      '  results[case["name"]] = {k: v.numpy().ravel().tolist() for k, v in call(data=x).items()}',
      'print(json.dumps(results))',
    ].join('\n');
    const ended = spawnSync(python, ['-c', script, input], { encoding: 'utf8' });
    expect(ended.stderr.includes('Traceback') ? ended.stderr : '').toBe('');
    inPython = JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '{}');
  }, 120_000);

  test.skipIf(python === undefined).each(cases)(
    "the SavedModel of $name gives the same values in Python's TensorFlow (IMMERSION_PYTHON names an interpreter that has it)",
    async (one) => {
      const results = entryOf(inPython, one.name);
      expect(Object.keys(results).toSorted()).toEqual(one.outputs.toSorted());
      for (const output of one.outputs)
        expect(largestDifference(await expected(one, output), entryOf(results, output))).toBeLessThan(1e-5);
    },
  );

  test.each(ofFlows.map(([, one], i) => ({ ...one, fitted: elementAt(flows, i) })))(
    'the $name is what the fitted model calls its density',
    async ({ fitted, values, ...one }) => {
      const found = await fitted.logProb(values);
      expect(await expected({ ...one, values }, 'logDensity')).toEqual(found?.logDensity);
      expect(await expected({ ...one, values }, 'distance')).toEqual(found?.distance);
    },
  );

  test('the command writes all three of a run with a density', async () => {
    const [{ experiment }] = flows;
    const [path, out] = [join(folder, 'spec.json'), join(folder, 'run')];
    writeFileSync(
      path,
      JSON.stringify(
        right(d.encodeExperiment({ ...experiment, data: 'linear?codimension=1&dimension=1', steps: 1 })),
      ),
    );
    expect((await run('train', path, '--backend', 'wasm', '--out', out)).code).toBe(0);
    const { code, stdout } = await run('export', out, '--json');
    expect(code).toBe(0);
    const folders = ['saved-model', 'graph-model'].flatMap((format) =>
      ['encode', 'decode', 'density'].map((name) => join(out, 'export', format, name)),
    );
    expect(json(stdout)).toEqual({ ok: true, exported: folders });
    expect(folders.filter((one) => readdirSync(one).length === 0)).toEqual([]);
  });

  test('an existing folder is left alone', async () => {
    const { program } = elementAt(cases, 0);
    const before = readFileSync(join(folder, 'graph', program.name, 'model.json'));
    const again = await exportProgram(program, weights, 'graph-model', join(folder, 'graph', program.name));
    expect(again._tag).toBe('Left');
    expect(readFileSync(join(folder, 'graph', program.name, 'model.json')).equals(before)).toBe(true);
  });
});
