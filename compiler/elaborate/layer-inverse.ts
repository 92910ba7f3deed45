/** Elaborates layers that have an inverse: one row each runs the layer either way and gives the log-determinant of that. */
import { atLeast, elementAt, float64At } from '../../dsl/lookup.js';
import {
  halfOf,
  type Invertible,
  isInvertible,
  partSize,
  shapeAfter,
  shapesAlong,
} from '../../dsl/layers/bijector.js';
import type { Layer, Transform } from '../../dsl/layers/layer.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import { sameShape, type Shape, showShape, sizeOf } from '../../dsl/shape.js';
import { add, atRows, joined, sub, times, unary } from '../ir/operations.js';
import type { Var } from '../ir/program.js';
import { type Context, fail } from './context.js';
import {
  alongLast,
  emitOf,
  parameter,
  placeInside,
  type Place,
  type Site,
  withBias,
  wrongShape,
} from './site.js';
import { type LuFactors, luFactors, luProduct, luSolution } from './lu.js';
import { opposite, parameterCount, transformed, type Way } from './transform.js';

/** Runs ordinary layers, a coupling's conditioner, inside a place. */
export type RunLayers = (
  context: Context,
  layers: readonly Layer[],
  x: Var,
  place: Place,
  suffix: string,
) => Var | null;

/** What a layer makes of its input, and log |det| of that map for each row; null where volume is kept, or has no meaning. */
export type Moved = { readonly value: Var; readonly logDet: Var | null };

type FlowSite<L extends Layer> = Site<L> & {
  readonly way: Way;
  /** The shape that the layer takes when it runs forward. */
  readonly shape: Shape;
  readonly run: RunLayers;
};

type Row<L extends Layer> = (site: FlowSite<L>) => Moved | null;

const keepingVolume = (value: Var): Moved => ({ value, logDet: null });

const reshaped = (site: Site, x: Var, shape: Shape): Var => emitOf(site)('reshape', { shape }, [x]);

/** A block of the last axis. */
const channels = (site: Site, x: Var, begin: number, count: number): Var => {
  const { shape } = x.type;
  const start = shape.map((_, i) => (i === shape.length - 1 ? begin : 0));
  return emitOf(site)('slice', { begin: start, size: [...shape.slice(0, -1), count] }, [x]);
};

const joinedChannels = (site: Site, parts: readonly Var[]): Var => {
  const emit = emitOf(site);
  return emit('concat', { axis: elementAt(parts, 0).type.shape.length - 1 }, joined(emit, parts));
};

/** x, of any shape, through a transform with raw parameters [size of x, P]. */
const throughTransform = (site: FlowSite<Layer>, transform: Transform, x: Var, raw: Var): Moved => {
  const emit = emitOf(site);
  const { shape } = x.type;
  const { value, logSlope } = transformed(emit, transform, reshaped(site, x, [sizeOf(shape)]), raw, site.way);
  return {
    value: reshaped(site, value, shape),
    logDet: emit('reduce', { op: 'add', axes: [0] }, [logSlope]),
  };
};

/** From what the conditioner gives to raw parameters [count, P]: a product that starts at zero, for an image pixel by pixel. */
const projected = (site: Site, hidden: Var, count: number, perNumber: number): Var => {
  const emit = emitOf(site);
  const { shape } = hidden.type;
  const inputs = elementAt(shape, shape.length - 1);
  const outputs = (count * perNumber) / sizeOf(shape.slice(0, -1));
  const fans = { fanIn: inputs, fanOut: outputs };
  const at = { ...site, place: { ...site.place, name: `${site.place.name}/projection` } };
  const kernel = (kernelShape: Shape): Var => parameter(at, 'kernel', kernelShape, { tag: 'zeros' }, fans);
  const product =
    shape.length === 1
      ? emit('linear', {}, [hidden, kernel([inputs, outputs])])
      : emit('conv', { strides: [1, 1], padding: [0, 0, 0, 0] }, [hidden, kernel([1, 1, inputs, outputs])]);
  return reshaped(site, withBias(at, product, true), [count, perNumber]);
};

/** x of any shape times the matrix of LU factors over its channels, plus a shift, or back. */
const throughMatrix = (site: FlowSite<Layer>, factors: LuFactors): Moved => {
  const { x, way } = site;
  const emit = emitOf(site);
  const { shape } = x.type;
  const pixels = sizeOf(shape.slice(0, -1));
  const logDet = times(emit, emit('reduce', { op: 'add', axes: [0] }, [factors.logScales]), pixels);
  if (way === 'forward') return { value: withBias(site, luProduct(emit, factors, x), true), logDet };
  const centred = sub(
    emit,
    x,
    alongLast(emit, parameter(site, 'bias', shape.slice(-1), { tag: 'zeros' }), x),
  );
  return { value: luSolution(emit, factors, centred), logDet: unary(emit, 'neg', logDet) };
};

