/** ONNX files through onnxruntime-node, an optional peer that is loaded when the first one is opened. */
import { atLeast, elementAt, entryOf } from '../../dsl/lookup.js';
import { createRequire } from 'node:module';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import { problem } from '../../dsl/problem.js';
import { onlyInput, type Opened, opening, running } from './imported-graph.js';

type OnnxTensor = { readonly dims: readonly number[]; readonly data: ArrayLike<number> };

/** What is used of a session. */
type OnnxSession = {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Sizes are numbers, or names where they are free. */
  readonly inputMetadata: readonly { readonly shape?: readonly (number | string)[] }[];
  readonly run: (
    feeds: Readonly<Record<string, OnnxTensor>>,
    fetches: readonly string[],
  ) => Promise<Readonly<Record<string, OnnxTensor>>>;
  readonly release: () => Promise<void>;
};

type OnnxRuntime = {
  readonly InferenceSession: { readonly create: (path: string) => Promise<OnnxSession> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OnnxTensor;
};

const packageName = 'onnxruntime-node';

const load = (name: string): OnnxRuntime | undefined => {
  const require = createRequire(import.meta.url);
  try {
    require.resolve(name);
  } catch {
    return undefined;
  }
  return require(name) as OnnxRuntime;
};

/** `runtime` is the package, or its folder where it is not installed beside us. */
export const openOnnx = (path: string, runtime = packageName): Promise<Opened> =>
  opening(path, async () => {
    const onnx = load(runtime);
    if (onnx === undefined) {
      const hint = `run \`npm install ${packageName}\`, or hand over the graph as a SavedModel or a GraphModel`;
      return left([problem(path, `no package ${packageName}`, 'the package that runs ONNX files', hint)]);
    }
    const session = await onnx.InferenceSession.create(path);
    const name = onlyInput(path, session.inputNames);
    if (isLeft(name)) return name;
    const [output] = atLeast(1, session.outputNames);
    return right({
      input: (elementAt(session.inputMetadata, 0).shape ?? []).map((size) =>
        typeof size === 'number' && size > 0 ? size : undefined,
      ),
      run: ({ shape, values }) =>
        running(path, async () => {
          const feeds = { [name.right]: new onnx.Tensor('float32', values, shape) };
          const { dims, data } = entryOf(await session.run(feeds, [output]), output);
          return { shape: dims, values: Float32Array.from(data) };
        }),
      dispose: () => void session.release(),
    });
  });
