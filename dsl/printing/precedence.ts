/** Pieces of a formula: a text, and how tightly its outermost operation binds. */

export const level = { sum: 1, minus: 2, product: 3, power: 4, atom: 5 } as const;

export type Level = (typeof level)[keyof typeof level];

export type Piece = { readonly text: string; readonly level: Level };

/** A text that needs no parentheses anywhere. */
export const atom = (text: string): Piece => ({ text, level: level.atom });

/** The text, in parentheses where it binds less tightly than its place asks. */
export const within = (least: Level, piece: Piece): string =>
  piece.level < least ? `(${piece.text})` : piece.text;
