/** Idioms of masks, and of factors that the rows of an example share. */
import { atLeast, elementAt } from '../../../dsl/lookup.js';
import { type Equation, type Var } from '../../../compiler/ir/program.js';
import { sameType } from '../../../compiler/ir/type.js';
import { float } from './graph-builder.js';
import { isConstant, type Match, type Reading } from './graph-idiom.js';
import { reshaped } from './graph-value.js';

const T = { T: float } as const;

/** select(a > b, …) asks the comparison itself, not a number that is 1 where it holds. */
export const comparison: Match = (eq, { definition }) => {
  const greater = eq.primitive === 'select' ? definition(elementAt(eq.inputs, 0)) : undefined;
  if (greater?.primitive !== 'greater') return null;
  const [a, b] = atLeast(2, greater.inputs);
  const [, then, otherwise] = atLeast(3, eq.inputs);
  return {
    inputs: [a, b, then, otherwise],
    lower: (graph, { value, written }) => {
      const test = graph.node('Greater', [value(a).node, value(b).node], T);
      const full = written(then);
      return {
        node: graph.node('SelectV2', [test, full.node, value(otherwise).node], T),
        shape: full.shape,
      };
    },
  };
};

const repetitions: ReadonlySet<string> = new Set([
  'broadcast',
  'broadcastBatch',
  'axisToBatch',
  'batchToAxis',
  'reshape',
]);

/** The comparison that a mask repeats, undefined where its values may be others than 0 and 1. */
const comparisonBehind = (mask: Var, { definition }: Pick<Reading, 'definition'>): Equation | undefined => {
  const eq = definition(mask);
  if (eq?.primitive === 'greater') return eq;
  return eq !== undefined && repetitions.has(eq.primitive)
    ? comparisonBehind(elementAt(eq.inputs, 0), { definition })
    : undefined;
};

/** select(mask, change, 0), as the derivative of relu; the mask is x > 0 itself, or a comparison's result that repeats. */
export const masked: Match = (eq, reading) => {
  if (eq.primitive !== 'select' || !isConstant(reading.definition(elementAt(eq.inputs, 2)), 0)) return null;
  const [mask, change] = atLeast(2, eq.inputs);
  const greater = comparisonBehind(mask, reading);
  if (greater === undefined) return null;
  const isSign =
    greater.out.id === mask.id && isConstant(reading.definition(elementAt(greater.inputs, 1)), 0);
  const feature = isSign ? elementAt(greater.inputs, 0) : mask;
  if (!sameType(feature.type, eq.out.type)) return null;
  return {
    inputs: [change, feature],
    lower: (graph, { written }) => ({
      node: graph.node('ReluGrad', [written(change).node, written(feature).node], T),
      shape: written(change).shape,
    }),
  };
};

/** What all rows of an example share, before it is repeated for each of them. */
const sharedByRows = (x: Var, { definition }: Reading): Var | null => {
  const inBatch = definition(x);
  if (inBatch?.primitive !== 'axisToBatch' || definition(inBatch.inputs[0])?.primitive !== 'broadcast')
    return null;
  return elementAt(inBatch.inputs, 0);
};

/** Rows times what the rows of an example share, or masked by it: the operation repeats it, and no array of the repetitions is written. */
export const alongRows: Match = (eq, reading) => {
  const isMask = eq.primitive === 'select' && isConstant(reading.definition(elementAt(eq.inputs, 2)), 0);
  if (eq.primitive !== 'mul' && !(isMask && comparisonBehind(elementAt(eq.inputs, 0), reading) !== undefined))
    return null;
  const [a, b] = atLeast(2, eq.inputs);
  const either: readonly (readonly [Var, Var])[] = [
    [a, b],
    [b, a],
  ];
  for (const [factor, rows] of isMask ? either.slice(0, 1) : either) {
    const shared = sharedByRows(factor, reading);
    if (shared === null || !sameType(rows.type, eq.out.type)) continue;
    return {
      inputs: [shared, rows],
      lower: (graph, { value, written }) => {
        const full = written(rows);
        const [k] = atLeast(1, shared.type.shape);
        const apart = reshaped(graph, full, [elementAt(full.shape, 0) / k, ...shared.type.shape]);
        // 0 where the mask is 0, whatever the row is.
        const op = isMask ? 'MulNoNan' : 'Mul';
        const product = { node: graph.node(op, [apart.node, value(shared).node], T), shape: apart.shape };
        return reshaped(graph, product, full.shape);
      },
    };
  }
  return null;
};
