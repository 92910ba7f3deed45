/** The native backend: all programs in one TensorFlow graph, one session call a step, the state in session variables. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { availableParallelism } from 'node:os';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { type Results, resultsOf } from '../../compiler/ir/program.js';
import { type Problem, problem } from '../../dsl/problem.js';
import type { Signature } from './graph.js';
import { lowerGraph } from './lower/lower-graph.js';
import type { Backend, Instance } from '../backend.js';
import { BackendFailure } from '../failure.js';
import { type Binding, type BindingOptions, loadBinding } from './install/binding.js';
import { withSavedModel } from './saved-model-file.js';

type Arrays = ReadonlyMap<string, Float32Array>;
/** `begins` is called once the feeds are TensorFlow's: what fails before has changed nothing. */
type Call = (feeds: Arrays, begins?: () => void) => Results<Float32Array>;

/** TensorFlow's first line says it; the rest names nodes of the graph. */
const sessionProblem = (what: string, error: unknown): Problem => {
  const [line] = atLeast(1, (error instanceof Error ? error.message : String(error)).split('\n'));
  const found = line.replace(/^Session fail to run with error: /, '').trim();
  return /OOM|out of memory|bad_alloc|exhausted/i.test(found)
    ? problem(what, found, 'enough memory', 'use a smaller batch, or --device cpu where the GPU is too small')
    : problem(what, found, 'a graph that TensorFlow runs', 'a fault of the compiler, please report it');
};

const session = <A>(what: string, work: () => A): A => {
  try {
    return work();
  } catch (error) {
    throw new BackendFailure(sessionProblem(`native ${what}`, error));
  }
};

/** One signature of a session as a function; node names are joined once, not at each call. */
const callOf = (binding: Binding, id: number, { inputs, outputs, name }: Signature): Call => {
  const inputNames = inputs.map((port) => `${port.node}:0`).join(',');
  const outputNames = outputs.map((port) => `${port.node}:0`).join(',');
  return (feeds, begins = () => undefined) => {
    // TensorFlow refuses to run for nothing, such as the state of a model without parameters.
    if (outputs.length === 0) return resultsOf([], () => new Float32Array());
    const arrays = inputs.map((port) => {
      const values = feeds.get(port.name);
      if (values === undefined) throw new Error(`no array for ${port.name} of ${name}`);
      return values;
    });
    return session(name, () => {
      const tensors: number[] = [];
      const results: number[] = [];
      try {
        inputs.forEach(({ shape }, i) =>
          tensors.push(binding.createTensor(shape, binding.TF_FLOAT, elementAt(arrays, i))),
        );
        begins();
        for (const result of binding.runSavedModel(id, tensors, inputNames, outputNames))
          results.push(result.id);
        return resultsOf(outputs, (_, i) => binding.tensorDataSync(elementAt(results, i)));
      } finally {
        for (const tensor of [...tensors, ...results]) binding.deleteTensor(tensor);
      }
    });
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
    const id = await withSavedModel(graph, (folder) =>
      session('load', () => binding.loadSavedModel(folder, 'serve')),
    );
    const calls = new Map(graph.signatures.map((s) => [s.name, callOf(binding, id, s)]));
    const call = (name: string, feeds: Arrays, begins?: () => void): Results<Float32Array> => {
      const run = calls.get(name);
      if (run === undefined) throw new Error(`no program ${name}`);
      return run(feeds, begins);
    };
    const close = (): void => {
      // Once: a second time the number may be another session's.
      if (calls.size > 0) binding.deleteSavedModel(id);
      calls.clear();
    };
    try {
      call('init', state);
    } catch (error) {
      close();
      throw error;
    }
    const unused = new Map([...state].filter(([name]) => !shapes.has(name)));
    const changesState = (name: string): boolean =>
      programs.get(name)?.outputs.some(({ kind }) => kind === 'next') === true;
    /** A step that failed may have assigned some variables and not others: then nobody may take them for a state. */
    let torn: unknown;
    const instance: Instance = {
      // Rejects where the call fails, as a promise should.
      run: async (program, feeds) => {
        let begun = false;
        try {
          return call(program, feeds, () => {
            begun = true;
          });
        } catch (error) {
          if (begun && changesState(program)) torn = error;
          throw error;
        }
      },
      read: async () => {
        if (torn !== undefined) throw torn;
        return new Map([...unused, ...call('read', new Map()).value]);
      },
      dispose: close,
    };
    return instance;
  };

/** How many threads an operation gets: what the user set, else one for each core. */
export const threadCount = (): number =>
  Number(process.env['TF_NUM_INTRAOP_THREADS'] ?? 0) || availableParallelism();

const threads = (count: number): string => (count === 1 ? '1 thread' : `${count} threads`);

/** Starts the native backend, or says what is missing. */
export const createNativeBackend = (options: BindingOptions = {}): Either<readonly Problem[], Backend> => {
  const loaded = loadBinding(options);
  if (isLeft(loaded)) return loaded;
  const binding = loaded.right;
  const place = binding.isUsingGpuDevice() ? 'GPU' : threads(threadCount());
  return right({
    name: 'native',
    description: `native (TensorFlow ${binding.TF_Version}, ${place})`,
    open: open(binding),
    liveCount: () => binding.getNumOfTensors(),
  });
};