/** The order in which a permutation puts n channels: element i of its result is element order[i]. */
export const orderOf = (seed: number, n: number): readonly number[] => {
  const keys = uniforms(deriveKey(seed, 'permutation'), [0, 0, 0], n);
  return Array.from({ length: n }, (_, i) => i).sort((a, b) => float64At(keys, a) - float64At(keys, b));
};

const inverseOf = (order: readonly number[]): readonly number[] => order.map((_, i) => order.indexOf(i));

const rows: { readonly [T in Invertible['tag']]: Row<Extract<Invertible, { tag: T }>> } = {
  coupling: (site) => {
    const { context, layer, x, place, run } = site;
    const n = elementAt(x.type.shape, x.type.shape.length - 1);
    const cut = partSize('first', n);
    const [first, last] = [channels(site, x, 0, cut), channels(site, x, cut, n - cut)];
    const [moving, condition] = layer.part === 'first' ? [first, last] : [last, first];
    const hidden = run(context, layer.conditioner, condition, place, '.conditioner');
    if (hidden === null) return null;
    if (
      !sameShape(hidden.type.shape.slice(0, -1), x.type.shape.slice(0, -1)) ||
      hidden.type.shape.length === 0
    ) {
      const expected = x.type.shape.length === 1 ? 'a vector' : 'an image of the same height and width';
      return fail(context, `${place.path}.conditioner`, showShape(hidden.type.shape), expected);
    }
    const raw = projected(site, hidden, sizeOf(moving.type.shape), parameterCount(layer.transform));
    const { value, logDet } = throughTransform(site, layer.transform, moving, raw);
    return {
      value: joinedChannels(site, layer.part === 'first' ? [value, last] : [first, value]),
      logDet,
    };
  },
  elementwise: (site) => {
    const { layer, x } = site;
    const { shape } = x.type;
    const last = shape.length - 1;
    const count = parameterCount(layer.transform);
    const own = parameter(site, 'transform', [elementAt(shape, last), count], { tag: 'zeros' });
    const filled = emitOf(site)('broadcast', { shape: [...shape, count], axes: [last, last + 1] }, [own]);
    return throughTransform(site, layer.transform, x, reshaped(site, filled, [sizeOf(shape), count]));
  },
  permutation: (site) => {
    const { layer, x, way } = site;
    const order = orderOf(layer.seed, elementAt(x.type.shape, x.type.shape.length - 1));
    return keepingVolume(
      emitOf(site)('reorder', { order: way === 'forward' ? order : inverseOf(order) }, [x]),
    );
  },
  luLinear: (site) => throughMatrix(site, luFactors(site)),
  squeeze: (site) => {
    const { layer, x, way, shape } = site;
    const emit = emitOf(site);
    const [h, w, c] = atLeast(3, shape);
    const k = layer.size;
    // A block's row and column, between the pixel and its channels, or beside the blocks' own.
    const blocks = way === 'forward' ? [h / k, k, w / k, k, c] : [h / k, w / k, k, k, c];
    const moved = emit('permute', { permutation: [0, 2, 1, 3, 4] }, [reshaped(site, x, blocks)]);
    return keepingVolume(reshaped(site, moved, way === 'forward' ? [h / k, w / k, c * k * k] : shape));
  },
  factorOut: (site) => {
    const { layer, x, way, shape, place } = site;
    const emit = emitOf(site);
    const inner = halfOf(shape);
    const size = sizeOf(inner);
    const along = (value: Var): Moved | null =>
      runFlow(site, layer.layers, inner, value, { ...place }, '.layers', way);
    if (way === 'forward') {
      const n = elementAt(shape, shape.length - 1);
      const kept = n - elementAt(inner, inner.length - 1);
      const done = channels(site, x, n - kept, kept);
      const gone = along(channels(site, x, 0, n - kept));
      if (gone === null) return null;
      const parts = [reshaped(site, gone.value, [size]), reshaped(site, done, [sizeOf(done.type.shape)])];
      return { value: joinedChannels(site, parts), logDet: gone.logDet };
    }
    const shapes = shapesAlong(layer.layers, inner);
    if (shapes.tag === 'misfit') return null;
    const block = (begin: number, count: number): Var =>
      emit('slice', { begin: [begin], size: [count] }, [x]);
    const back = along(reshaped(site, block(0, size), elementAt(shapes.shapes, layer.layers.length)));
    if (back === null) return null;
    const rest = sizeOf(shape) - size;
    const done = reshaped(site, block(size, rest), [
      ...shape.slice(0, -1),
      rest / sizeOf(shape.slice(0, -1)),
    ]);
    return { value: joinedChannels(site, [back.value, done]), logDet: back.logDet };
  },
  inverse: (site) =>
    runFlow(site, site.layer.layers, site.layer.input, site.x, site.place, '.layers', opposite(site.way)),
  inject: (site) => {
    const { layer, x, way, shape } = site;
    return keepingVolume(
      way === 'forward'
        ? emitOf(site)('pad', { before: [0], after: [layer.units - elementAt(shape, 0)] }, [x])
        : channels(site, x, 0, elementAt(shape, 0)),
    );
  },
  bijection: (site) => {
    const { context, layer, x, way, place } = site;
    const bodyAt = (body: 'forward' | 'inverse' | 'logDeterminant', argument: string, at: Var): Var | null =>
      context.expressions(context, { arguments: new Map([[argument, at]]), place })(
        layer[body],
        `${place.path}.${body}`,
      );
    const isForward = way === 'forward';
    const value = isForward ? bodyAt('forward', 'x', x) : bodyAt('inverse', 'y', x);
    const logDet = value && bodyAt('logDeterminant', 'x', isForward ? x : value);
    if (value === null || logDet === null) return null;
    const expected = isForward ? layer.output : layer.input;
    if (!sameShape(value.type.shape, expected))
      return fail(
        context,
        `${place.path}.${isForward ? 'forward' : 'inverse'}`,
        showShape(value.type.shape),
        showShape(expected),
      );
    if (logDet.type.shape.length > 0)
      return fail(context, `${place.path}.logDeterminant`, showShape(logDet.type.shape), 'a scalar');
    const { emit } = context.builder;
    return {
      value: atRows(emit, Math.max(x.type.rows, value.type.rows), value),
      logDet: isForward ? logDet : unary(emit, 'neg', logDet),
    };
  },
  flatten: (site) =>
    keepingVolume(reshaped(site, site.x, site.way === 'forward' ? [sizeOf(site.shape)] : site.shape)),
  reshape: (site) =>
    keepingVolume(reshaped(site, site.x, site.way === 'forward' ? site.layer.shape : site.shape)),
};

