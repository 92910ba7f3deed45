/** The native backend: all programs in one TensorFlow graph, one session call a step, the state in session variables. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { Problem } from '../../dsl/problem.js';
import type { Signature } from '../../compiler/graph.js';
import { lowerGraph } from '../../compiler/lower/graph.js';
import type { Backend, Instance } from '../backend.js';
import { type Binding, loadBinding } from './binding.js';
import { writeSavedModel } from './saved-model.js';

type Call = (feeds: ReadonlyMap<string, Float32Array>) => ReadonlyMap<string, Float32Array>;

/** One signature of a session as a function; node names are joined once, not at each call. */
const callOf = (binding: Binding, session: number, { inputs, outputs, name }: Signature): Call => {
  const inputNames = inputs.map((port) => `${port.node}:0`).join(',');
  const outputNames = outputs.map((port) => `${port.node}:0`).join(',');
  return (feeds) => {
    const tensors = inputs.map((port) => {
      const values = feeds.get(port.name);
      if (values === undefined) throw new Error(`no array for ${port.name} of ${name}`);
      return binding.createTensor(port.shape, binding.TF_FLOAT, values);
    });
    try {
      const results = binding.runSavedModel(session, tensors, inputNames, outputNames);
      return new Map(
        outputs.map((port, i) => {
          const data = binding.tensorDataSync(results[i].id);
          binding.deleteTensor(results[i].id);
          return [port.name, data];
        }),
      );
    } finally {
      for (const id of tensors) binding.deleteTensor(id);
    }
  };
};

const open =
  (binding: Binding): Backend['open'] =>
  async (programs, state) => {
    // Sizes suffice: the graph's variables have the shapes of the programs' binders.
    const shapes = new Map(
      [...programs.values()].flatMap((program) =>
        program.binders.filter((b) => state.has(b.name)).map((b) => [b.name, b.var.type.shape] as const),
      ),
    );
    const graph = lowerGraph(programs.values(), shapes);
    const folder = await mkdtemp(join(tmpdir(), 'immersion-'));
    await writeSavedModel(graph, folder);
    const session = binding.loadSavedModel(folder, 'serve');
    await rm(folder, { recursive: true });
    const calls = new Map(graph.signatures.map((s) => [s.name, callOf(binding, session, s)]));
    const call = (name: string, feeds: ReadonlyMap<string, Float32Array>): ReadonlyMap<string, Float32Array> => {
      const run = calls.get(name);
      if (run === undefined) throw new Error(`no program ${name}`);
      return run(feeds);
    };
    call('init', state);
    const unused = new Map([...state].filter(([name]) => !shapes.has(name)));
    const instance: Instance = {
      run: (program, feeds) => Promise.resolve(call(program, feeds)),
      read: () => Promise.resolve(new Map([...unused, ...call('read', new Map())])),
      dispose: () => binding.deleteSavedModel(session),
    };
    return instance;
  };

/** Starts the native backend, or says what is missing. */
export const createNativeBackend = (): Either<readonly Problem[], Backend> => {
  const binding = loadBinding();
  if (isLeft(binding)) return binding;
  return right({ name: 'native', open: open(binding.right), liveCount: () => binding.right.getNumOfTensors() });
};
