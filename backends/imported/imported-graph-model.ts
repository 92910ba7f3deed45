/** tfjs GraphModels through tfjs-converter, an optional peer, on the tfjs backend that is active. */
import { elementAt } from '../../dsl/lookup.js';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { engine, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import { problem } from '../../dsl/problem.js';
import { createKernelBackend } from '../tfjs/wasm-kernels.js';
import { onlyInput, type Opened, opening, running } from './imported-graph.js';

type Artifacts = {
  readonly modelTopology: unknown;
  readonly weightSpecs: readonly unknown[];
  readonly weightData: ArrayBuffer;
  readonly signature?: unknown;
};

/** What is used of the package. */
type Converter = {
  readonly loadGraphModel: (handler: { readonly load: () => Promise<Artifacts> }) => Promise<{
    readonly inputs: readonly { readonly name: string; readonly shape?: readonly number[] }[];
    readonly outputs: readonly { readonly name: string }[];
    readonly execute: (inputs: Readonly<Record<string, Tensor>>, output: string) => Tensor;
    readonly dispose: () => void;
  }>;
};

type Manifest = {
  readonly format?: string;
  readonly modelTopology: unknown;
  readonly signature?: unknown;
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly unknown[];
  }[];
};

const packageName = '@tensorflow/tfjs-converter';

const load = async (name: string): Promise<Converter | undefined> => {
  try {
    createRequire(import.meta.url).resolve(name);
  } catch {
    return undefined;
  }
  return (await import(name)) as Converter;
};

const readArtifacts = async (folder: string): Promise<Artifacts> => {
  const { modelTopology, signature, weightsManifest } = JSON.parse(
    await readFile(join(folder, 'model.json'), 'utf8'),
  ) as Manifest;
  const files = await Promise.all(
    weightsManifest.flatMap(({ paths }) => paths.map((file) => readFile(join(folder, file)))),
  );
  return {
    modelTopology,
    weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
    // A copy with a buffer of its own.
    weightData: new Uint8Array(Buffer.concat(files)).buffer,
    ...(signature === undefined ? {} : { signature }),
  };
};

/** The folder of `model.json`. */
export const openGraphModel = (path: string, converter = packageName): Promise<Opened> =>
  opening(path, async () => {
    const package_ = await load(converter);
    if (package_ === undefined) {
      const hint = `run \`npm install ${packageName}\`, or hand over the graph as a SavedModel or as ONNX`;
      return left([problem(path, `no package ${packageName}`, 'the package that reads GraphModels', hint)]);
    }
    if (engine().backendName !== 'cpu') await createKernelBackend();
    const artifacts = await readArtifacts(path);
    const model = await package_.loadGraphModel({ load: () => Promise.resolve(artifacts) });
    const name = onlyInput(
      path,
      model.inputs.map((one) => one.name),
    );
    if (isLeft(name)) return name;
    const outputName = elementAt(model.outputs, 0).name;
    return right({
      input: (elementAt(model.inputs, 0).shape ?? []).map((size) => (size > 0 ? size : undefined)),
      run: ({ shape, values }) =>
        running(path, async () => {
          const input = tensor(values, [...shape], 'float32');
          try {
            const output = model.execute({ [name.right]: input }, outputName);
            const batch = { shape: output.shape, values: Float32Array.from(await output.data()) };
            output.dispose();
            return batch;
          } finally {
            input.dispose();
          }
        }),
      dispose: () => model.dispose(),
    });
  });
