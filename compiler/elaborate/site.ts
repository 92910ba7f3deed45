/** What the elaboration of one layer sees, and what every rule needs. */
import type { Initializer } from '../../dsl/initializer.js';
import type { Layer } from '../../dsl/layer.js';
import type { Emit, Var } from '../program.js';
import { bindParameter, type Context, fail } from './context.js';

/** Where a layer stands: in the specification, for problems, and in the names of its parameters. */
export type Place = { readonly path: string; readonly name: string };

/** What one layer's elaboration sees. */
export type Site<L extends Layer = Layer> = {
  readonly context: Context;
  readonly layer: L;
  readonly x: Var;
  readonly place: Place;
};

export type Rule<L extends Layer> = (site: Site<L>) => Var | null;

export const emitOf = ({ context }: Site): Emit => context.builder.emit;

export const wrongShape = ({ context, x, place }: Site, expected: string): null =>
  fail(context, place.path, `an input of shape [${x.type.shape.join(',')}]`, expected);

export const parameter = (
  { context, place }: Site,
  role: string,
  shape: readonly number[],
  initializer: Initializer,
  fans: { readonly fanIn: number; readonly fanOut: number } = { fanIn: 1, fanOut: 1 },
): Var => bindParameter(context, { name: `${place.name}/${role}`, shape, initializer, ...fans });

/** A value of the last axis made to fill the shape of x. */
export const alongLast = (emit: Emit, value: Var, x: Var): Var => {
  const { shape } = x.type;
  return shape.length === 1 ? value : emit('broadcast', { shape, axes: [shape.length - 1] }, [value]);
};
