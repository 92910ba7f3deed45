/** SavedModels of others, run by the native binding. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import { problem } from '../../dsl/problem.js';
import { loadBinding } from '../tensorflow/install/binding.js';
import { onlyInput, type Opened, opening, running } from './imported-graph.js';

/** What is used of the package's protobuf classes, which have no types of their own. */
type Entries<A> = {
  readonly getEntryList: () => readonly (readonly [string, unknown])[];
  readonly get: (key: string) => A;
};
type TensorInfo = {
  readonly getName: () => string;
  readonly getTensorShape: () =>
    { readonly getDimList: () => readonly { readonly getSize: () => number }[] } | undefined;
};
type SignatureDef = {
  readonly getInputsMap: () => Entries<TensorInfo>;
  readonly getOutputsMap: () => Entries<TensorInfo>;
};
type MetaGraphDef = {
  readonly getMetaInfoDef: () => { readonly getTagsList: () => readonly string[] };
  readonly getSignatureDefMap: () => Entries<SignatureDef>;
};
type Messages = {
  readonly SavedModel: {
    readonly deserializeBinary: (bytes: Uint8Array) => {
      readonly getMetaGraphsList: () => readonly MetaGraphDef[];
    };
  };
};

const TAG = 'serve';
const SIGNATURE = 'serving_default';

const namesOf = (entries: Entries<unknown>): readonly string[] =>
  entries.getEntryList().map(([name]) => name);

/** Needs the native backend; the signature `serving_default` of the tag `serve`. */
export const openSavedModel = (path: string): Promise<Opened> =>
  opening(path, async () => {
    const loaded = loadBinding();
    if (isLeft(loaded)) {
      const { found, hint = '' } = elementAt(loaded.left, 0);
      const advice = hint.replace(/[,;] or use .*/, '');
      return left([problem(path, `a SavedModel, and ${found}`, 'the native backend to run it', advice)]);
    }
    const binding = loaded.right;
    const pb = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as Messages;
    const model = pb.SavedModel.deserializeBinary(await readFile(join(path, 'saved_model.pb')));
    const graph = model.getMetaGraphsList().find((one) => one.getMetaInfoDef().getTagsList().includes(TAG));
    const signatures = graph?.getSignatureDefMap();
    if (signatures === undefined || !namesOf(signatures).includes(SIGNATURE)) {
      const found =
        signatures === undefined ? `no tag ${TAG}` : `signatures ${namesOf(signatures).join(', ')}`;
      return left([problem(path, found, `the signature ${SIGNATURE}`)]);
    }
    const signature = signatures.get(SIGNATURE);
    const name = onlyInput(path, namesOf(signature.getInputsMap()));
    if (isLeft(name)) return name;
    const input = signature.getInputsMap().get(name.right);
    const [output] = atLeast(1, namesOf(signature.getOutputsMap()));
    const outputName = signature.getOutputsMap().get(output).getName();
    const sizes = input.getTensorShape()?.getDimList() ?? [];
    const id = binding.loadSavedModel(resolve(path), TAG);
    return right({
      input: sizes.map((dim) => (dim.getSize() > 0 ? dim.getSize() : undefined)),
      run: ({ shape, values }) =>
        running(path, async () => {
          const tensor = binding.createTensor(shape, binding.TF_FLOAT, values);
          try {
            const [result] = atLeast(1, binding.runSavedModel(id, [tensor], input.getName(), outputName));
            const found = { shape: result.shape, values: binding.tensorDataSync(result.id) };
            binding.deleteTensor(result.id);
            return found;
          } finally {
            binding.deleteTensor(tensor);
          }
        }),
      dispose: () => binding.deleteSavedModel(id),
    });
  });
