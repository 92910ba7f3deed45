/** Equations that are operations of a loop's body, and the instructions they become. */
import type { BinaryName, PrimitiveName, UnaryName } from '../ir/params.js';
import { isFunction } from '../ir/primitives/functions.js';
import type { Equation, EquationOf } from '../ir/program.js';
import type { Instruction } from './loop.js';

const binary: { readonly [P in BinaryName]: true } = {
  add: true,
  sub: true,
  mul: true,
  div: true,
  divNoNan: true,
  max: true,
  min: true,
  greater: true,
  pow: true,
};

const isBinary = (name: PrimitiveName): name is BinaryName => Object.hasOwn(binary, name);
const isUnary = (name: PrimitiveName): name is UnaryName => name === 'neg' || isFunction(name);

/** Element-wise and computed: `stop` and `statistics` only mark a value, and are read through like a move. */
export const isOperation = (eq: Equation): eq is EquationOf<UnaryName | BinaryName | 'select'> =>
  isBinary(eq.primitive) || isUnary(eq.primitive) || eq.primitive === 'select';

/** `operands` are earlier instructions. */
export const instructionOf = (eq: Equation, [a, b, c]: readonly number[]): Instruction => {
  const { primitive: op } = eq;
  if (a !== undefined && isUnary(op)) return { op, a };
  if (a !== undefined && b !== undefined && isBinary(op)) return { op, a, b };
  if (a !== undefined && b !== undefined && c !== undefined && op === 'select') return { op, a, b, c };
  throw new Error(`${op} of these operands is no instruction of a loop`);
};
