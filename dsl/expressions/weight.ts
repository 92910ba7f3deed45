/** The weight of a term where it is a schedule: the factors of the term that depend on the step and on numbers alone. */
import type { Objective } from '../experiment.js';
import type { BinaryOp, Node, UnaryOp } from './expression.js';
import { once } from './once.js';

/** A number at each step; undefined where an expression depends on anything else, or is of a kind that schedules are not made of. */
type AtStep = ((step: number) => number) | undefined;

const unary: Partial<Readonly<Record<UnaryOp, (x: number) => number>>> = {
  neg: (x) => -x,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  square: (x) => x * x,
  abs: Math.abs,
  relu: (x) => Math.max(x, 0),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

const binary: Readonly<Record<BinaryOp, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: Math.max,
  min: Math.min,
  pow: Math.pow,
  greater: (a, b) => (a > b ? 1 : 0),
};

/** The value of a schedule at each step. */
export const atStep: (node: Node) => AtStep = once((node): AtStep => {
  switch (node.tag) {
    case 'constant':
    case 'hyper':
      return () => node.value;
    case 'step':
      return (step) => step;
    case 'stop':
      return atStep(node.of);
    case 'unary': {
      const [of, apply] = [atStep(node.of), unary[node.op]];
      return of && apply && ((step) => apply(of(step)));
    }
    case 'binary': {
      const [left, right] = [atStep(node.left), atStep(node.right)];
      return left && right && ((step) => binary[node.op](left(step), right(step)));
    }
    case 'scale': {
      const [by, of] = [atStep(node.by), atStep(node.of)];
      return by && of && ((step) => by(step) * of(step));
    }
    case 'select': {
      const [condition, then, otherwise] = [node.condition, node.then, node.otherwise].map(atStep);
      return (
        condition && then && otherwise && ((step) => (condition(step) === 0 ? otherwise(step) : then(step)))
      );
    }
    default:
      return undefined;
  }
});

const changes: (node: Node) => boolean = once((node) => {
  switch (node.tag) {
    case 'step':
      return true;
    case 'stop':
    case 'unary':
      return changes(node.of);
    case 'binary':
      return changes(node.left) || changes(node.right);
    case 'scale':
      return changes(node.by) || changes(node.of);
    case 'select':
      return [node.condition, node.then, node.otherwise].some(changes);
    default:
      return false;
  }
});

type Factor = { readonly weight: Node; readonly rest: Node; readonly isDivisor: boolean };

/** A term as a factor times, or divided by which, the rest is the term. */
const factorsOf = (node: Node): readonly Factor[] => {
  if (node.tag === 'scale') return [{ weight: node.by, rest: node.of, isDivisor: false }];
  if (node.tag !== 'binary') return [];
  const { op, left, right } = node;
  if (op === 'mul')
    return [
      { weight: left, rest: right, isDivisor: false },
      { weight: right, rest: left, isDivisor: false },
    ];
  return op === 'div' ? [{ weight: right, rest: left, isDivisor: true }] : [];
};

/** What a term is multiplied by at each step; undefined where that is the same at every step, or not known from the step alone. */
export const weightOf = (term: Node): AtStep => {
  if (term.tag === 'unary' && term.op === 'neg') return weightOf(term.of);
  for (const { weight, rest, isDivisor } of factorsOf(term)) {
    const own = atStep(weight);
    if (own === undefined) continue;
    const inner = weightOf(rest);
    if (!changes(weight)) {
      if (inner !== undefined) return inner;
      continue;
    }
    return (step) => (isDivisor ? 1 / own(step) : own(step)) * (inner?.(step) ?? 1);
  }
  return undefined;
};

/** The terms of an objective whose weight is a schedule, each with its weight at a step. */
export const scheduledWeights = (objective: Objective): ReadonlyMap<string, (step: number) => number> =>
  new Map(
    Object.entries(objective).flatMap(([name, term]) => {
      const weight = weightOf(term);
      return weight === undefined ? [] : [[name, weight] as const];
    }),
  );
