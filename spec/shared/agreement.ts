/** When two runs of a program agree: in double precision, and in single precision as far as rounding allows. */
import { float64At } from '../../dsl/lookup.js';
import { expect } from 'vitest';
import type { Program, Var } from '../../compiler/ir/program.js';
import { evaluateEquation } from '../../compiler/ir/primitive-table.js';
import { type Arrays, interpret, outputKey } from './outputs.js';

type Value = { readonly type: Var['type']; readonly data: Float64Array };

/** The values of all variables, each number as `kept`. */
const valuesOf = (program: Program, inputs: Arrays, kept: (x: number) => number): ((x: Var) => Value) => {
  const values = new Map<number, Value>(
    program.binders.map(({ name, var: x }) => [
      x.id,
      { type: x.type, data: inputs.get(name) ?? new Float64Array() },
    ]),
  );
  const valueOf = (x: Var): Value => values.get(x.id) ?? { type: x.type, data: new Float64Array() };
  for (const eq of program.equations) {
    const value = evaluateEquation(eq, eq.inputs.map(valueOf), program.batch);
    values.set(eq.out.id, { type: eq.out.type, data: value.map(kept) });
  }
  return valueOf;
};

/** The same program with every equation's value rounded to float32: what rounding alone makes of it. */
const interpretRounded = (program: Program, inputs: Arrays): Arrays => {
  const valueOf = valuesOf(program, inputs, Math.fround);
  return new Map(program.outputs.map(({ kind, name, var: x }) => [outputKey(kind, name), valueOf(x).data]));
};

/** Whether a comparison is of two numbers that the last digits of single precision tell apart: it may fall out either way, and so then may all that follows. */
const isClose = (program: Program, inputs: Arrays): boolean => {
  const valueOf = valuesOf(program, inputs, (x) => x);
  return program.equations.some(({ primitive, inputs: [a, b] }) => {
    if (primitive !== 'greater' || a === undefined || b === undefined) return false;
    const right = valueOf(b).data;
    return valueOf(a).data.some((x, i) => {
      const y = right[i] ?? NaN;
      return x !== y && Math.abs(x - y) < 1e-5 * Math.max(Math.abs(x), Math.abs(y));
    });
  });
};

const magnitude = (values: Float64Array): number =>
  values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

const distance = (a: Float64Array, b: Float64Array): number =>
  magnitude(a.map((x, i) => x - float64At(b, i)));

/** Whether all values are finite and moderate; float64 itself cannot tell others to nine digits. */
export const isTame = (outputs: Arrays): boolean =>
  [...outputs.values()].every((values) => magnitude(values) < 1e4);

/** Nine digits of every output that both have. */
export const expectSame = (found: Arrays, expected: Arrays, what: string): void => {
  for (const [name, values] of expected) {
    const other = found.get(name);
    if (other === undefined) continue;
    expect(other.length).toBe(values.length);
    const error = distance(other, values);
    expect(error, `${what}: ${name}`).toBeLessThanOrEqual(1e-9 * Math.max(1e-3, magnitude(values)));
  }
};

/**
 * Compares a backend's outputs with the interpreter's, with 30 times the error that rounding alone makes; false, and nothing
 * compared, where that error is large already or a comparison may fall out either way.
 */
export const agreesInSingle = (program: Program, inputs: Arrays, found: Arrays): boolean => {
  const expected = interpret(program, inputs);
  const rounded = interpretRounded(program, inputs);
  const errors = [...expected].map(([key, values]) => ({
    key,
    scale: Math.max(1, magnitude(values)),
    rounding: distance(rounded.get(key) ?? values, values),
    error: distance(found.get(key) ?? new Float64Array(values.length).fill(NaN), values),
  }));
  if (!isTame(expected) || isClose(program, inputs)) return false;
  if (errors.some(({ rounding, scale }) => !(rounding < 1e-4 * scale))) return false;
  for (const { key, scale, rounding, error } of errors) {
    expect(error, `${program.name}: ${key}`).toBeLessThan(2e-5 * scale + 30 * rounding);
  }
  return true;
};
