/** Features by a graph that the user hands over, such as Inception's for the Fréchet Inception distance. */
import { basename, resolve } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem, type Shape, showShape } from '../../dsl/index.js';
import { attempt } from '../../backends/failure.js';
import type { ImportedGraph } from '../../backends/imported/imported-graph.js';
import { openGraph } from '../../backends/imported/open.js';
import type { FeatureMap } from './feature-map.js';
import { type ImageSize, resized } from './resize.js';

export type GraphOptions = {
  /** Shape of the examples: [height, width, 1 or 3]. */
  readonly shape: Shape;
  /** What the graph wants 0 and 1 to be. [−1, 1] unless given, as for the usual Inception graphs. */
  readonly range?: readonly [number, number];
};

/** Images at once, where the graph takes any number. */
const BATCH = 32;

/** What Inception takes where the graph does not say. */
const USUAL = 299;

const INCEPTION_FEATURES = 2048;

/** Heusel et al. (2017) recommend at least this many examples for FID; it is what scores in print have. */
const INCEPTION_EXAMPLES = 10_000;

type Layout = ImageSize & { readonly batch: number | undefined; readonly channelsFirst: boolean };

const isChannels = (size: number | undefined): size is number => size === 1 || size === 3;

/** Where the channels are is seen by their number. */
const layoutOf = (path: string, input: ImportedGraph['input']): Either<readonly Problem[], Layout> => {
  const [batch, a, b, c] = input;
  if (input.length === 4 && isChannels(c))
    return right({ batch, height: a ?? USUAL, width: b ?? USUAL, channels: c, channelsFirst: false });
  if (input.length === 4 && isChannels(a))
    return right({ batch, height: b ?? USUAL, width: c ?? USUAL, channels: a, channelsFirst: true });
  const found = `an input of shape [${input.map((size) => size ?? '?').join(',')}]`;
  return left([
    problem(path, found, '[?,height,width,channels] or [?,channels,height,width], 1 or 3 channels'),
  ]);
};

/** Inception's features have its number, and its name or its size of image. */
const isInception = (name: string, { height, width }: Layout, size: number): boolean =>
  size === INCEPTION_FEATURES && (/inception/i.test(name) || (height === USUAL && width === USUAL));

const featuresOf =
  (graph: ImportedGraph, layout: Layout, from: ImageSize, [low, high]: readonly [number, number]) =>
  async (examples: Float32Array): Promise<Float32Array> => {
    const { height, width, channels, channelsFirst } = layout;
    const count = examples.length / (from.height * from.width * from.channels);
    const at = layout.batch ?? Math.min(BATCH, count);
    let found = new Float32Array();
    for (let first = 0; first < count; first += at) {
      const valid = Math.min(at, count - first);
      const size = layout.batch ?? valid;
      const images = resized(examples, from, layout, { first, count: valid, channelsFirst });
      const values = new Float32Array(size * height * width * channels);
      values.set(images.map((x) => low + (high - low) * x));
      const shape = channelsFirst ? [size, channels, height, width] : [size, height, width, channels];
      const output = await graph.run({ shape, values });
      const features = output.values.length / size;
      if (first === 0) found = new Float32Array(count * features);
      found.set(output.values.subarray(0, features * valid), first * features);
    }
    return found;
  };

/**
 * Features by an ONNX file, a SavedModel or a tfjs GraphModel of images, named after the file; `inception`, with scores called
 * `fid` and `kid`, where it is that. Examples are numbers from 0 to 1; they are resized bilinearly to what the graph takes, and
 * grey ones repeated for each colour.
 */
export const graphFeatures = async (
  path: string,
  { shape, range = [-1, 1] }: GraphOptions,
): Promise<Either<readonly Problem[], FeatureMap>> => {
  const [height, width, channels] = shape;
  if (
    shape.length !== 3 ||
    height === undefined ||
    width === undefined ||
    channels === undefined ||
    !isChannels(channels)
  )
    return left([
      problem(path, `examples of shape ${showShape(shape)}`, '[height,width,1] or [height,width,3]'),
    ]);
  const opened = await openGraph(path);
  if (isLeft(opened)) return opened;
  const graph = opened.right;
  const layout = layoutOf(path, graph.input);
  if (isLeft(layout)) {
    graph.dispose();
    return layout;
  }
  const apply = featuresOf(graph, layout.right, { height, width, channels }, range);
  // How many features there are shows on a first, black image.
  const first = await attempt(() => apply(new Float32Array(height * width * channels)));
  if (isLeft(first)) {
    graph.dispose();
    return first;
  }
  const size = first.right.length;
  const name = basename(resolve(path)).replace(/\.onnx$/i, '');
  const map = { size, apply, dispose: graph.dispose };
  return right(
    isInception(name, layout.right, size)
      ? { ...map, name: 'inception', customary: { frechet: 'fid', mmd: 'kid' }, fewest: INCEPTION_EXAMPLES }
      : { ...map, name },
  );
};
