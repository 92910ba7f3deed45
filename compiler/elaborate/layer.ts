/** Elaborates layers: shapes are checked here, with the layer's path in every problem. */
import { atLeast } from '../../dsl/lookup.js';
import { type Invertible, isInvertible } from '../../dsl/layers/bijector.js';
import { type Initializer, ones, zeros } from '../../dsl/layers/initializer.js';
import type { DefinedLayer, Layer } from '../../dsl/grammar.js';
import { fieldPath } from '../../dsl/path.js';
import { sameShape, showShape } from '../../dsl/shape.js';
import { add, constantLike, div, mul, plus, sub, times, unary } from '../ir/operations.js';
import type { Var } from '../ir/program.js';
import { showType, sizeOfShape } from '../ir/type.js';
import { activate } from './activation.js';
import { runInvertible, type RunLayers } from './layer-inverse.js';
import { bindDraw, bindState, type Context, fail } from './context.js';
import { kernelRules } from './kernel-layer.js';
import { alongLast, emitOf, parameter, placeInside, type Place, type Rule, wrongShape } from './site.js';

/** Layers with rules of their own here; the invertible ones have theirs in bijector.ts. */
type Ordinary = Exclude<Layer, Invertible | { readonly tag: 'heads' }>;

const rules: { readonly [T in Ordinary['tag']]: Rule<Extract<Layer, { tag: T }>> } = {
  ...kernelRules,
  batchNorm: (site) => {
    const { context, layer, x, place } = site;
    const emit = emitOf(site);
    const channels = x.type.shape.slice(-1);
    if (channels.length === 0) return wrongShape(site, 'at least one axis');
    const state = (name: string, initializer: Initializer): Var =>
      bindState(context, { name: `${place.name}/${name}`, shape: channels, initializer });
    const runningMean = state('mean', zeros);
    const runningVariance = state('variance', ones);
    const count = context.batch * x.type.rows * sizeOfShape(x.type.shape.slice(0, -1));
    if (context.mode === 'train' && count === 1)
      return fail(
        context,
        place.path,
        'one value for each channel in a batch',
        'at least two, since a value less its own mean is always 0',
        'let the batch have more examples, or leave batchNorm out',
      );
    const average = (value: Var): Var => {
      const axes = value.type.shape.map((_, i) => i).slice(0, -1);
      const perRow = axes.length === 0 ? value : emit('reduce', { op: 'add', axes }, [value]);
      const mean = times(emit, emit('sumBatch', {}, [perRow]), 1 / count);
      return emit('statistics', { constant: layer.statistics === 'constant' }, [mean]);
    };
    const training = context.mode === 'train';
    const mean = training ? average(x) : runningMean;
    const centered = sub(emit, x, alongLast(emit, mean, x));
    const variance = training ? average(mul(emit, centered, centered)) : runningVariance;
    if (training) {
      const move = (name: string, running: Var, value: Var): void => {
        const key = `${place.name}/${name}`;
        if (context.nextStates.has(key)) return;
        const kept = times(emit, running, layer.momentum);
        context.nextStates.set(
          key,
          add(emit, kept, times(emit, emit('stop', {}, [value]), 1 - layer.momentum)),
        );
      };
      move('mean', runningMean, mean);
      move('variance', runningVariance, variance);
    }
    const deviation = unary(emit, 'sqrt', plus(emit, variance, layer.epsilon));
    const gamma = parameter(site, 'gamma', channels, ones);
    const beta = parameter(site, 'beta', channels, zeros);
    const scaled = mul(emit, centered, alongLast(emit, div(emit, gamma, deviation), x));
    return add(emit, scaled, alongLast(emit, beta, x));
  },
  dropout: (site) => {
    const { context, layer, x, place } = site;
    if (context.mode === 'inference' || layer.rate === 0) return x;
    const emit = emitOf(site);
    // Each application has a mask of its own; equal applications never get here twice.
    let masks = 0;
    while (context.draws.has(`${place.name}/mask#${masks}`)) masks++;
    const name = `${place.name}/mask#${masks}`;
    const spec = {
      name,
      distribution: 'uniform',
      rows: x.type.rows,
      probes: 1,
      shape: x.type.shape,
    } as const;
    const kept = emit('greater', {}, [
      bindDraw(context, spec, x.type),
      constantLike(emit, layer.rate, x.type),
    ]);
    return mul(emit, x, times(emit, kept, 1 / (1 - layer.rate)));
  },
  activation: (site) => activate(emitOf(site), site.layer.name, site.x, site.layer.slope),
  residual: (site) => {
    const { context, layer, x, place } = site;
    const y = elaborateLayers(context, layer.layers, x, place, '.layers');
    if (y === null) return null;
    if (showType(x.type) !== showType(y.type)) {
      const found = `a branch [${x.type.shape.join(',')}] → [${y.type.shape.join(',')}]`;
      return fail(context, place.path, found, 'a branch that keeps the shape');
    }
    return add(emitOf(site), x, y);
  },
  defined: (site) =>
    definedAt(site.context, site.layer, new Map([[inputName(site.layer), site.x]]), site.place)?.get('') ??
    null,
  averagePool: (site) => {
    const { x, layer } = site;
    const k = layer.size;
    const expected = `an image [h,w,c] whose sides divide by ${k}`;
    if (x.type.shape.length !== 3) return wrongShape(site, expected);
    const [h, w, c] = atLeast(3, x.type.shape);
    if (h % k !== 0 || w % k !== 0) return wrongShape(site, expected);
    const emit = emitOf(site);
    const windows = emit('reshape', { shape: [h / k, k, w / k, k, c] }, [x]);
    return times(emit, emit('reduce', { op: 'add', axes: [1, 3] }, [windows]), 1 / (k * k));
  },
  upsample: (site) => {
    const { x, layer } = site;
    if (x.type.shape.length !== 3) return wrongShape(site, 'an image [h,w,c]');
    const [h, w, c] = atLeast(3, x.type.shape);
    const k = layer.size;
    const emit = emitOf(site);
    const repeated = emit('broadcast', { shape: [h, k, w, k, c], axes: [0, 2, 4] }, [x]);
    return emit('reshape', { shape: [h * k, w * k, c] }, [repeated]);
  },
};

