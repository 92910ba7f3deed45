/** Where the state lies in a session: a variable for each large array, and one for each kind of small arrays that Adam changes together. */
import { elementAt, getFrom } from '../../../dsl/lookup.js';
import type { Program } from '../../../compiler/ir/program.js';
import type { AdamUpdate } from './graph-adam.js';
import { sizeOfShape } from '../../../compiler/ir/type.js';
import { float, type GraphBuilder, int32 } from './graph-builder.js';
import { isSmall, joined } from './graph-idioms.js';
import { reshaped } from './graph-value.js';

export type State = ReadonlyMap<string, readonly number[]>;

/** A program, and what of it TensorFlow's own Adam does. */
export type Lowered = Program & { readonly adam: readonly AdamUpdate[] };

/** A session variable and the arrays of the state that lie in it, one after another. */
export type Variable = { readonly name: string; readonly holds: readonly string[] };

export type Layout = { readonly variables: readonly Variable[]; readonly of: ReadonlyMap<string, Variable> };

/**
 * Arrays of one variable as the state names them: the parameters, their means, their squares; not those that any program
 * assigns alone.
 */
const packsOf = (programs: readonly Lowered[]): readonly Variable[] => {
  const [update, ...others] = programs.flatMap(({ adam }) => adam);
  const assigned = new Set(
    programs.flatMap(({ outputs }) => outputs.flatMap((o) => (o.kind === 'next' ? [o.name] : []))),
  );
  const targets =
    update?.targets.filter(
      ({ parameter, mean, square, gradient }) =>
        isSmall(gradient.of) && ![parameter, mean, square].some((name) => assigned.has(name)),
    ) ?? [];
  if (others.length > 0 || targets.length < 2) return [];
  return (['parameter', 'mean', 'square'] as const).map((kind) => ({
    name: `small/${kind}`,
    holds: targets.map((target) => target[kind]),
  }));
};

/** Programs over one state share its layout. */
export const layoutOf = (programs: readonly Lowered[], state: State): Layout => {
  const packs = packsOf(programs);
  const packed = new Set(packs.flatMap(({ holds }) => holds));
  const own = [...state.keys()].filter((name) => !packed.has(name)).map((name) => ({ name, holds: [name] }));
  const variables = [...own, ...packs];
  return { variables, of: new Map(variables.flatMap((v) => v.holds.map((name) => [name, v]))) };
};

const shapesOf = ({ holds }: Variable, state: State): readonly (readonly number[])[] =>
  holds.map((name) => getFrom(state, name));

/** The variable's own shape: its array's, or a vector of all. */
const shapeOf = (variable: Variable, state: State): readonly number[] => {
  const shapes = shapesOf(variable, state);
  return shapes.length === 1 ? elementAt(shapes, 0) : [shapes.map(sizeOfShape).reduce((a, b) => a + b, 0)];
};

export const handleOf = (graph: GraphBuilder, variable: Variable, state: State): string =>
  graph.node('VarHandleOp', [], {
    dtype: float,
    shape: { tag: 'shape', value: shapeOf(variable, state) },
    shared_name: { tag: 'string', value: variable.name },
    container: { tag: 'string', value: '' },
  });

/** One read of the variable. */
export const readOf = (graph: GraphBuilder, variable: Variable, state: State): string =>
  graph.node('ReadVariableOp', [handleOf(graph, variable, state)], { dtype: float });

/** The arrays that a variable holds, by name, from one read of it. */
export const readArrays = (
  graph: GraphBuilder,
  variable: Variable,
  state: State,
): readonly (readonly [name: string, node: string])[] => {
  const all = readOf(graph, variable, state);
  if (variable.holds.length === 1) return [[elementAt(variable.holds, 0), all]];
  const shapes = shapesOf(variable, state);
  const parts = graph.node('SplitV', [all, graph.ints(shapes.map(sizeOfShape)), graph.int(0)], {
    T: float,
    Tlen: int32,
    num_split: { tag: 'int', value: shapes.length },
  });
  return variable.holds.map((name, i) => {
    const part = { node: i === 0 ? parts : `${parts}:${i}`, shape: [sizeOfShape(elementAt(shapes, i))] };
    return [name, reshaped(graph, part, elementAt(shapes, i)).node];
  });
};

/** Gives a variable the arrays that it holds. */
export const assignArrays = (
  graph: GraphBuilder,
  variable: Variable,
  state: State,
  node: (name: string) => string,
): string => {
  const shapes = shapesOf(variable, state);
  const arrays = variable.holds.map((name, i) => ({ node: node(name), shape: elementAt(shapes, i) }));
  const value = arrays.length === 1 ? elementAt(arrays, 0).node : joined(graph, arrays);
  return graph.node('AssignVariableOp', [handleOf(graph, variable, state), value], { dtype: float });
};
