/** What the elaboration of one layer sees, and what every rule needs. */
import type { Initializer } from '../../dsl/layers/initializer.js';
import type { Layer } from '../../dsl/layers/layer.js';
import { layerName } from '../../dsl/network.js';
import { type Shape, showShape } from '../../dsl/shape.js';
import { add } from '../ir/operations.js';
import type { Emit, Var } from '../ir/program.js';
import { bindParameter, type Context, fail, type Place } from './context.js';

export type { Place } from './context.js';

/** What one layer's elaboration sees. */
export type Site<L extends Layer = Layer> = {
  readonly context: Context;
  readonly layer: L;
  readonly x: Var;
  readonly place: Place;
};

export type Rule<L extends Layer> = (site: Site<L>) => Var | null;

/** The place of a layer inside another or inside a network. */
export const placeInside = (place: Place, suffix: string, i: number, layer: Layer): Place => ({
  path: `${place.path}${suffix}[${i}]`,
  name: `${place.name}/${layerName(i, layer)}`,
});

export const emitOf = ({ context }: Site): Emit => context.builder.emit;

export const wrongShape = ({ context, x, place }: Site, expected: string): null =>
  fail(context, place.path, `an input of shape ${showShape(x.type.shape)}`, expected);

/** The parameter `PLACE/role` of a layer. */
export const parameter = (
  { context, place }: Site,
  role: string,
  shape: Shape,
  initializer: Initializer,
  fans: { readonly fanIn: number; readonly fanOut: number } = { fanIn: 1, fanOut: 1 },
): Var => bindParameter(context, { name: `${place.name}/${role}`, role, shape, initializer, ...fans });

/** A value of the last axis made to fill the shape of x. */
export const alongLast = (emit: Emit, value: Var, x: Var): Var => {
  const { shape } = x.type;
  return shape.length === 1 ? value : emit('broadcast', { shape, axes: [shape.length - 1] }, [value]);
};

/** y plus a trainable number for each channel, from zero. */
export const withBias = (site: Site, y: Var, bias: boolean): Var =>
  bias
    ? add(
        emitOf(site),
        y,
        alongLast(emitOf(site), parameter(site, 'bias', y.type.shape.slice(-1), { tag: 'zeros' }), y),
      )
    : y;
