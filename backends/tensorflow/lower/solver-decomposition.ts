/** Legalization for runtimes without factors and loops: systems of the weights are solved beforehand, those of each example written out. */
import { atLeast, elementAt, getFrom } from '../../../dsl/lookup.js';
import { interpret } from '../../../compiler/ir/interpret.js';
import { firstJitter } from '../../../compiler/ir/primitives/factorization.js';
import {
  add,
  constantLike,
  div,
  fillShape,
  joined,
  mul,
  select,
  sub,
  sumAll,
  times,
  unary,
} from '../../../compiler/ir/operations.js';
import type { Params } from '../../../compiler/ir/params.js';
import { eliminateDeadCode } from '../../../compiler/passes/dce.js';
import { type Rule, rewrite } from '../../../compiler/passes/rewrite.js';
import {
  type Emit,
  type Equation,
  type EquationOf,
  is,
  type Program,
  type Var,
} from '../../../compiler/ir/program.js';
import { carriedBy, roundOf } from '../../../compiler/loops/conjugate-gradients.js';

/** Arrays by binder name. */
type State = ReadonlyMap<string, ArrayLike<number>>;

const isSystem = (eq: Equation): boolean =>
  is(eq, 'cholesky') || is(eq, 'lq') || is(eq, 'triangularSolve') || is(eq, 'solveSPD');

const turned = (emit: Emit, x: Var): Var => emit('permute', { permutation: [1, 0] }, [x]);

const identity = (emit: Emit, n: number): Var =>
  emit('band', { below: 0, diagonal: 1, above: 0 }, [constantLike(emit, 1, { rows: 0, shape: [n, n] })]);

/** M⁻¹·b of a matrix that all examples share: the columns of b times M⁻ᵀ, whatever their number. */
const byInverse: Rule = (eq, emit) => {
  if (!is(eq, 'triangularSolve')) return null;
  const [matrix, b] = atLeast(2, eq.inputs);
  if (matrix.type.rows > 0 || b.type.rows === 0) return null;
  const [n, columns] = atLeast(2, b.type.shape);
  const params = { ...eq.params, transposed: !eq.params.transposed };
  const inverse = emit('triangularSolve', params, [matrix, identity(emit, n)]);
  const product = emit('linear', {}, [emit('axisToBatch', {}, [turned(emit, b)]), inverse]);
  return turned(emit, emit('batchToAxis', { times: columns }, [product]));
};

/** Solves the systems that depend on the state alone, in double precision; each solution becomes a part of the state. */
const solvedBeforehand = (
  program: Program,
  state: State,
): { readonly program: Program; readonly state: State } => {
  const known = new Set(program.binders.flatMap(({ name, var: x }) => (state.has(name) ? [x.id] : [])));
  for (const eq of program.equations)
    if (eq.out.type.rows === 0 && eq.inputs.every((x) => known.has(x.id))) known.add(eq.out.id);
  const solved = program.equations
    .filter((eq) => isSystem(eq) && known.has(eq.out.id))
    .map((eq, i) => ({ name: `solved ${i}`, var: eq.out }));
  if (solved.length === 0) return { program, state };
  const outputs = solved.map((one) => ({ ...one, kind: 'value' as const }));
  const systems = eliminateDeadCode({ ...program, outputs });
  const inputs = systems.binders.map(({ name }) => [name, Float64Array.from(getFrom(state, name))] as const);
  const ids = new Set(solved.map((one) => one.var.id));
  return {
    program: eliminateDeadCode({
      ...program,
      binders: [...program.binders, ...solved.map((one) => ({ ...one, kind: 'state' as const }))],
      equations: program.equations.filter((eq) => !ids.has(eq.out.id)),
    }),
    state: new Map([...state, ...interpret(systems, new Map(inputs)).value]),
  };
};

