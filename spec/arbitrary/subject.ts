/** One equation of a primitive in a test, with what its laws must know of the primitive. */
import fc from 'fast-check';
import type { Params, PrimitiveName } from '../../compiler/ir/params.js';
import { sizeOfShape, type Type } from '../../compiler/ir/type.js';
import type { Interval } from '../../laws/arbitrary/values.js';

/** Parameters and types of the operands of one equation. */
export type Site<P extends PrimitiveName> = { readonly params: Params[P]; readonly inputs: readonly Type[] };

export type Subject<P extends PrimitiveName> = {
  readonly sites: fc.Arbitrary<Site<P>>;
  /** Shrunk counterexamples of the past. */
  readonly examples: readonly Site<P>[];
  /** Sites that must be refused. */
  readonly ill: readonly Site<P>[];
  /** Where operand i lives; the last entry stands for all further operands. */
  readonly domains: readonly Interval[];
  /** Makes operands of random numbers where not any will do: a matrix that has a factor, say. */
  readonly made: (operand: Float64Array, i: number, type: Type) => Float64Array;
  /** Sets of operands in which the primitive is linear when the others are fixed. */
  readonly linear: readonly (readonly number[])[];
  /** Whether it is linear with these parameters, where not with any. */
  readonly isLinear: (site: Site<P>) => boolean;
  /** Distance of a point from where an element-wise primitive has no derivative. */
  readonly kink: (...operands: readonly number[]) => number;
  /** Operands that are never perturbed: masks. */
  readonly fixed: readonly number[];
  /** Whether its tangent is the derivative of its value; `stop` cuts it. */
  readonly differentiable: boolean;
};

export const anyValue: Interval = [-3, 3];
export const size = fc.integer({ min: 1, max: 4 });
export const shape = fc.array(size, { maxLength: 3 });
export const rows = fc.integer({ min: 1, max: 3 });
export const anyRows = fc.integer({ min: 0, max: 3 });
export const type: fc.Arbitrary<Type> = fc.record({ rows: anyRows, shape });

export const subject = <P extends PrimitiveName>(
  sites: fc.Arbitrary<Site<P>>,
  options: Partial<Omit<Subject<P>, 'sites'>> & Pick<Subject<P>, 'ill'>,
): Subject<P> => ({
  examples: [],
  domains: [anyValue],
  made: (operand) => operand,
  linear: [],
  isLinear: () => true,
  kink: () => Infinity,
  fixed: [],
  differentiable: true,
  ...options,
  sites,
});

/** Numbers of which no two are near each other, in no order: none becomes the greatest in the place of another. */
export const apart = (operand: Float64Array): Float64Array =>
  operand.map((x, i) => x / 100 + (((i * 67) % 127) - 63) / 20);

type None = Params['neg'];

/** Sites of an element-wise primitive. */
export const many = (
  count: number,
): fc.Arbitrary<{ readonly params: None; readonly inputs: readonly Type[] }> =>
  type.map((t) => ({ params: {}, inputs: new Array<Type>(count).fill(t) }));

export const vector = (n: number, k = 1): Type => ({ rows: k, shape: [n] });
export const shared = (...of: readonly number[]): Type => ({ rows: 0, shape: of });
export const each = (...of: readonly number[]): Type => ({ rows: 1, shape: of });

export const nearZero = (x: number): number => Math.abs(x);
export const nearTie = (a: number, b: number): number => Math.abs(a - b);

/** Shapes with as many elements. */
export const regrouped = (of: readonly number[]): fc.Arbitrary<readonly number[]> =>
  fc.constantFrom([sizeOfShape(of)], [...of].reverse(), [1, ...of], [...of, 1], of);

/** Operands that are not of one type. */
export const mixed = [
  { params: {}, inputs: [shared(2), each(2)] },
  { params: {}, inputs: [each(2), each(3)] },
  { params: {}, inputs: [each(2), each(2, 1)] },
];
