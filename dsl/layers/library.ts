/** Layers that are only compositions, written as anyone would write theirs: the language's own library shows that it is open. */
import {
  along,
  broadcast,
  byRootMeanSquare,
  contract,
  meanOver,
  range,
  softmax,
} from '../expressions/arrays.js';
import {
  activate,
  add,
  concatAlong,
  cos,
  exp,
  mul,
  parameter,
  scale,
  sin,
  slice,
  sub,
} from '../expressions/expression.js';
import type { ActivationName, Expr, Node } from '../grammar.js';
import { namesOf, unknownOptions } from '../mistake.js';
import type { Shape } from '../shape.js';
import { layer, through } from './defined.js';
import { normalInitializer, ones, zeros } from './initializer.js';
import { type Block, dense, type Stack } from './layer.js';

/** A value for each channel, the last axis, at every place. */
const perChannel = (of: Expr<readonly [number]>, shape: Shape): Expr =>
  broadcast(of, shape, [shape.length - 1]);

const lastAxis = (shape: Shape): Shape => [shape.length - 1];

/** (x − mean)/√(variance + ε) over the channels, the last axis, at every place, scaled and shifted; Ba, Kiros and Hinton 2016. […,c] → […,c]. */
export const layerNorm = <S extends Shape>(epsilon = 1e-5): Block<S, S> =>
  layer('layerNorm', (x: Expr<S>, shape): Expr<S> => {
    const c = shape.at(-1) ?? 1;
    const centred: Expr = sub<Shape>(x, along(meanOver(x, lastAxis(shape)), x, lastAxis(shape)));
    const normal = byRootMeanSquare(centred, lastAxis(shape), epsilon);
    const scaled: Expr = mul<Shape>(normal, perChannel(parameter('gain', ones, c), shape));
    const shifted: Node = add<Shape>(scaled, perChannel(parameter('shift', zeros, c), shape));
    return shifted;
  });

/** x/√(mean x² + ε) over the channels, the last axis, at every place, scaled; Zhang and Sennrich 2019. […,c] → […,c]. */
export const rmsNorm = <S extends Shape>(epsilon = 1e-6): Block<S, S> =>
  layer('rmsNorm', (x: Expr<S>, shape): Expr<S> => {
    const normal: Expr = byRootMeanSquare(x, lastAxis(shape), epsilon);
    const scaled: Node = mul<Shape>(normal, perChannel(parameter('gain', ones, shape.at(-1) ?? 1), shape));
    return scaled;
  });

/** x·W + b for each token: [t,c] → [t,units]. */
export const tokenDense = <T extends number, const N extends number>(units: N) =>
  layer('tokenDense', (x: Expr<readonly [T, number]>, [t, c]): Expr<readonly [T, N]> => {
    const kernel = parameter('kernel', normalInitializer(1 / Math.sqrt(c)), c, units);
    const product: Node = contract('ti,ij->tj', x, kernel);
    return add<readonly [T, N]>(product, broadcast(parameter('bias', zeros, units), [t, units], [1]));
  });

/** A trainable vector for each place, added to it: [t,c] → [t,c]. */
export const positions = <S extends Shape>(): Block<S, S> =>
  layer('positions', (x: Expr<S>, shape): Expr<S> => {
    const placed: Node = add<Shape>(x, parameter('place', normalInitializer(0.02), ...shape));
    return placed;
  });

/** Sines and cosines of the places of a sequence, of wavelengths from 2π to 20,000π, added to it; Vaswani et al. 2017. [t,c] → [t,c]. */
export const sinusoidalPositions = <T extends number, C extends number>(): Block<
  readonly [T, C],
  readonly [T, C]
> =>
  layer('sinusoidalPositions', (x: Expr<readonly [T, C]>, [t, c]): Expr<readonly [T, C]> => {
    const half = Math.ceil(c / 2);
    const rates = exp(scale(-Math.log(10_000) / half, range(half)));
    const angles = contract('t,c->tc', range(t), rates);
    const features: Expr = slice(concatAlong(1, sin(angles), cos(angles)), [0, 0], [t, c]);
    const placed: Node = add<Shape>(x, features);
    return placed;
  });

/** f(x) and x beside each other along the channels, as the two arms of a U-net are; Ronneberger, Fischer and Brox 2015. */
export const skip = <A extends readonly number[], O extends readonly number[]>(
  f: (stack: Stack<A, A>) => Stack<A>,
) =>
  layer('skip', (x: Expr<A>, shape): Expr<O> => {
    const joined: Node = concatAlong(shape.length - 1, x, through('inner', x, f));
    return joined;
  });

/** exp x / Σ exp x over the last axis, at every place: probabilities. […,c] → […,c]. */
export const softmaxLayer = <S extends Shape>(): Block<S, S> =>
  layer('softmax', (x: Expr<S>, shape): Expr<S> => softmax(x, lastAxis(shape)));

type GateOptions = {
  /** Default `sigmoid`, the gated linear unit; `silu` and `gelu` are known as SwiGLU and GEGLU. */
  readonly by?: Exclude<ActivationName, 'leakyRelu'>;
};

/** The last axis replaced. */
type Projected<S extends Shape, N extends number> = S extends readonly [...infer Places extends Shape, number]
  ? readonly [...Places, N]
  : Shape;

/** a·f(b) of two products with the channels of every place: [n] → [units], [t,c] → [t,units]; Dauphin et al. 2017, Shazeer 2020. */
export const gated = <const N extends number, S extends Shape>(
  units: N,
  options: GateOptions = {},
): Block<S, Projected<S, N>> => {
  const mistakes = unknownOptions('gated', options, namesOf<GateOptions>({ by: true }));
  return layer('gated', (x: Expr<S>, shape): Expr<Projected<S, N>> => {
    const given: Node = x;
    const seen = (role: string): Expr =>
      shape.length === 1
        ? through<readonly [number], readonly [N]>(role, given, dense(units))
        : through<readonly [number, number], readonly [number, N]>(role, given, tokenDense(units));
    const opened: Node = mul<Shape>(seen('value'), activate(options.by ?? 'sigmoid', seen('gate')));
    return { ...opened, ...mistakes };
  });
};