const inputName = (layer: DefinedLayer): string => Object.keys(layer.arguments)[0] ?? '';

/** The outputs of a function by name at its arguments; null where one of them is ill-formed, or an argument does not fit. */
export const definedAt = (
  context: Context,
  layer: DefinedLayer,
  given: ReadonlyMap<string, Var>,
  place: Place,
): ReadonlyMap<string, Var> | null => {
  for (const [name, shape] of Object.entries(layer.arguments)) {
    const x = given.get(name);
    const found = x === undefined ? 'nothing' : showShape(x.type.shape);
    if (x === undefined || !sameShape(x.type.shape, shape))
      return fail(
        context,
        place.path,
        `${found} as ${name}`,
        `${showShape(shape)}, as ${layer.name} is written for`,
      );
  }
  const elaborate = context.expressions(context, { arguments: given, place });
  const outputs = Object.entries(layer.outputs).flatMap(([name, body]) => {
    const y = elaborate(body, fieldPath(`${place.path}.outputs`, name));
    return y === null ? [] : [[name, y] as const];
  });
  return outputs.length === Object.keys(layer.outputs).length ? new Map(outputs) : null;
};

/** Runs a value through layers; null where one of them does not fit, with the problem noted. */
export const elaborateLayers: RunLayers = (context, layers, x, place, suffix) =>
  layers.reduce<Var | null>((value, layer, i) => {
    if (value === null) return null;
    const inside = placeInside(place, suffix, i, layer);
    if (layer.tag === 'heads')
      return fail(context, inside.path, 'heads', 'heads only as the last layer of a network');
    return isInvertible(layer)
      ? (runInvertible({ context, layer, x: value, place: inside }, elaborateLayers)?.value ?? null)
      : dispatch(context, layer, value, inside);
  }, x);

const dispatch = (context: Context, layer: Ordinary, x: Var, place: Place): Var | null => {
  switch (layer.tag) {
    case 'dense': return rules.dense({ context, layer, x, place });
    case 'conv': return rules.conv({ context, layer, x, place });
    case 'convTranspose': return rules.convTranspose({ context, layer, x, place });
    case 'spectral': return rules.spectral({ context, layer, x, place });
    case 'batchNorm': return rules.batchNorm({ context, layer, x, place });
    case 'dropout': return rules.dropout({ context, layer, x, place });
    case 'activation': return rules.activation({ context, layer, x, place });
    case 'residual': return rules.residual({ context, layer, x, place });
    case 'defined': return rules.defined({ context, layer, x, place });
    case 'averagePool': return rules.averagePool({ context, layer, x, place });
    case 'upsample': return rules.upsample({ context, layer, x, place });
  } // prettier-ignore
};
