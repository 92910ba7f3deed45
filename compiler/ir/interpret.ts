/** The reference interpreter: the living definition of every program, in float64. */
import { elementAt } from '../../dsl/lookup.js';
import type { Value } from './primitive.js';
import { type Equation, is, type Program, type Results, resultsOf } from './program.js';
import { evaluateEquation } from './primitive-table.js';

export type Arrays = ReadonlyMap<string, Float64Array>;

/** Runs a program on physical row-major arrays by binder name; gives its outputs. */
export const interpret = (program: Program, inputs: Arrays): Results<Float64Array> => {
  const values = new Map<number, Value>();
  for (const { name, var: x } of program.binders) {
    const data = inputs.get(name);
    if (data === undefined) throw new Error(`no value for ${name}`);
    values.set(x.id, { type: x.type, data });
  }
  const valueOf = (id: number): Value => {
    const value = values.get(id);
    if (value === undefined) throw new Error(`variable ${id} has no value`);
    return value;
  };
  for (const eq of program.equations) {
    const data = evaluateEquation(
      eq,
      eq.inputs.map((x) => valueOf(x.id)),
      program.batch,
    );
    values.set(eq.out.id, { type: eq.out.type, data });
  }
  const results = program.outputs.map(({ var: x }) => valueOf(x.id).data);
  return resultsOf(program.outputs, (_, i) => elementAt(results, i));
};

/** What part of its length double precision knows of a column. */
const LEAST = 1e-13;

const wider = (eq: Equation): Equation =>
  is(eq, 'lq') ? { ...eq, params: { ...eq.params, least: Math.min(eq.params.least, LEAST) } } : eq;

/** A program whose limits are those of double precision, in which the interpreter computes, in the place of those of single precision. */
export const inDoubles = (program: Program): Program => ({
  ...program,
  equations: program.equations.map(wider),
});
