/** What a group of equations that TensorFlow has one operation for is: how it is found, and what is lowered in its place. */
import { type Equation, is, type Var } from '../../../compiler/ir/program.js';
import type { GraphBuilder } from './graph-builder.js';
import type { Value } from './graph-value.js';

/** What may be read of a value: as it is kept, or with every repetition written out. */
export type Values = { readonly value: (x: Var) => Value; readonly written: (x: Var) => Value };

/** Operations in place of an equation, and the variables that they read. */
export type Idiom = {
  readonly inputs: readonly Var[];
  readonly lower: (graph: GraphBuilder, values: Values) => Value;
};

export type Reading = {
  /** The equation behind a variable, undefined for a binder. */
  readonly definition: (x: Var | undefined) => Equation | undefined;
  readonly uses: (x: Var) => number;
};

export type Match = (eq: Equation, reading: Reading) => Idiom | null;

export const isConstant = (eq: Equation | undefined, value: number): boolean =>
  eq !== undefined && is(eq, 'constant') && eq.params.value === value;
