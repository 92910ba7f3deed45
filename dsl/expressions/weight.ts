/** The weight of a term where it is a schedule: the factors of the term that depend on the step and on numbers alone. */
import type { Objective } from '../experiment.js';
import { type BinaryOp, constant, type Node, type UnaryOp } from './expression.js';
import { once } from './once.js';
import { children, mapChildren } from './rewrite.js';

/** A number at each step; undefined where an expression depends on anything else, or is of a kind that schedules are not made of. */
type AtStep = ((step: number) => number) | undefined;

const unary: Partial<Readonly<Record<UnaryOp, (x: number) => number>>> = {
  neg: (x) => -x,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  square: (x) => x * x,
  abs: Math.abs,
  sin: Math.sin,
  cos: Math.cos,
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

type Running = Extract<Node, { readonly tag: 'running' }>;

/** The value of a schedule at each step, running values being what they are taken for. */
const atStepWith = (running: (node: Running) => AtStep): ((node: Node) => AtStep) => {
  const at: (node: Node) => AtStep = once((node): AtStep => {
    switch (node.tag) {
      case 'constant':
      case 'hyper':
        return () => node.value;
      case 'step':
        return (step) => step;
      case 'running':
        return running(node);
      case 'stop':
        return at(node.of);
      case 'unary': {
        const [of, apply] = [at(node.of), unary[node.op]];
        return of && apply && ((step) => apply(of(step)));
      }
      case 'binary': {
        const [left, right] = [at(node.left), at(node.right)];
        return left && right && ((step) => binary[node.op](left(step), right(step)));
      }
      case 'scale': {
        const [by, of] = [at(node.by), at(node.of)];
        return by && of && ((step) => by(step) * of(step));
      }
      case 'select': {
        const [condition, then, otherwise] = [node.condition, node.then, node.otherwise].map(at);
        return (
          condition && then && otherwise && ((step) => (condition(step) === 0 ? otherwise(step) : then(step)))
        );
      }
      default:
        return undefined;
    }
  });
  return at;
};

/** The value of a schedule at each step. */
export const atStep = atStepWith(() => undefined);

/** The same with running values as they begin, where a schedule follows the training. */
const atBeginning = atStepWith(
  ({ initial }) =>
    () =>
      initial,
);

const changes: (node: Node) => boolean = once((node) => {
  switch (node.tag) {
    case 'step':
    case 'running':
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

/** A term without the factors that are schedules, and what these come to at the end of training. */
export type Settled = { readonly term: Node; readonly weight: number };

/** A factor that follows the training may begin at 0, or have no value yet: it counts as 1 then. */
const settledWeight = (weight: Node, step: number, isDivisor: boolean): number | undefined => {
  const value = atBeginning(weight)?.(step);
  if (value === undefined) return undefined;
  const factor = isDivisor ? 1 / value : value;
  return atStep(weight) === undefined && !(Number.isFinite(factor) && factor !== 0) ? 1 : factor;
};

/** The same factor as a number in its place. */
const withFactor = (node: Node, { weight, isDivisor }: Factor, step: number): Node => {
  const value = changes(weight) ? settledWeight(weight, step, isDivisor) : undefined;
  if (value === undefined) return node;
  const number = constant(isDivisor ? 1 / value : value);
  return mapChildren(node, (child) => (child === weight ? number : child));
};

/** An expression with the step and the weights in it as they are at one step; running values that are no weights stay what they are. */
const held = (step: number): ((node: Node) => Node) => {
  const at: (node: Node) => Node = once((node) => {
    if (node.tag === 'step') return constant(step);
    // Its update is that of the objective.
    if (node.tag === 'running') return { tag: 'running', name: node.name, initial: node.initial };
    const whole = factorsOf(node).reduce<Node>((held, factor) => withFactor(held, factor, step), node);
    return children(whole).every((child) => at(child) === child) ? whole : mapChildren(whole, at);
  });
  return at;
};

const settledTerm = (term: Node, step: number): Settled => {
  if (term.tag === 'unary' && term.op === 'neg') {
    const inner = settledTerm(term.of, step);
    return inner.term === term.of ? { ...inner, term } : { ...inner, term: { ...term, of: inner.term } };
  }
  for (const { weight, rest, isDivisor } of factorsOf(term)) {
    if (atBeginning(weight) === undefined) continue;
    const inner = settledTerm(rest, step);
    if (!changes(weight))
      return inner.term === rest
        ? { ...inner, term }
        : { ...inner, term: mapChildren(term, (child) => (child === rest ? inner.term : child)) };
    return { term: inner.term, weight: inner.weight * (settledWeight(weight, step, isDivisor) ?? 1) };
  }
  return { term: held(step)(term), weight: 1 };
};

/**
 * The terms that change with the step, or whose weight follows the training: each without its weight, beside what that is at `step`. By
 * them one set of weights can be compared with another from another step; the loss alone grows where a weight does.
 */
export const settledTerms = (objective: Objective, step: number): ReadonlyMap<string, Settled> =>
  new Map(
    Object.entries(objective).flatMap(([name, term]) => {
      const settled = settledTerm(term, step);
      return settled.weight === 1 && settled.term === term ? [] : [[name, settled] as const];
    }),
  );