/** The factors of k matrices [k,n,n], column by column; not a number from the first pivot on that is not positive. */
const factors = (emit: Emit, matrices: Var): Var => {
  const [k, n] = atLeast(2, matrices.type.shape);
  const columns: Var[] = [];
  let rest = matrices;
  for (let j = 0; j < n; j++) {
    const m = n - j;
    const first = emit('reshape', { shape: [k, m] }, [
      emit('slice', { begin: [0, 0, 0], size: [k, m, 1] }, [rest]),
    ]);
    const pivot = emit('reshape', { shape: [k] }, [emit('slice', { begin: [0, 0], size: [k, 1] }, [first])]);
    const zero = constantLike(emit, 0, pivot.type);
    const isValid = mul(emit, emit('greater', {}, [pivot, zero]), unary(emit, 'finite', pivot));
    const root = unary(emit, 'sqrt', select(emit, isValid, pivot, constantLike(emit, -1, pivot.type)));
    const column = div(emit, first, emit('broadcast', { shape: [k, m], axes: [0] }, [root]));
    columns.push(
      emit('pad', { before: [0, j, 0], after: [0, 0, 0] }, [emit('reshape', { shape: [k, m, 1] }, [column])]),
    );
    if (m === 1) break;
    const shape = [k, m - 1, m - 1];
    const below = emit('slice', { begin: [0, 1], size: [k, m - 1] }, [column]);
    const [down, across] = atLeast(
      2,
      [1, 2].map((axis) => emit('broadcast', { shape, axes: [0, axis] }, [below])),
    );
    rest = sub(emit, emit('slice', { begin: [0, 1, 1], size: shape }, [rest]), mul(emit, down, across));
  }
  return columns.length === 1 ? elementAt(columns, 0) : emit('concat', { axis: 2 }, columns);
};

/** All jitters at once, and the factor of the first that has one. */
const cholesky = (emit: Emit, a: Var, { jitters }: Params['cholesky']): Var => {
  const { shape } = a.type;
  const [n] = atLeast(1, shape);
  const onDiagonal = emit('band', { below: 0, diagonal: 1, above: 0 }, [
    fillShape(emit, sumAll(emit, emit('band', { below: 0, diagonal: 1, above: 0 }, [a])), shape),
  ]);
  const attempts = Array.from({ length: jitters + 1 }, (_, attempt) => {
    const jitter = times(emit, onDiagonal, (firstJitter * 10 ** (attempt - 1)) / n);
    return emit('reshape', { shape: [1, n, n] }, [attempt === 0 ? a : add(emit, a, jitter)]);
  });
  const all = factors(
    emit,
    attempts.length === 1 ? elementAt(attempts, 0) : emit('concat', { axis: 0 }, attempts),
  );
  const candidates = attempts.map((_, i) =>
    emit('reshape', { shape }, [emit('slice', { begin: [i, 0, 0], size: [1, n, n] }, [all])]),
  );
  const holds = candidates.map((factor) => unary(emit, 'finite', sumAll(emit, factor)));
  const none = unary(emit, 'sqrt', constantLike(emit, -1, a.type));
  return candidates.reduceRight(
    (later, factor, i) => select(emit, fillShape(emit, elementAt(holds, i), shape), factor, later),
    none,
  );
};

/** Gram and Schmidt, modified: each row's direction is taken out of the rows after it. */
const orthogonalised = (emit: Emit, rows: Var, least: number): Var => {
  const [n, m] = atLeast(2, rows.type.shape);
  const lengths = sumAll(emit, mul(emit, rows, rows), 1);
  const columns: Var[] = [];
  let rest = rows;
  for (let k = 0; k < n; k++) {
    const left = n - k;
    const own = emit('reshape', { shape: [m] }, [emit('slice', { begin: [0, 0], size: [1, m] }, [rest])]);
    const square = sumAll(emit, mul(emit, own, own));
    const length = emit('reshape', { shape: [] }, [emit('slice', { begin: [k], size: [1] }, [lengths])]);
    const isKnown = emit('greater', {}, [square, times(emit, length, least ** 2)]);
    const root = unary(
      emit,
      'sqrt',
      select(
        emit,
        mul(emit, isKnown, unary(emit, 'finite', square)),
        square,
        constantLike(emit, -1, square.type),
      ),
    );
    const direction = div(emit, own, fillShape(emit, root, [m]));
    const across = emit('broadcast', { shape: [left, m], axes: [1] }, [direction]);
    const along = sumAll(emit, mul(emit, rest, across), 1);
    columns.push(
      emit('pad', { before: [k, 0], after: [0, 0] }, [emit('reshape', { shape: [left, 1] }, [along])]),
    );
    if (left === 1) break;
    const without = sub(
      emit,
      rest,
      mul(emit, emit('broadcast', { shape: [left, m], axes: [0] }, [along]), across),
    );
    rest = emit('slice', { begin: [1, 0], size: [left - 1, m] }, [without]);
  }
  return columns.length === 1 ? elementAt(columns, 0) : emit('concat', { axis: 1 }, columns);
};

