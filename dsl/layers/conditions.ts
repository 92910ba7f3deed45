/** Layers and expressions for what a network is told beside its input: classes, conditions, coordinates. */
import { broadcast, contract } from '../expressions/arrays.js';
import { gather } from '../expressions/gather.js';
import { add, concat, cos, type Expr, mul, parameter, sin, stop } from '../expressions/expression.js';
import type { Node } from '../grammar.js';
import type { Shape } from '../shape.js';
import { shapeOf } from '../shape-rules.js';
import { layer, through } from './defined.js';
import { normalInitializer } from './initializer.js';
import { dense } from './layer.js';

/** A trainable vector for each of so many classes or tokens, by their numbers from 0: [] → [units], [t] → [t,units]. */
export const embedding = <const N extends number, S extends Shape>(count: number, units: N) =>
  layer('embedding', (x: Expr<S>): Expr<readonly [...S, N]> =>
    gather(parameter('table', normalInitializer(1), count, units), x),
  );

/** Sines and cosines of so many random projections, which are not trained; Tancik et al. 2020. [n] → [2·count]. */
export const fourierFeatures = (count: number, deviation = 1) =>
  layer('fourierFeatures', (x: Expr<readonly [number]>, [n]): Expr<readonly [number]> => {
    const frequencies = stop(parameter('frequencies', normalInitializer(2 * Math.PI * deviation), n, count));
    const angles = contract('i,ij->j', x, frequencies);
    return concat(sin(angles), cos(angles));
  });

/**
 * x·(1 + γ) + β, γ and β a number for each channel out of a condition; Perez et al. 2018. In a body; its parameters are called after the name.
 */
export const film = <S extends Shape>(
  name: string,
  x: Expr<S>,
  condition: Expr<readonly [number]>,
): Expr<S> => {
  const shape = shapeOf(x) ?? [];
  const channels = shape.at(-1) ?? 1;
  const each = (role: string): Node =>
    broadcast(through(`${name} ${role}`, condition, dense(channels)), shape, [shape.length - 1]);
  const gain: Node = add<Shape>({ tag: 'fill', of: { tag: 'constant', value: 1 }, shape }, each('gain'));
  const scaled: Node = mul<Shape>(x, gain);
  const moved: Node = add<Shape>(scaled, each('shift'));
  return moved;
};
