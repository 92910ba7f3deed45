/** Expressions written beside the terms of an objective, under names that no term has, so that both are checked as one. */
import type { Objective } from './experiment.js';
import type { Node } from './expressions/expression.js';

export type Beside = {
  /** The objective's own terms and the expressions. */
  readonly objective: Objective;
  /** The name of the term that each expression is, by the expression's own name. */
  readonly terms: ReadonlyMap<string, string>;
};

/** The objective with the expressions as further terms, named by their place behind as many primes as make them nobody else's. */
export const besideTerms = (objective: Objective, expressions: Readonly<Record<string, Node>>): Beside => {
  const isFree = (word: string): boolean => Object.keys(objective).every((term) => !term.startsWith(word));
  const primed = (word: string): string => (isFree(word) ? word : primed(`${word}′`));
  const word = primed('expression');
  const named = Object.entries(expressions).map(
    ([name, node], place) => [name, `${word} ${place}`, node] as const,
  );
  return {
    objective: { ...objective, ...Object.fromEntries(named.map(([, term, node]) => [term, node])) },
    terms: new Map(named.map(([name, term]) => [name, term])),
  };
};
