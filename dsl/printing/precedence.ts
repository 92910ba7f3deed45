/** Pieces of a formula: a text, and how tightly its outermost operation binds. */

export const precedence = { sum: 1, minus: 2, product: 3, power: 4, atom: 5 } as const;

export type Precedence = (typeof precedence)[keyof typeof precedence];

export type Printed = { readonly text: string; readonly precedence: Precedence };

/** A text that needs no parentheses anywhere. */
export const atom = (text: string): Printed => ({ text, precedence: precedence.atom });

/** The text, in parentheses where it binds less tightly than its place asks. */
export const within = (least: Precedence, printed: Printed): string =>
  printed.precedence < least ? `(${printed.text})` : printed.text;
