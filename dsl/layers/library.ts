/** Layers that are only compositions, written as anyone would write theirs: the language's own library shows that it is open. */
import { along, broadcast, byRootMeanSquare, contract, meanOver, softmax } from '../expressions/arrays.js';
import { add, concatAlong, mul, parameter, scale, sub } from '../expressions/expression.js';
import type { Expr, Node } from '../grammar.js';
import { layer, through } from './defined.js';
import { normalInitializer, ones, zeros } from './initializer.js';
import { unknownOptions } from '../mistake.js';
import { dense, type Stack } from './layer.js';

type Tokens<T extends number, C extends number> = readonly [T, C];
type Keeping<T extends number, C extends number> = <I extends readonly number[]>(
  stack: Stack<I, Tokens<T, C>>,
) => Stack<I, Tokens<T, C>>;

/** A value for each channel, the last axis, at every place of [t,c]. */
const perChannel = <T extends number, C extends number>(
  of: Expr<readonly [C]>,
  [t, c]: Tokens<T, C>,
): Expr<Tokens<T, C>> => broadcast(of, [t, c], [1]);

/** (x − mean)/√(variance + ε) over the channels of each token, scaled and shifted; Ba, Kiros and Hinton 2016. [t,c] → [t,c]. */
export const layerNorm = <T extends number, C extends number>(epsilon = 1e-5): Keeping<T, C> =>
  layer('layerNorm', (x: Expr<Tokens<T, C>>, shape) => {
    const [, c] = shape;
    const centred: Expr<Tokens<T, C>> = sub(x, along(meanOver(x, [1]), x, [1]));
    const normal = byRootMeanSquare(centred, [1], epsilon);
    return add(
      mul(normal, perChannel(parameter('gain', ones, c), shape)),
      perChannel(parameter('shift', zeros, c), shape),
    );
  });

/** x/√(mean x² + ε) over the channels of each token, scaled; Zhang and Sennrich 2019. [t,c] → [t,c]. */
export const rmsNorm = <T extends number, C extends number>(epsilon = 1e-6): Keeping<T, C> =>
  layer('rmsNorm', (x: Expr<Tokens<T, C>>, shape) => {
    const [, c] = shape;
    return mul(byRootMeanSquare(x, [1], epsilon), perChannel(parameter('gain', ones, c), shape));
  });

/** x·W + b for each token: [t,c] → [t,units]. */
export const tokenDense = <T extends number, const N extends number>(units: N) =>
  layer('tokenDense', (x: Expr<readonly [T, number]>, [t, c]): Expr<readonly [T, N]> => {
    const kernel = parameter('kernel', normalInitializer(1 / Math.sqrt(c)), c, units);
    const product: Node = contract('ti,ij->tj', x, kernel);
    return add<readonly [T, N]>(product, broadcast(parameter('bias', zeros, units), [t, units], [1]));
  });

/** Scaled dot-product attention of every token to all, in heads, with a projection of what they say; Vaswani et al. 2017. [t,c] → [t,c]. */
export const selfAttention = <T extends number, C extends number>(options: {
  readonly heads: number;
}): Keeping<T, C> => {
  const mistakes = unknownOptions('selfAttention', options, ['heads']);
  return layer('selfAttention', (x: Expr<Tokens<T, C>>, [, c]): Expr<Tokens<T, C>> => {
    const width = Math.max(1, Math.floor(c / options.heads));
    const start = normalInitializer(1 / Math.sqrt(c));
    const seen = (role: string) =>
      contract('ti,ihj->htj', x, parameter(role, start, c, options.heads, width));
    const scores = scale(1 / Math.sqrt(width), contract('hti,hsi->hts', seen('query'), seen('key')));
    const said = contract('hts,hsj->htj', softmax(scores, [2]), seen('value'));
    const projected: Node = contract(
      'htj,hjc->tc',
      said,
      parameter('output', start, options.heads, width, c),
    );
    return { ...projected, ...mistakes };
  });
};

/** A trainable vector for each place of a sequence, added to it. [t,c] → [t,c]. */
export const positions = <T extends number, C extends number>(): Keeping<T, C> =>
  layer('positions', (x: Expr<Tokens<T, C>>, [t, c]) =>
    add(x, parameter('place', normalInitializer(0.02), t, c)),
  );

/** f(x) and x beside each other along the channels, as the two arms of a U-net are; Ronneberger, Fischer and Brox 2015. */
export const skip = <A extends readonly number[], O extends readonly number[]>(
  f: (stack: Stack<A, A>) => Stack<A>,
) =>
  layer('skip', (x: Expr<A>, shape): Expr<O> => {
    const joined: Node = concatAlong(shape.length - 1, x, through('inner', x, f));
    return joined;
  });

/** a·σ(b) of two products of a vector: [n] → [units]; Dauphin et al. 2017. */
export const gated = <const N extends number>(units: N) =>
  layer('gated', (x: Expr<readonly [number]>): Expr<readonly [N]> => {
    const gate: Expr<readonly [N]> = through('gate', x, dense(units));
    return mul(through('value', x, dense(units)), { tag: 'unary', op: 'sigmoid', of: gate });
  });
