/** Blocks of arrays: a part of what was joined is the part itself, and disjoint blocks that are added up are joined. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { type Equation, is, type Var } from '../ir/program.js';
import type { Params } from '../ir/params.js';
import type { Rule } from './rewrite.js';

const isOnly = (axis: number, values: readonly number[]): boolean =>
  values.every((n, i) => i === axis || n === 0);

/** slice(concat(…, x, …)) inside x = slice(x). */
const partOfJoined: Rule = (eq, emit, definition) => {
  if (!is(eq, 'slice')) return null;
  const joined = definition(elementAt(eq.inputs, 0));
  if (joined === undefined || !is(joined, 'concat')) return null;
  const { axis } = joined.params;
  const { begin, size } = eq.params;
  let start = 0;
  for (const part of joined.inputs) {
    const end = start + elementAt(part.type.shape, axis);
    if (elementAt(begin, axis) >= start && elementAt(begin, axis) + elementAt(size, axis) <= end) {
      const own = begin.map((b, i) => (i === axis ? b - start : b));
      return emit('slice', { begin: own, size }, [part]);
    }
    start = end;
  }
  return null;
};

type Block = { readonly x: Var } & Params['pad'];

const blockOf = (eq: Equation | undefined): Block | null =>
  eq !== undefined && is(eq, 'pad') ? { x: elementAt(eq.inputs, 0), ...eq.params } : null;

/** The axis along which the second block begins where the first ends, both alike along all others; −1 where there is none. */
const meetingAxis = (first: Block, second: Block): number =>
  first.before.findIndex(
    (before, axis) =>
      before + elementAt(first.x.type.shape, axis) === second.before[axis] &&
      isOnly(
        axis,
        first.before.map((b, i) => b - elementAt(second.before, i)),
      ) &&
      isOnly(
        axis,
        first.after.map((a, i) => a - elementAt(second.after, i)),
      ),
  );

/** pad(x) + pad(y) for blocks side by side = pad(concat(x, y)): the gradient of an array that was cut into parts. */
const sumOfBlocks: Rule = (eq, emit, definition) => {
  if (!is(eq, 'add')) return null;
  const [a, b] = atLeast(
    2,
    eq.inputs.map((x) => blockOf(definition(x))),
  );
  if (a === null || b === null) return null;
  const either: readonly (readonly [Block, Block])[] = [
    [a, b],
    [b, a],
  ];
  for (const [first, second] of either) {
    const axis = meetingAxis(first, second);
    if (axis < 0) continue;
    const whole = emit('concat', { axis }, [first.x, second.x]);
    return emit('pad', { before: first.before, after: second.after }, [whole]);
  }
  return null;
};

/** A concatenation inside another along the same axis is part of it. */
const joinedInJoined: Rule = (eq, emit, definition) => {
  if (!is(eq, 'concat')) return null;
  const { axis } = eq.params;
  const parts = eq.inputs.flatMap((x): readonly Var[] => {
    const inner = definition(x);
    return inner !== undefined && is(inner, 'concat') && inner.params.axis === axis ? inner.inputs : [x];
  });
  return parts.length === eq.inputs.length ? null : emit('concat', { axis }, parts);
};

export const blockRules: readonly Rule[] = [partOfJoined, sumOfBlocks, joinedInJoined];
