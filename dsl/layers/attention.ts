/** Attention: what is said at places, weighed by how queries agree with keys; Vaswani et al. 2017. */
import { band, broadcast, contract, softmax, transpose } from '../expressions/arrays.js';
import { add, fill, parameter, reshaped, scale, sub } from '../expressions/expression.js';
import type { Expr, Node } from '../grammar.js';
import { namesOf, unknownOptions } from '../mistake.js';
import { type Shape, sizeOf } from '../shape.js';
import { shapeOf } from '../shape-rules.js';
import { layer } from './defined.js';
import { normalInitializer } from './initializer.js';
import type { Block } from './layer.js';

/** What a forbidden place has less in its score than any other: its share of the softmax is 0 in single precision. */
const FORBIDDEN = 1e9;

/**
 * Scaled dot-product attention in heads: queries [h,t,k] at t places, keys [h,s,k] and values [h,s,v] at s places → [h,t,v]. `allowed` [t,s] is 1 where a
 * place may look at another and 0 where not, such as at what is missing; where a place may look at none it looks at all alike.
 */
export const attention = <
  H extends number,
  T extends number,
  S extends number,
  K extends number,
  V extends number,
>(
  query: Expr<readonly [H, T, K]>,
  key: Expr<readonly [H, S, K]>,
  value: Expr<readonly [H, S, V]>,
  allowed?: Expr<readonly [T, S]>,
): Expr<readonly [H, T, V]> => {
  const said: Node = attended(query, key, value, allowed);
  return said;
};

/** The same where any axes come before those of places and features. */
const attended = (query: Expr, key: Expr, value: Expr, allowed: Expr | undefined): Expr => {
  const shape = shapeOf(query) ?? [];
  const each = [...'abcdef'].slice(0, Math.max(0, shape.length - 2)).join('');
  const agreement = scale(
    1 / Math.sqrt(shape.at(-1) ?? 1),
    contract(`${each}tk,${each}sk->${each}ts`, query, key),
  );
  const wide = shapeOf(agreement) ?? [];
  const scores: Expr =
    allowed === undefined
      ? agreement
      : add<Shape>(
          agreement,
          scale(
            FORBIDDEN,
            broadcast(sub<Shape>(allowed, fill(1, ...wide.slice(-2))), wide, [
              wide.length - 2,
              wide.length - 1,
            ]),
          ),
        );
  return contract(`${each}ts,${each}sv->${each}tv`, softmax(scores, [wide.length - 1]), value);
};

type AttentionOptions = {
  readonly heads: number;
  /** A place sees itself and those before it. */
  readonly causal?: boolean;
  /** The axis along which places see each other, those along others each on their own. Default: all places see all, whatever the axes. */
  readonly axis?: number;
};

const optionNames = namesOf<AttentionOptions>({ heads: true, causal: true, axis: true });

/** Places along one axis [e,t,c], e of the others, and the way back. */
const along = (x: Expr, shape: Shape, axis: number | undefined) => {
  const c = shape.at(-1) ?? 1;
  if (axis === undefined) {
    const t = sizeOf(shape.slice(0, -1));
    return { rows: reshaped(x, 1, t, c), back: (of: Expr): Expr => reshaped(of, ...shape) };
  }
  const others = shape.map((_, i) => i).filter((i) => i !== axis && i < shape.length - 1);
  const order = [...others, axis, shape.length - 1];
  const turned = order.map((i) => shape[i] ?? 1);
  return {
    rows: reshaped(transpose(x, order), sizeOf(turned.slice(0, -2)), shape[axis] ?? 1, c),
    back: (of: Expr): Expr =>
      transpose(
        reshaped(of, ...turned),
        order.map((_, i) => order.indexOf(i)),
      ),
  };
};

/** Attention of places to each other, in heads, with a projection of what they say. […,c] → […,c]: a sequence [t,c], an image [h,w,c]. */
export const selfAttention = <S extends Shape>(options: AttentionOptions): Block<S, S> => {
  const mistakes = unknownOptions('selfAttention', options, optionNames);
  return layer('selfAttention', (x: Expr<S>, shape): Expr<S> => {
    const { heads, causal = false, axis } = options;
    const c = shape.at(-1) ?? 1;
    const width = Math.max(1, Math.floor(c / heads));
    const start = normalInitializer(1 / Math.sqrt(c));
    const { rows, back } = along(x, shape, axis);
    const [e = 1, t = 1] = shapeOf(rows) ?? [];
    // A single sequence needs no axis for others beside it.
    const others = e === 1 ? '' : 'e';
    const sequences: Expr = e === 1 ? reshaped(rows, t, c) : rows;
    const seen = (role: string): Expr =>
      contract(`${others}ti,ihj->${others}htj`, sequences, parameter(role, start, c, heads, width));
    const allowed = causal ? band(fill(1, t, t), { below: 1, diagonal: 1, above: 0 }) : undefined;
    const said = attended(seen('query'), seen('key'), seen('value'), allowed);
    const projected = contract(
      `${others}htj,hjc->${others}tc`,
      said,
      parameter('output', start, heads, width, c),
    );
    const result: Node = back(projected);
    return { ...result, ...mistakes };
  });
};
