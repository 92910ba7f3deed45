/** Whether two peers computed the same: every term of two steps, and every parameter's gradient in the first. */
import { atLeast, entryOf, float32At } from '../../dsl/lookup.js';
import type { ArrayEntry, Ready, Terms } from './workloads.js';

/** Relative, for terms of the first step. */
const termTolerance = 1e-4;
/** The second step follows an update whose smallest gradients are rounding errors of either sign. */
const secondTolerance = 2e-3;
/** ‖g − g′‖ of one parameter over ‖g‖ of that parameter plus a thousandth of all. */
const gradientTolerance = 1e-2;

const injFlowTerms = ['loss', 'prior', 'reconstruction', 'volume', 'injectivity'];

/** The worst relative difference of any term. */
const worstTerm = (names: readonly string[], reference: Terms, terms: Terms): number =>
  Math.max(
    ...names.map(
      (name) => Math.abs(entryOf(terms, name) - entryOf(reference, name)) / Math.abs(reference[name] || 1),
    ),
  );

const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));

export type Agreement = {
  readonly terms: number;
  readonly second: number;
  /** The worst parameter. */
  readonly gradient: { readonly name: string; readonly difference: number };
};

export const agreement = (
  arrays: readonly ArrayEntry[],
  reference: { readonly ready: Ready; readonly gradients: Float32Array },
  other: { readonly ready: Ready; readonly gradients: Float32Array },
  names: readonly string[] = injFlowTerms,
): Agreement => {
  const floor = norm(reference.gradients) / 1000;
  let at = 0;
  let gradient = { name: '', difference: -1 };
  for (const { name, shape } of arrays.filter(({ role }) => role === 'parameter')) {
    const size = shape.reduce((a, b) => a * b, 1);
    const [ours, theirs] = atLeast(
      2,
      [reference.gradients, other.gradients].map((g) => g.subarray(at, at + size)),
    );
    const difference = norm(ours.map((x, i) => x - float32At(theirs, i))) / (norm(ours) + floor);
    if (!(difference <= gradient.difference)) gradient = { name, difference };
    at += size;
  }
  return {
    terms: worstTerm(names, reference.ready.terms[0], other.ready.terms[0]),
    second: worstTerm(names, reference.ready.terms[1], other.ready.terms[1]),
    gradient,
  };
};

/** What differs, in words; undefined where nothing does. */
export const disagreement = ({ terms, second, gradient }: Agreement): string | undefined => {
  const digits = (x: number): string => x.toExponential(1);
  if (!(terms <= termTolerance)) return `a term differs by ${digits(terms)}`;
  if (!(gradient.difference <= gradientTolerance))
    return `the gradient of ${gradient.name} differs by ${digits(gradient.difference)}`;
  if (!(second <= secondTolerance)) return `after one update a term differs by ${digits(second)}`;
  return undefined;
};
