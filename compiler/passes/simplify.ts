/** Algebraic simplification: constants, neutral elements, cancelling moves, and repeated values computed before they are repeated. */
import { atLeast, elementAt, float64At } from '../../dsl/lookup.js';
import { repeatedAxes } from '../ir/primitives/structure.js';
import { constantLike } from '../ir/operations.js';
import { elementwise } from '../ir/primitives/elementwise.js';
import type { ReductionName } from '../ir/params.js';
import { type Emit, type Equation, is, type Program, type Var } from '../ir/program.js';
import { evaluateEquation } from '../ir/primitive-table.js';
import { sameType, scalarType, sizeOfShape } from '../ir/type.js';
import { keyOf } from '../ir/key.js';
import { blockRules } from './blocks.js';
import { type Definition, rewrite, type Rule } from './rewrite.js';

/** The value of a uniform constant, undefined for anything else. */
const constantValue = (x: Var, definition: Definition): number | undefined => {
  const eq = definition(x);
  return eq !== undefined && is(eq, 'constant') ? eq.params.value : undefined;
};

const isElementwise = (eq: Equation): boolean => Object.hasOwn(elementwise, eq.primitive);

const constant = (emit: Emit, value: number, like: Var): Var => constantLike(emit, value, like.type);

/** What an operator makes of so many equal numbers. */
const ofEqual: { readonly [O in ReductionName]: (value: number, count: number) => number } = {
  add: (value, count) => value * count,
  max: (value) => value,
  min: (value) => value,
  mul: (value, count) => value ** count,
};

/** An element-wise function of uniform constants is one; so is anything that only moves or repeats their elements. */
const foldConstants: Rule = (eq, emit, definition) => {
  if (eq.inputs.length === 0) return null;
  const values = eq.inputs.map((x) => constantValue(x, definition));
  if (!values.every((v) => v !== undefined)) return null;
  if (isElementwise(eq)) {
    const scalars = values.map((v) => ({ type: scalarType, data: Float64Array.of(v) }));
    const out = { ...eq, out: { ...eq.out, type: scalarType } };
    return constant(emit, float64At(evaluateEquation(out, scalars, 1), 0), eq.out);
  }
  if (is(eq, 'reduce')) {
    const count = sizeOfShape(elementAt(eq.inputs, 0).type.shape) / sizeOfShape(eq.out.type.shape);
    return constant(emit, ofEqual[eq.params.op](elementAt(values, 0), count), eq.out);
  }
  switch (eq.primitive) {
    case 'broadcast':
    case 'reshape':
    case 'permute':
    case 'reorder':
    case 'slice':
    case 'broadcastBatch':
    case 'axisToBatch':
    case 'batchToAxis':
    case 'rotateBatch':
      return constant(emit, elementAt(values, 0), eq.out);
    case 'concat':
      return values.every((v) => v === values[0]) ? constant(emit, elementAt(values, 0), eq.out) : null;
    default:
      return null;
  }
};

/** x + 0, 1·x, x/1, −(−x), x + (−y) and their kin; not 0·x, which is NaN where x is not finite. */
const neutral: Rule = (eq, emit, definition) => {
  const value = (x: Var): number | undefined => constantValue(x, definition);
  const negated = (x: Var): Var | undefined => {
    const inner = definition(x);
    return inner?.primitive === 'neg' ? elementAt(inner.inputs, 0) : undefined;
  };
  if (eq.inputs.length === 0) return null;
  const [a] = atLeast(1, eq.inputs);
  if (eq.primitive === 'stop' || eq.primitive === 'statistics') return a;
  if (eq.primitive === 'neg') return negated(a) ?? null;
  if (eq.inputs.length === 1) return null;
  const [, b] = atLeast(2, eq.inputs);
  switch (eq.primitive) {
    case 'add': {
      if (value(a) === 0) return b;
      if (value(b) === 0) return a;
      if (a.id === b.id) return emit('mul', {}, [a, constant(emit, 2, eq.out)]);
      const [na, nb] = [negated(a), negated(b)];
      return nb !== undefined ? emit('sub', {}, [a, nb]) : na !== undefined ? emit('sub', {}, [b, na]) : null;
    }
    case 'sub': {
      if (value(b) === 0) return a;
      if (value(a) === 0) return emit('neg', {}, [b]);
      if (negated(a)?.id === b.id) return emit('mul', {}, [b, constant(emit, -2, eq.out)]);
      const nb = negated(b);
      return nb !== undefined ? emit('add', {}, [a, nb]) : null;
    }
    case 'mul': {
      const [va, vb] = [value(a), value(b)];
      if (va === 1) return b;
      if (vb === 1) return a;
      // Constants go second, so that k·(l·x) meets its partner below.
      if (va !== undefined) return emit('mul', {}, [b, a]);
      if (vb === -1) return emit('neg', {}, [a]);
      const inner = definition(a);
      const factor = inner?.primitive === 'mul' ? value(elementAt(inner.inputs, 1)) : undefined;
      if (vb !== undefined && inner !== undefined && factor !== undefined) {
        return emit('mul', {}, [elementAt(inner.inputs, 0), constant(emit, vb * factor, eq.out)]);
      }
      const [na, nb] = [negated(a), negated(b)];
      if (na !== undefined) return emit('neg', {}, [emit('mul', {}, [na, b])]);
      return nb !== undefined ? emit('neg', {}, [emit('mul', {}, [a, nb])]) : null;
    }
    case 'div':
    case 'divNoNan':
      return value(b) === 1 ? a : null;
    case 'select': {
      const [, , c] = atLeast(3, eq.inputs);
      if (b.id === c.id) return b;
      return value(a) === undefined ? null : value(a) !== 0 ? b : c;
    }
    default:
      return null;
  }
};

