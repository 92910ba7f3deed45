/** Expressions as programs of their own, with values for their binders: the interpreter as a calculator. */
import type { Initializer } from '../../dsl/layers/initializer.js';
import { createContext, type DrawSpec, type Mode } from '../../compiler/elaborate/context.js';
import { createElaborate } from '../../compiler/elaborate/expression.js';
import type { Program } from '../../compiler/ir/program.js';
import { verify } from '../../compiler/ir/verify.js';
import type { Node } from '../../dsl/expressions/expression.js';
import type { NetworkValue } from '../../dsl/network.js';
import type { Shape } from '../../dsl/shape.js';
import { feed } from './feeding.js';
import { type Arrays, interpret } from './outputs.js';

export type Calculation = { readonly program: Program; readonly draws: readonly DrawSpec[] };

/** A program whose outputs are the values of expressions by name; throws where one is ill-formed. */
export const calculation = (
  expressions: Readonly<Record<string, Node>>,
  batch = 1,
  mode: Mode = 'train',
): Calculation => {
  const context = createContext(createElaborate, mode, batch);
  const elaborate = createElaborate(context);
  const outputs = Object.entries(expressions).map(([name, node]) => {
    const x = elaborate(node, name);
    if (x === null) throw new Error(JSON.stringify(context.problems));
    // What is called a loss can be differentiated.
    return name === 'loss'
      ? ({ kind: 'telemetry', name, var: x } as const)
      : ({ kind: 'value', name, var: x } as const);
  });
  const { builder } = context;
  const program: Program = {
    name: 'calculation',
    batch,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs,
  };
  const faults = verify(program);
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  return { program, draws: [...context.draws.values()] };
};

/** The array of that name. */
export const arrayOf = (arrays: Arrays, name: string): Float64Array => {
  const values = arrays.get(name);
  if (values === undefined) throw new Error(`no array ${name}`);
  return values;
};

/** The values of expressions under random parameters and data, with some of the inputs given. */
export const calculate = (
  expressions: Readonly<Record<string, Node>>,
  options: {
    readonly batch?: number;
    readonly seed?: number;
    readonly given?: Arrays;
    readonly mode?: Mode;
  } = {},
): ((name: string) => Float64Array) => {
  const { program, draws } = calculation(expressions, options.batch, options.mode);
  const results = interpret(
    program,
    new Map([...feed(program, draws, options.seed ?? 0), ...(options.given ?? [])]),
  );
  return (name) => arrayOf(results, name);
};

/** A free array: an input of a calculation, named and given like a parameter. */
export const free = (name: string, ...shape: readonly number[]): Node => {
  const initializer: Initializer = { tag: 'zeros' };
  return { tag: 'parameter', name, shape, initializer };
};

/** The data. */
export const x = (shape: Shape): Node => ({ tag: 'data', shape });

/** A random input of that shape. */
export const direction = (name: string, shape: Shape, probes?: number): Node => ({
  tag: 'draw',
  name,
  distribution: 'normal',
  shape,
  ...(probes === undefined ? {} : { probes }),
});

/** J·tangent, of a network whose shapes the type checker need not know. */
export const jvp = (network: NetworkValue, at: Node, tangent: Node): Node => ({
  tag: 'jvp',
  network,
  at,
  tangent,
  output: '',
});

/** Jᵀ·cotangent. */
export const vjp = (network: NetworkValue, at: Node, cotangent: Node): Node => ({
  tag: 'vjp',
  network,
  at,
  cotangent,
  output: '',
});
