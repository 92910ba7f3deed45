/** Random well-typed programs of the intermediate representation, equation by equation: moves of moves, repeats of repeats, constants among them. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import type fc from 'fast-check';
import { type Builder, createBuilder } from '../../compiler/ir/builder.js';
import { add, atRows, joined, mul } from '../../compiler/ir/operations.js';
import type { Emit, Program, Var } from '../../compiler/ir/program.js';
import { sizeOfShape } from '../../compiler/ir/type.js';
import { fromTape, type Tape } from '../../laws/arbitrary/tape.js';

const largest = 120;
/** tfjs's kernels go no further. */
const highestRank = 5;

const unaries = ['neg', 'tanh', 'sigmoid', 'softplus', 'elu', 'erf', 'stop', 'finite'] as const;
const binaries = ['add', 'sub', 'mul', 'max', 'min', 'greater'] as const;

/** x repeated along a new axis before one of its own, with x repeated along one after it: equal shapes, unequal places. */
const crossed = (tape: Tape, emit: Emit, x: Var): Var => {
  const { shape } = x.type;
  const at = tape.below(shape.length);
  const to = [...shape.slice(0, at + 1), ...shape.slice(at)];
  const repeated = (last: number): Var =>
    emit('broadcast', { shape: to, axes: shape.map((_, i) => (i < last ? i : i + 1)) }, [x]);
  return emit(tape.pick(binaries), {}, [repeated(at), repeated(at + 1)]);
};

/** L⁻¹·x or L⁻ᵀ·x for L·Lᵀ = x·xᵀ + 3·I. */
const whitened = (tape: Tape, emit: Emit, x: Var): Var => {
  const [n] = atLeast(1, x.type.shape);
  const square = emit('matmul', { transposeA: false, transposeB: true }, [x, x]);
  const three = emit('constant', { value: 3, rows: x.type.rows, shape: [n, n] }, []);
  const diagonal = emit('band', { below: 0, diagonal: 1, above: 0 }, [three]);
  const factor = emit('cholesky', { jitters: tape.below(2) }, [emit('add', {}, [square, diagonal])]);
  return emit('triangularSolve', { lower: true, transposed: tape.below(2) === 0 }, [factor, x]);
};

/** x solved for under v ↦ v + c²·v. */
const solved = (emit: Emit, x: Var, c: Var): Var => {
  const inner = createBuilder();
  const [argument, captured] = atLeast(
    2,
    [x, c].map(({ type }, i) => inner.bind('data', String(i), type)),
  );
  const out = add(inner.emit, argument, mul(inner.emit, mul(inner.emit, captured, captured), argument));
  const operator = { argument, captured: [captured], equations: inner.equations(), out };
  return emit('solveSPD', { operator, iterations: 3, tolerance: 1e-6 }, [x, c]);
};

/** Whether one number of rows can be repeated to the other. */
const canMeet = (a: number, b: number): boolean =>
  a === 0 || b === 0 || Math.max(a, b) % Math.min(a, b) === 0;

/** Operands at one number of rows; one that cannot have it gives way to the first. */
const together = (emit: Emit, operands: readonly Var[]): readonly Var[] =>
  joined(
    emit,
    operands.reduce<readonly Var[]>(
      (kept, x) => [...kept, kept.every((y) => canMeet(x.type.rows, y.type.rows)) ? x : elementAt(kept, 0)],
      [],
    ),
  );

