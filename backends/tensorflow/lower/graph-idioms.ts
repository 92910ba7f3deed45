/** Groups of equations that TensorFlow has one operation for, and which of a program's equations are left to lower alone. */
import { isSum } from '../../../compiler/ir/primitives/reduction.js';
import { atLeast, elementAt } from '../../../dsl/lookup.js';
import { type Equation, type Program, type Var, results } from '../../../compiler/ir/program.js';
import { sameType, sizeOfShape } from '../../../compiler/ir/type.js';
import type { GraphBuilder } from './graph-builder.js';
import { float, int32 } from './graph-builder.js';
import { type Idiom, isConstant, type Match, type Reading } from './graph-idiom.js';
import { alongRows, comparison, masked } from './graph-masks.js';
import { sum } from './graph-sum.js';
import type { Value } from './graph-value.js';

const T = { T: float } as const;

/** A derivative times something, from the activation's own output. */
const activationGradient =
  (
    op: string,
    outputFirst: boolean,
    outputOf: (derivative: Equation, reading: Reading) => Var | null,
  ): Match =>
  (eq, reading) => {
    if (eq.primitive !== 'mul') return null;
    const [a, b] = atLeast(2, eq.inputs);
    const either: readonly (readonly [Var, Var])[] = [
      [a, b],
      [b, a],
    ];
    for (const [derivative, change] of either) {
      const found = reading.definition(derivative);
      const y = found === undefined ? null : outputOf(found, reading);
      if (y === null || !sameType(y.type, change.type) || !sameType(y.type, eq.out.type)) continue;
      return {
        inputs: [y, change],
        lower: (graph, { written }) => {
          const inputs = [written(y).node, written(change).node];
          return {
            node: graph.node(op, outputFirst ? inputs : inputs.reverse(), T),
            shape: written(y).shape,
          };
        },
      };
    }
    return null;
  };

/** y of 1 − y². */
const tanhOutput = (eq: Equation, { definition }: Reading): Var | null => {
  const square = definition(eq.inputs[1]);
  return eq.primitive === 'sub' &&
    isConstant(definition(eq.inputs[0]), 1) &&
    square?.primitive === 'mul' &&
    elementAt(square.inputs, 0).id === elementAt(square.inputs, 1).id
    ? elementAt(square.inputs, 0)
    : null;
};

/** y of min(y, 0) + 1. */
const eluOutput = (eq: Equation, { definition }: Reading): Var | null => {
  const least = definition(eq.inputs[0]);
  return eq.primitive === 'add' &&
    isConstant(definition(eq.inputs[1]), 1) &&
    least?.primitive === 'min' &&
    isConstant(definition(least.inputs[1]), 0)
    ? elementAt(least.inputs, 0)
    : null;
};

/** y of y(1 − y). */
const sigmoidOutput = (eq: Equation, { definition }: Reading): Var | null => {
  if (eq.primitive !== 'mul') return null;
  const [y, rest] = atLeast(2, eq.inputs);
  const complement = definition(rest);
  return complement?.primitive === 'sub' &&
    isConstant(definition(complement.inputs[0]), 1) &&
    elementAt(complement.inputs, 1).id === y.id
    ? y
    : null;
};

/** Σ over all axes but the last, the batch included: the gradient of a bias, a channel's statistic. */
const channelSum: Match = (eq, { definition, uses }) => {
  const inner = eq.primitive === 'sumBatch' ? definition(elementAt(eq.inputs, 0)) : undefined;
  if (inner === undefined || !isSum(inner) || uses(inner.out) > 1) return null;
  const [x] = atLeast(1, inner.inputs);
  const last = x.type.shape.length - 1;
  if (x.type.rows === 0 || last < 1 || last > 3 || inner.params.axes.length !== last) return null;
  if (inner.params.axes.includes(last)) return null;
  return {
    inputs: [x],
    lower: (graph, { written }) => ({
      node: graph.node('BiasAddGrad', [written(x).node], {
        ...T,
        data_format: { tag: 'string', value: 'NHWC' },
      }),
      shape: eq.out.type.shape,
    }),
  };
};