const isIdentity = (axes: readonly number[]): boolean => axes.every((axis, i) => axis === i);

/** Moves that do nothing, or undo or continue the move before. */
const moves: Rule = (eq, emit, definition) => {
  const [x] = eq.inputs;
  if (x === undefined) return null;
  const inner = definition(x);
  if (is(eq, 'reshape')) {
    if (sameType(eq.out.type, x.type)) return x;
    return inner?.primitive === 'reshape' ? emit('reshape', eq.params, inner.inputs) : null;
  }
  if (is(eq, 'broadcast') && isIdentity(eq.params.axes) && sameType(eq.out.type, x.type)) return x;
  if (is(eq, 'broadcast') && inner !== undefined && is(inner, 'broadcast')) {
    const { axes } = inner.params;
    return emit(
      'broadcast',
      { shape: eq.params.shape, axes: axes.map((axis) => elementAt(eq.params.axes, axis)) },
      inner.inputs,
    );
  }
  if (is(eq, 'reduce')) {
    const { op } = eq.params;
    if (eq.params.axes.length === 0) return x;
    if (inner !== undefined && is(inner, 'reduce') && inner.params.op === op) {
      const left = repeatedAxes(elementAt(inner.inputs, 0).type.shape, inner.params.axes);
      const axes = [...inner.params.axes, ...eq.params.axes.map((axis) => elementAt(left, axis))].sort(
        (a, b) => a - b,
      );
      return emit('reduce', { op, axes }, inner.inputs);
    }
    if (inner !== undefined && is(inner, 'broadcast')) {
      const repeated = repeatedAxes(inner.params.shape, inner.params.axes);
      if (repeated.join() === [...eq.params.axes].sort((a, b) => a - b).join()) {
        const count = sizeOfShape(repeated.map((axis) => elementAt(inner.params.shape, axis)));
        const [value] = atLeast(1, inner.inputs);
        if (op === 'max' || op === 'min') return value;
        if (op === 'add') return emit('mul', {}, [value, constant(emit, count, eq.out)]);
      }
    }
    return null;
  }
  if (is(eq, 'permute')) {
    if (isIdentity(eq.params.permutation)) return x;
    if (inner === undefined || !is(inner, 'permute')) return null;
    const { permutation } = inner.params;
    return emit(
      'permute',
      { permutation: eq.params.permutation.map((axis) => elementAt(permutation, axis)) },
      inner.inputs,
    );
  }
  if (is(eq, 'slice') && sameType(eq.out.type, x.type)) return x;
  if (is(eq, 'pad') && sameType(eq.out.type, x.type)) return x;
  if (is(eq, 'concat') && eq.inputs.length === 1) return x;
  if (is(eq, 'axisToBatch') && inner !== undefined && is(inner, 'batchToAxis'))
    return elementAt(inner.inputs, 0);
  if (
    is(eq, 'batchToAxis') &&
    inner !== undefined &&
    is(inner, 'axisToBatch') &&
    sameType(eq.out.type, elementAt(inner.inputs, 0).type)
  ) {
    return elementAt(inner.inputs, 0);
  }
  return null;
};

/**
 * f(repeat a, repeat b, constant) = repeat f(a, b, constant): values of a channel or of an example are combined before
 * they fill an image.
 */
const beforeRepeating: Rule = (eq, emit, definition) => {
  if (!isElementwise(eq)) return null;
  const sources = eq.inputs.map(definition);
  const first = sources.find((s) => s !== undefined && (is(s, 'broadcastBatch') || is(s, 'broadcast')));
  if (first === undefined) return null;
  const key = keyOf([first.primitive, first.params, elementAt(first.inputs, 0).type]);
  const small = eq.inputs.map((x, i): Var | null => {
    const source = sources[i];
    const value = constantValue(x, definition);
    if (value !== undefined) return constant(emit, value, elementAt(first.inputs, 0));
    return source !== undefined && keyOf([source.primitive, source.params, source.inputs[0]?.type]) === key
      ? elementAt(source.inputs, 0)
      : null;
  });
  const inputs = small.filter((x) => x !== null);
  if (inputs.length < small.length) return null;
  return emit(first.primitive, first.params, [emit(eq.primitive, eq.params, inputs)]);
};

const rules: readonly Rule[] = [foldConstants, neutral, moves, ...blockRules, beforeRepeating];

/** Rewrites until no rule applies (each rule makes the program smaller or moves work to smaller values). */
export const simplify = (program: Program): Program =>
  rewrite(program, (eq, emit, definition) => {
    for (const rule of rules) {
      const result = rule(eq, emit, definition);
      if (result !== null) return result;
    }
    return null;
  });
