/** A whole program as loops and routines, without a kernel of any library: what a backend that generates all of its code runs. */
import { atLeast, elementAt, last } from '../../dsl/lookup.js';
import { type Operands, operandsOf } from '../ir/arity.js';
import { type EquationOf, is, type Program } from '../ir/program.js';
import { type BilinearName, isBilinear } from '../ir/primitives/bilinear.js';
import { bandFactor } from '../ir/primitives/matrix.js';
import { contiguous, isContiguous, viewThrough } from './access.js';
import { lowerSolve } from './conjugate-gradients.js';
import { lowerConv, lowerConvFilter, lowerConvInput } from './convolution.js';
import { lowerFused, type LowerKernel } from './fused.js';
import { withRows } from './kernel-rows.js';
import { lowerGather, lowerScatter } from './lower-places.js';
import { lowerMatmul, lowerMatrices } from './matmul.js';
import { at, product } from './nest.js';
import { copy, multiplied } from './packing.js';
import type { Operand, Plan, PlanBuilder } from './plan.js';
import type { Target } from './target.js';

/** The same buffer seen with another shape. */
const view = (x: Operand, shape: readonly number[]): Operand => ({ buffer: x.buffer, shape });

const lowerRows = (
  plan: PlanBuilder,
  eq: EquationOf<BilinearName>,
  [a, b]: Operands<BilinearName, Operand>,
  shape: readonly number[],
): Operand => {
  if (is(eq, 'conv')) return lowerConv(plan, a, b, eq.params, shape);
  if (is(eq, 'convInput')) return lowerConvInput(plan, a, b, eq.params, shape);
  if (is(eq, 'convFilter')) return lowerConvFilter(plan, a, b, eq.params, shape);
  return lowerMatmul(plan, a, b, {
    transposeA: eq.primitive === 'linearFilter',
    transposeB: eq.primitive === 'linearInput',
  });
};

/** Products and convolutions, as every target that runs loops has them. */
export const lowerBilinear = (
  plan: PlanBuilder,
  eq: EquationOf<BilinearName>,
  inputs: readonly Operand[],
  shape: readonly number[],
): Operand => {
  const rows = inputs.map((x) => view(x, withRows(eq.primitive, x.shape)));
  return view(lowerRows(plan, eq, operandsOf(eq.primitive, rows), withRows(eq.primitive, shape)), shape);
};

/** Numbers of each row, from the axis on. */
const widthFrom = (shape: readonly number[], axis: number): number => product(shape.slice(axis));

const lowerOther =
  (batch: number, target: Target): LowerKernel =>
  (plan, eq, inputs, shape) => {
    const lead = eq.out.type.rows === 0 ? 0 : 1;
    if (isBilinear(eq)) return lowerBilinear(plan, eq, inputs, shape);
    if (is(eq, 'matmul')) return lowerMatrices(plan, ...operandsOf(eq.primitive, inputs), eq.params);
    if (is(eq, 'solveSPD'))
      return lowerSolve(plan, eq, operandsOf(eq.primitive, inputs), batch, (program) =>
        lowerLoops(program, target),
      );
    if (is(eq, 'cholesky'))
      return plan.routine({ name: 'cholesky', params: eq.params, n: last(shape) }, inputs, shape);
    if (is(eq, 'lq')) {
      const [n, m] = atLeast(2, elementAt(eq.inputs, 0).type.shape);
      return plan.routine({ name: 'lq', params: eq.params, n, m }, inputs, shape);
    }
    if (is(eq, 'triangularSolve')) {
      const [n, columns] = atLeast(2, eq.out.type.shape);
      return plan.routine({ name: 'triangularSolve', params: eq.params, n, columns }, inputs, shape);
    }
    if (is(eq, 'reorder')) return plan.routine({ name: 'reorder', order: eq.params.order }, inputs, shape);
    if (is(eq, 'rotateBatch')) {
      const size = shape.reduce((product, extent) => product * extent, 1);
      const start = ((((eq.params.by % batch) + batch) % batch) * size) / batch;
      const order = Array.from({ length: size }, (_, i) => (i + start) % size);
      return plan.routine({ name: 'reorder', order }, inputs, shape);
    }
    if (is(eq, 'concat')) {
      const widths = inputs.map((x) => widthFrom(x.shape, eq.params.axis + lead));
      return plan.routine({ name: 'join', widths }, inputs, shape);
    }
    if (is(eq, 'gather') || is(eq, 'scatterAdd')) {
      const [first, index] = atLeast(2, eq.inputs);
      const operands = operandsOf(eq.primitive, inputs);
      return is(eq, 'gather')
        ? lowerGather(plan, { table: first.type, index: index.type, entries: eq.out.type }, operands, shape)
        : lowerScatter(plan, { table: eq.out.type, index: index.type, entries: first.type }, operands, shape);
    }
    const [a] = atLeast(1, inputs);
    const [x] = atLeast(1, eq.inputs);
    if (is(eq, 'pad')) {
      const to = contiguous(eq.out, shape);
      const before = [...new Array<number>(lead).fill(0), ...eq.params.before];
      const from = contiguous(x, a.shape);
      const axes = a.shape.map((extent, i) => ({
        extent,
        from: [at(from.strides, i)],
        to: at(to.strides, i),
      }));
      const start = before.reduce((sum, n, i) => sum + n * at(to.strides, i), 0);
      return copy(plan, a, axes, shape, { from: 0, to: start });
    }
    if (is(eq, 'band')) {
      const [n, m] = atLeast(2, eq.out.type.shape);
      const factors = Array.from({ length: n * m }, (_, i) =>
        bandFactor(eq.params, Math.floor(i / m), i % m),
      );
      return multiplied(plan, a, plan.constant(factors, [n, m]), shape);
    }
    const moved = viewThrough(eq, contiguous(x, a.shape), batch);
    if (moved === null) throw new Error(`${eq.primitive} is neither a loop nor a move`);
    if (product(a.shape) === product(shape) && isContiguous(moved)) return view(a, shape);
    const to = contiguous(eq.out, moved.extents);
    const axes = moved.extents.map((extent, i) => ({
      extent,
      from: [at(moved.strides, i)],
      to: at(to.strides, i),
    }));
    return copy(plan, a, axes, shape, { from: moved.offset, to: 0 });
  };

export const lowerLoops = (program: Program, target: Target): Plan =>
  lowerFused(program, lowerOther(program.batch, target), target);