/** One equation on a variable, and whatever else of the same shape it needs; null where nothing fits. */
const equationAfter = (tape: Tape, { emit }: Builder, known: readonly Var[]): Var | null => {
  const x = elementAt(known, known.length - 1 - tape.below(Math.min(known.length, 4)));
  const { rows, shape } = x.type;
  const axes = shape.map((_, i) => i);
  const like = (): Var => {
    const same = known.filter((y) => y.type.shape.join() === shape.join());
    return tape.below(4) === 0
      ? emit('constant', { value: tape.pick([0, 1, -1, 2, 0.5]), rows, shape }, [])
      : tape.pick(same);
  };
  switch (tape.below(15)) {
    case 0:
      return emit(tape.pick(unaries), {}, [x]);
    case 1:
    case 2: {
      const operands = together(emit, [x, like()]);
      return emit(tape.pick(binaries), {}, tape.below(2) === 0 ? operands : [...operands].reverse());
    }
    case 3:
      return emit(
        'select',
        {},
        together(emit, [emit('greater', {}, together(emit, [x, like()])), x, like()]),
      );
    case 4: {
      if (shape.length > 0 && tape.below(3) === 0) return crossed(tape, emit, x);
      const at = tape.below(shape.length + 1);
      const to = [...shape.slice(0, at), 1 + tape.below(3), ...shape.slice(at)];
      return emit('broadcast', { shape: to, axes: axes.map((axis) => (axis < at ? axis : axis + 1)) }, [x]);
    }
    case 5:
      return emit(
        'reduce',
        {
          op: tape.pick(['add', 'max', 'min', 'mul'] as const),
          axes: axes.filter(() => tape.below(2) === 1),
        },
        [x],
      );
    case 6:
      return emit(
        'reshape',
        { shape: tape.pick([[sizeOfShape(shape)], [...shape].reverse(), [1, ...shape]]) },
        [x],
      );
    case 7: {
      if (shape.length < 2) return null;
      const [first, second] = [tape.below(shape.length), tape.below(shape.length)];
      const turned = [...axes.slice(1), 0];
      const permutation = tape.below(2) === 0 ? turned : axes.with(first, second).with(second, first);
      return emit('permute', { permutation }, [x]);
    }
    case 8: {
      const begin = shape.map((n) => tape.below(n));
      return emit('slice', { begin, size: shape.map((n, i) => 1 + tape.below(n - elementAt(begin, i))) }, [
        x,
      ]);
    }
    case 9:
      return emit('pad', { before: shape.map(() => tape.below(2)), after: shape.map(() => tape.below(2)) }, [
        x,
      ]);
    case 10:
      return shape.length === 0
        ? null
        : emit(
            'concat',
            { axis: tape.below(shape.length) },
            together(emit, [x, ...[like(), like()].slice(tape.below(3))]),
          );
    case 11:
      return rows === 0 ? atRows(emit, 1 + tape.below(2), x) : emit('sumBatch', {}, [x]);
    case 12:
      return shape.length === 2 ? whitened(tape, emit, x) : null;
    case 13: {
      const scale = emit('tanh', {}, [x]);
      return rows === 0 ? null : solved(emit, x, scale);
    }
    default:
      return rows === 0
        ? null
        : rows > 1 && tape.below(2) === 0
          ? emit('batchToAxis', { times: rows }, [x])
          : shape.length > 0 && rows * elementAt(shape, 0) <= 6
            ? emit('axisToBatch', {}, [x])
            : null;
  }
};

const programFrom = (tape: Tape): Program => {
  const builder = createBuilder();
  const first: readonly Var[] = [
    builder.bind('data', 'vector', { rows: 1, shape: [3] }),
    builder.bind('data', 'picture', { rows: 1, shape: [2, 3] }),
    builder.bind('parameter', 'shared', { rows: 0, shape: [2, 3] }),
    builder.bind('parameter', 'number', { rows: 0, shape: [] }),
  ];
  const known = Array.from({ length: 20 }).reduce<readonly Var[]>((vars) => {
    const next = tape.left() === 0 ? null : equationAfter(tape, builder, vars);
    const fits =
      next !== null &&
      next.type.rows * sizeOfShape(next.type.shape) <= largest &&
      next.type.shape.length <= highestRank;
    return fits ? [...vars, next] : vars;
  }, first);
  const made = known.slice(first.length);
  const outputs = [...made.slice(-2), ...made.filter(() => tape.below(4) === 0)];
  return {
    name: 'equations',
    batch: 1 + tape.below(3),
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: [...new Set(outputs)].map((x, i) => ({ kind: 'value', name: `output ${i}`, var: x })),
  };
};

export const programOfEquations: fc.Arbitrary<Program> = fromTape(programFrom, 150);