/** x of Σx² over all its elements, for an x that all examples share. */
const squared = (eq: Equation | undefined, { definition }: Reading): Var | null => {
  if (eq === undefined || !isSum(eq) || eq.out.type.shape.length > 0) return null;
  const product = definition(eq.inputs[0]);
  if (product?.primitive !== 'mul' || elementAt(product.inputs, 0).id !== elementAt(product.inputs, 1).id)
    return null;
  return product.out.type.rows === 0 ? elementAt(product.inputs, 0) : null;
};

/** The terms of a sum of sums of squares; null where any term is something else. */
const squares = (x: Var, reading: Reading): readonly Var[] | null => {
  const eq = reading.definition(x);
  const own = squared(eq, reading);
  if (own !== null) return [own];
  if (eq?.primitive !== 'add' || x.type.rows > 0 || x.type.shape.length > 0) return null;
  const [a, b] = atLeast(
    2,
    eq.inputs.map((term) => squares(term, reading)),
  );
  return a === null || b === null ? null : [...a, ...b];
};

/** Values up to this many elements are joined before one operation takes them all. */
export const SMALL = 1 << 14;

export const isSmall = (x: Var): boolean => sizeOfShape(x.type.shape) <= SMALL;

/** Vectors end to end; equal lists of values are joined once. */
export const joined = (graph: GraphBuilder, values: readonly Value[]): string => {
  const flat = values.map(({ node, shape }) =>
    shape.length === 1 ? node : graph.node('Reshape', [node, graph.ints([-1])], { ...T, Tshape: int32 }),
  );
  const n = { tag: 'int', value: flat.length } as const;
  return flat.length === 1
    ? elementAt(flat, 0)
    : graph.node('ConcatV2', [...flat, graph.int(0)], { ...T, Tidx: int32, N: n });
};

/** ‖x₁‖² + ‖x₂‖² + …: half of each by one operation, those of small values together. */
const sumOfSquares: Match = (eq, reading) => {
  const terms = squares(eq.out, reading);
  if (terms === null) return null;
  return {
    inputs: terms,
    lower: (graph, { written }) => {
      const small = terms.filter(isSmall).map(written);
      const vectors = [
        ...(small.length === 0 ? [] : [joined(graph, small)]),
        ...terms.filter((x) => !isSmall(x)).map((x) => written(x).node),
      ];
      const halves = vectors.map((node) => graph.node('L2Loss', [node], T));
      const half = halves.reduce((before, next) => sum(graph, before, next));
      return { node: graph.node('Mul', [half, graph.floats([2], [])], T), shape: [] };
    },
  };
};

const idioms: readonly Match[] = [
  activationGradient('TanhGrad', true, tanhOutput),
  activationGradient('SigmoidGrad', true, sigmoidOutput),
  activationGradient('EluGrad', false, eluOutput),
  alongRows,
  masked,
  comparison,
  channelSum,
  sumOfSquares,
];

export type Selected = { readonly eq: Equation; readonly idiom: Idiom | null };

/**
 * The equations to lower, in order, each alone or as the last of an idiom; from the results and what else is asked for backwards, so that what only an idiom's
 * inside needs is left out. A portable graph has no idioms: tfjs's GraphModel lacks their operations.
 */
export const select = (program: Program, portable: boolean, also: readonly Var[]): readonly Selected[] => {
  const wanted = [...results(program), ...also];
  const definitions = new Map(program.equations.map((eq) => [eq.out.id, eq]));
  const counts = new Map<number, number>();
  for (const x of [...wanted, ...program.equations.flatMap((eq) => eq.inputs)])
    counts.set(x.id, (counts.get(x.id) ?? 0) + 1);
  const reading: Reading = {
    definition: (x) => (x === undefined ? undefined : definitions.get(x.id)),
    uses: (x) => counts.get(x.id) ?? 0,
  };
  const known = portable ? [] : idioms;
  const needed = new Set(wanted.map((x) => x.id));
  const selected: Selected[] = [];
  for (const eq of [...program.equations].reverse()) {
    if (!needed.has(eq.out.id)) continue;
    const idiom = known.reduce<Idiom | null>((found, match) => found ?? match(eq, reading), null);
    for (const x of idiom?.inputs ?? eq.inputs) needed.add(x.id);
    selected.push({ eq, idiom });
  }
  return selected.reverse();
};
