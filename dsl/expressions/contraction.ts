/** Contractions by letters, `ik,jk->ij`: which axes agree, which are summed over, and the shape of what comes out. */
import { type Shape, showShape } from '../shape.js';

export type Subscripts = { readonly left: string; readonly right: string; readonly out: string };

const pattern = /^(?<left>[a-z]*),(?<right>[a-z]*)->(?<out>[a-z]*)$/;

const isDistinct = (letters: string): boolean => new Set(letters).size === letters.length;

/** The letters of both operands and of the result; undefined where the text means none. */
export const parseSubscripts = (text: string): Subscripts | undefined => {
  const { left, right, out } = pattern.exec(text)?.groups ?? {};
  return left !== undefined &&
    right !== undefined &&
    out !== undefined &&
    [left, right, out].every(isDistinct)
    ? { left, right, out }
    : undefined;
};

/** Sizes by letter. */
export const sizesOf = ({ left, right }: Subscripts, a: Shape, b: Shape): ReadonlyMap<string, number> =>
  new Map([
    ...[...right].map((letter, i) => [letter, b[i] ?? 1] as const),
    ...[...left].map((letter, i) => [letter, a[i] ?? 1] as const),
  ]);

/** The shape of a contraction, or what it expects instead, in words. */
export const contractionShape = (text: string, a: Shape, b: Shape): Shape | string => {
  const subscripts = parseSubscripts(text);
  if (subscripts === undefined)
    return 'subscripts such as "ik,jk->ij": a letter for each axis, none twice in one array';
  const { left, right, out } = subscripts;
  if (left.length !== a.length || right.length !== b.length)
    return `a letter for each axis of ${showShape(a)} and ${showShape(b)}`;
  const sizes = sizesOf(subscripts, a, b);
  const clash = [...right].find((letter, i) => sizes.get(letter) !== b[i]);
  if (clash !== undefined) return `one size for ${clash} in ${showShape(a)} and ${showShape(b)}`;
  const unknown = [...out].find((letter) => !sizes.has(letter));
  return unknown === undefined
    ? [...out].map((letter) => sizes.get(letter) ?? 1)
    : `letters of the operands in the result; ${unknown} is none`;
};
