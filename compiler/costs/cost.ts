/**
 * What a program costs, from its shapes alone: FLOPs of its products and convolutions, bytes that its equations move, and the
 * most memory that is alive at once. All of it before legalization and fusion, in float32.
 */
import { elementAt } from '../../dsl/lookup.js';
import type { PrimitiveName } from '../ir/params.js';
import type { Equation, Program, Var } from '../ir/program.js';
import { flopsOf } from '../ir/primitive-table.js';
import { elementCount } from '../ir/type.js';

const bytesPerNumber = 4;

/** Equations whose result is the memory of their input, read in another shape or repeatedly. */
const views: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>([
  'reshape',
  'axisToBatch',
  'batchToAxis',
  'stop',
  'statistics',
  'broadcast',
  'broadcastBatch',
]);

export type EquationCost = {
  readonly equation: Equation;
  readonly flops: number;
  /** Read and written; an operand that is read twice counts once. Views and constants are free. */
  readonly bytes: number;
  /** Alive while the equation runs: binders, values still needed, its own operands and result. */
  readonly alive: number;
};

export type Cost = {
  /** Multiply-adds counted twice; products and convolutions only. */
  readonly flops: number;
  readonly bytes: number;
  /** The greatest number of bytes alive at once: binders throughout, a value until its last use, outputs to the end. */
  readonly peak: number;
  readonly parameters: { readonly count: number; readonly bytes: number };
  /** In program order. */
  readonly equations: readonly EquationCost[];
};

/** Where each variable's numbers are: in the memory of another for a view, nowhere for a constant. */
const homesOf = (program: Program): ((x: Var) => Var | null) => {
  const homes = new Map<number, Var | null>();
  const homeOf = (x: Var): Var | null => {
    const home = homes.get(x.id);
    return home === undefined ? x : home;
  };
  for (const { primitive, inputs, out } of program.equations) {
    if (primitive === 'constant') homes.set(out.id, null);
    else if (views.has(primitive)) homes.set(out.id, homeOf(elementAt(inputs, 0)));
  }
  return homeOf;
};

const sum = (values: readonly number[]): number => values.reduce((total, n) => total + n, 0);

/** FLOPs, bytes moved and bytes alive at most in one call of a program, from shapes alone; of every equation and in total. */
export const costOf = (program: Program): Cost => {
  const { batch, binders, equations, outputs } = program;
  const homeOf = homesOf(program);
  const bytesOf = (x: Var): number => bytesPerNumber * elementCount(x.type, batch);
  /** The memory behind some variables, each piece once. */
  const memory = (xs: readonly Var[]): readonly Var[] => [
    ...new Map(xs.flatMap((x) => homeOf(x) ?? []).map((home) => [home.id, home])).values(),
  ];

  const lastUse = new Map<number, number>();
  equations.forEach((eq, i) => memory([...eq.inputs, eq.out]).forEach((x) => lastUse.set(x.id, i)));
  const kept = new Set(memory([...binders, ...outputs].map((named) => named.var)).map((x) => x.id));

  let alive = sum(binders.map((binder) => bytesOf(binder.var)));
  let peak = alive;
  const costs = equations.map((equation, i): EquationCost => {
    const own = homeOf(equation.out) === equation.out ? bytesOf(equation.out) : 0;
    const touched = memory([...equation.inputs, equation.out]);
    alive += own;
    const during = alive;
    peak = Math.max(peak, during);
    alive -= sum(touched.filter((x) => lastUse.get(x.id) === i && !kept.has(x.id)).map(bytesOf));
    const moved = homeOf(equation.out) === equation.out ? sum(touched.map(bytesOf)) : 0;
    return { equation, flops: flopsOf(equation, batch), bytes: moved, alive: during };
  });

  const parameters = binders.filter(({ kind }) => kind === 'parameter').map((binder) => binder.var);
  return {
    flops: sum(costs.map(({ flops }) => flops)),
    bytes: sum(costs.map(({ bytes }) => bytes)),
    peak,
    parameters: {
      count: sum(parameters.map((x) => elementCount(x.type, batch))),
      bytes: sum(parameters.map(bytesOf)),
    },
    equations: costs,
  };
};

/** The equations that cost most, by FLOPs and then by bytes. */
export const mostExpensive = ({ equations }: Cost, count: number): readonly EquationCost[] =>
  [...equations].sort((a, b) => b.flops - a.flops || b.bytes - a.bytes).slice(0, count);
