/** Primitives that a target lacks, as others that it has: the one table of such rewrites, for targets that call operations by name. */
import { type Operands, operandsOf } from '../ir/arity.js';
import { constantLike, div, select } from '../ir/operations.js';
import type { Params, PrimitiveName } from '../ir/params.js';
import { type Emit, type Program, type Var } from '../ir/program.js';
import { rewrite } from './rewrite.js';

type Rewrite<P extends PrimitiveName> = (emit: Emit, inputs: Operands<P, Var>, params: Params[P]) => Var;

const rewrites = {
  // The divisor is 1 where it would be 0, so that no branch is NaN.
  divNoNan: (emit, [a, b]) => {
    const safe = select(emit, b, b, constantLike(emit, 1, b.type));
    return select(emit, b, div(emit, a, safe), constantLike(emit, 0, b.type));
  },
} satisfies { readonly [P in PrimitiveName]?: Rewrite<P> };

export type Decomposable = keyof typeof rewrites;

const isDecomposable = (name: PrimitiveName): name is Decomposable => Object.hasOwn(rewrites, name);

/** The program without the primitives that its target lacks. */
export const decompose = (program: Program, lacking: ReadonlySet<Decomposable>): Program =>
  rewrite(program, (eq, emit) =>
    isDecomposable(eq.primitive) && lacking.has(eq.primitive)
      ? rewrites[eq.primitive](emit, operandsOf(eq.primitive, eq.inputs))
      : null,
  );
