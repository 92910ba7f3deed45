/** Why a program's results are not finite: the first equation that makes something infinite, or no number, of numbers that are finite. */
import type { Arrays } from './interpret.js';
import { evaluateEquation } from './primitive-table.js';
import type { Value } from './primitive.js';
import { ancestors, type Equation, type Program } from './program.js';

export type FirstNotFinite = {
  readonly equation: Equation;
  /** What it gave. */
  readonly value: number;
  /** The least and the greatest number of each of its inputs. */
  readonly inputs: readonly (readonly [number, number])[];
  /** The terms that are computed from it; none where it is a part of the gradients alone. */
  readonly terms: readonly string[];
};

const range = (data: Float64Array): readonly [number, number] => {
  let least = Infinity;
  let most = -Infinity;
  for (const value of data) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
};

const firstIn = (data: Float64Array): number | undefined => data.find((value) => !Number.isFinite(value));

/**
 * Runs a program on physical row-major arrays by binder name, every equation rounded to single precision as backends do, up to the equation
 * at fault. Undefined where all is finite, so that only a backend's own rounding can have been at fault. An infinite constant is no fault.
 */
export const firstNotFinite = (program: Program, inputs: Arrays): FirstNotFinite | undefined => {
  const values = new Map<number, Value>();
  for (const { name, var: x } of program.binders) {
    const data = inputs.get(name);
    if (data === undefined) throw new Error(`no value for ${name}`);
    values.set(x.id, { type: x.type, data });
  }
  for (const equation of program.equations) {
    const operands = equation.inputs.map((x) => {
      const value = values.get(x.id);
      if (value === undefined) throw new Error(`variable ${x.id} has no value`);
      return value;
    });
    const data = evaluateEquation(equation, operands, program.batch).map(Math.fround);
    const value = equation.primitive === 'constant' ? undefined : firstIn(data);
    if (value !== undefined && operands.every((one) => firstIn(one.data) === undefined)) {
      const terms = program.outputs.flatMap(({ kind, name, var: x }) =>
        (kind === 'term' || kind === 'surrogate') && ancestors(program.equations, [x]).has(equation.out.id)
          ? [name]
          : [],
      );
      return { equation, value, inputs: operands.map((one) => range(one.data)), terms };
    }
    values.set(equation.out.id, { type: equation.out.type, data });
  }
  return undefined;
};