const dispatch = (site: FlowSite<Invertible>): Moved | null => {
  const { layer } = site;
  switch (layer.tag) {
    case 'coupling': return rows.coupling({ ...site, layer });
    case 'elementwise': return rows.elementwise({ ...site, layer });
    case 'permutation': return rows.permutation({ ...site, layer });
    case 'luLinear': return rows.luLinear({ ...site, layer });
    case 'squeeze': return rows.squeeze({ ...site, layer });
    case 'factorOut': return rows.factorOut({ ...site, layer });
    case 'inverse': return rows.inverse({ ...site, layer });
    case 'inject': return rows.inject({ ...site, layer });
    case 'bijection': return rows.bijection({ ...site, layer });
    case 'flatten': return rows.flatten({ ...site, layer });
    case 'reshape': return rows.reshape({ ...site, layer });
  } // prettier-ignore
};

/** One layer forward, in a network that may hold other layers too. */
export const runInvertible = (site: Site<Invertible>, run: RunLayers): Moved | null => {
  const { layer, x } = site;
  const after = shapeAfter(layer, x.type.shape);
  if (typeof after === 'string') return wrongShape(site, after);
  return dispatch({ ...site, way: 'forward', shape: x.type.shape, run });
};

/** Layers that take `input`, run forward from x or backward to it; null where they do not fit, with the problem noted. */
export const runFlow = (
  { context, run }: { readonly context: Context; readonly run: RunLayers },
  layers: readonly Layer[],
  input: Shape,
  x: Var,
  place: Place,
  suffix: string,
  way: Way,
): Moved | null => {
  const along = shapesAlong(layers, input);
  if (along.tag === 'misfit') {
    return fail(context, `${place.path}${suffix}[${along.layer}]`, along.found, along.expected);
  }
  const steps = layers.flatMap((layer, i) => (isInvertible(layer) ? [{ layer, i }] : []));
  const given = way === 'forward' ? input : elementAt(along.shapes, layers.length);
  if (!sameShape(x.type.shape, given)) {
    return fail(context, place.path, `an input of shape ${showShape(x.type.shape)}`, showShape(given));
  }
  const { emit } = context.builder;
  return (way === 'forward' ? steps : steps.toReversed()).reduce<Moved | null>((before, { layer, i }) => {
    if (before === null) return null;
    const inside = placeInside(place, suffix, i, layer);
    const site = {
      context,
      layer,
      x: before.value,
      place: inside,
      way,
      shape: elementAt(along.shapes, i),
      run,
    };
    const moved = dispatch(site);
    if (moved === null || before.logDet === null) return moved;
    return {
      value: moved.value,
      logDet: moved.logDet === null ? before.logDet : add(emit, before.logDet, moved.logDet),
    };
  }, keepingVolume(x));
};