/** That of A where its rows are independent, else that of [A, √j·I]. */
const lq = (emit: Emit, a: Var, { jitter, least }: Params['lq']): Var => {
  const { shape } = a.type;
  const n = elementAt(shape, 0);
  const plain = orthogonalised(emit, a, least);
  if (jitter === 0) return plain;
  const root = unary(emit, 'sqrt', times(emit, sumAll(emit, mul(emit, a, a)), jitter / n));
  const shift = emit('band', { below: 0, diagonal: 1, above: 0 }, [fillShape(emit, root, [n, n])]);
  const shifted = orthogonalised(emit, emit('concat', { axis: 1 }, [a, shift]), 0);
  const holds = unary(emit, 'finite', sumAll(emit, plain));
  return select(emit, fillShape(emit, holds, [n, n]), plain, shifted);
};

/** Substitution: each unknown row is taken out of the equations that are left. */
const substitution = (
  emit: Emit,
  { lower, transposed }: Params['triangularSolve'],
  inputs: readonly Var[],
): Var => {
  const [given, b] = atLeast(2, joined(emit, inputs));
  const matrix = transposed ? turned(emit, given) : given;
  const [n, columns] = atLeast(2, b.type.shape);
  const isForward = lower !== transposed;
  const solution: Var[] = [];
  let rest = b;
  for (let s = 0; s < n; s++) {
    const left = n - 1 - s;
    const [row, others, start] = isForward ? [s, s + 1, 0] : [left, 0, left];
    const filled = (begin: readonly number[], height: number): Var =>
      emit('broadcast', { shape: [height, columns], axes: [0] }, [
        emit('reshape', { shape: [height] }, [emit('slice', { begin, size: [height, 1] }, [matrix])]),
      ]);
    const own = emit('slice', { begin: [start, 0], size: [1, columns] }, [rest]);
    const x = div(emit, own, filled([row, row], 1));
    solution.push(x);
    if (left === 0) break;
    const known = emit('broadcast', { shape: [left, columns], axes: [1] }, [
      emit('reshape', { shape: [columns] }, [x]),
    ]);
    const remaining = emit('slice', { begin: [isForward ? 1 : 0, 0], size: [left, columns] }, [rest]);
    rest = sub(emit, remaining, mul(emit, filled([others, row], left), known));
  }
  const rows = isForward ? solution : solution.reverse();
  return rows.length === 1 ? elementAt(rows, 0) : emit('concat', { axis: 0 }, rows);
};

/** Every round of conjugate gradients one after the other; an example that is done stays as it is. */
const rounds = (emit: Emit, eq: EquationOf<'solveSPD'>): Var => {
  const [b, ...captured] = atLeast(1, eq.inputs);
  const round = roundOf(eq, 1);
  const carried = carriedBy(eq);
  const once = (before: readonly Var[]): readonly Var[] => {
    const given = [...before, b, ...captured];
    const values = new Map(round.binders.map(({ var: x }, i) => [x.id, elementAt(given, i)]));
    const valueOf = ({ id }: Var): Var => {
      const value = values.get(id);
      if (value === undefined) throw new Error(`variable ${id} of a round has no value`);
      return value;
    };
    for (const { primitive, params, inputs, out } of round.equations)
      values.set(out.id, emit(primitive, params, inputs.map(valueOf)));
    return carried.map(({ name }) =>
      valueOf(
        elementAt(
          round.outputs.filter((o) => o.name === name),
          0,
        ).var,
      ),
    );
  };
  let values = carried.map(({ type, begins }) => (begins === 'b' ? b : constantLike(emit, 0, type)));
  for (let i = 0; i < eq.params.iterations; i++) values = [...once(values)];
  return elementAt(
    values,
    carried.findIndex(({ isResult }) => isResult),
  );
};

const writtenOut: Rule = (eq, emit) => {
  if (is(eq, 'cholesky')) return cholesky(emit, elementAt(eq.inputs, 0), eq.params);
  if (is(eq, 'lq')) return lq(emit, elementAt(eq.inputs, 0), eq.params);
  if (is(eq, 'triangularSolve')) return substitution(emit, eq.params, eq.inputs);
  return is(eq, 'solveSPD') ? rounds(emit, eq) : null;
};

/** The same program, and what it needs beside the state it has, in element-wise operations, products and moves alone. */
export const decomposeSolvers = (
  program: Program,
  state: State,
): { readonly program: Program; readonly state: State } => {
  const solved = solvedBeforehand(rewrite(program, byInverse), state);
  return { ...solved, program: eliminateDeadCode(rewrite(solved.program, writtenOut)) };
};
