/** Exports of networks that are functions of several arguments: an input for each, and the numbers of the language's own backend; rebuilt from JSON alone. */
import { afterAll, describe, expect, test } from 'vitest';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setBackend, Tensor, tensor } from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { exportProgram } from '../../../backends/tensorflow/export.js';
import { compile, type Program } from '../../../compiler/index.js';
import { decodeExperiment, encodeExperiment, sizeOf } from '../../../dsl/index.js';
import { initialState } from '../../../runs/model/state.js';
import { backends } from '../../shared/backends.js';
import { right } from '../../shared/either.js';
import { fieldExamples } from '../../shared/examples.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-export-conditions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BATCH = 2;

/** Whole numbers, which a class may be, for each input. */
const inputsOf = (program: Program): ReadonlyMap<string, Float32Array> =>
  new Map(
    program.binders.flatMap(({ kind, name, var: { type } }) =>
      kind === 'data'
        ? [[name, Float32Array.from({ length: BATCH * sizeOf(type.shape) }, (_, i) => i % 2)] as const]
        : [],
    ),
  );

const loaded = async (at: string) => {
  const read = (file: string): Buffer => readFileSync(join(at, file));
  const { modelTopology, weightsManifest, signature } = JSON.parse(read('model.json').toString());
  const weightData = new Uint8Array(read('weights.bin')).buffer;
  const weightSpecs = weightsManifest[0].weights;
  const load = () => Promise.resolve({ modelTopology, weightSpecs, weightData, signature });
  return { model: await loadGraphModel({ load }), signature };
};

describe.each(Object.entries(fieldExamples))('%s', (name, { experiment }) => {
  const json: unknown = JSON.parse(JSON.stringify(right(encodeExperiment(experiment))));
  const compiled = right(compile({ ...right(decodeExperiment(json)), batch: BATCH }));
  const weights = new Map([...initialState(compiled, 3).arrays].map(([path, { data }]) => [path, data]));

  test.each([compiled.encode, compiled.decode])('$name', async (program) => {
    const inputs = inputsOf(program);
    const instance = await backends.wasm.open(new Map([[program.name, program]]), weights);
    const own = (await instance.run(program.name, inputs)).value;
    instance.dispose();
    const at = right(await exportProgram(program, weights, 'graph-model', join(folder, name, program.name)));
    await setBackend('wasm');
    const { model, signature } = await loaded(at);
    expect(Object.keys(signature.inputs).toSorted()).toEqual([...inputs.keys()].toSorted());
    const shapes = new Map(program.binders.map((one) => [one.name, one.var.type.shape]));
    const fed = Object.fromEntries(
      [...inputs].map(([input, values]) => [
        signature.inputs[input].name,
        tensor(values, [BATCH, ...(shapes.get(input) ?? [])]),
      ]),
    );
    for (const [output, values] of own) {
      const result = model.execute(fed, signature.outputs[output].name);
      if (!(result instanceof Tensor)) throw new Error('expected one tensor');
      const found = result.dataSync();
      expect(found).toHaveLength(values.length);
      values.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 4));
    }
    model.dispose();
  });
});
