/** What elaboration carries along: the program under construction, what it will need at run time, and the problems found. */
import type { DistributionName } from '../../dsl/expressions/draw.js';
import type { Node } from '../../dsl/expressions/expression.js';
import type { Initializer } from '../../dsl/layers/initializer.js';
import type { NetworkValue } from '../../dsl/network.js';
import { type Problem, problem } from '../../dsl/problem.js';
import type { Shape } from '../../dsl/shape.js';
import { type Builder, createBuilder } from '../ir/builder.js';
import type { Var } from '../ir/program.js';
import type { Type } from '../ir/type.js';

/** A trainable array; its first value is a function of (seed, name). */
export type ParameterSpec = {
  /** `network/layer-path/role`. */
  readonly name: string;
  /** What it is to its layer: `kernel`, `bias`, or the name that an expression gives it. */
  readonly role: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  readonly fanIn: number;
  readonly fanOut: number;
};

/** A running value that training updates without a gradient, or an optimizer's moment. */
export type StateSpec = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** The parameter whose initial value it begins with, in place of one of its own. */
  readonly copies?: ParameterSpec;
};

/** A random input: `rows` rows for each example, of `probes` probes of `shape` each. */
export type DrawSpec = {
  readonly name: string;
  readonly distribution: DistributionName;
  readonly rows: number;
  readonly probes: number;
  readonly shape: readonly number[];
};

/** Where a layer stands: in the specification, for problems, and in the names of its parameters. */
export type Place = { readonly path: string; readonly name: string };

export type Mode = 'train' | 'inference';

/** What a network gives at an argument: the argument as its primal uses it, the outputs by name, and a flow's log |det J|. */
export type Application = {
  readonly arguments: ReadonlyMap<string, Var>;
  readonly at: Var;
  readonly outputs: ReadonlyMap<string, Var>;
  /** For each row; null where it is 0, and for networks that have none. */
  readonly logDet: Var | null;
};

/** Elaborates one expression at a path; null where it is ill-formed, with the problems noted. */
export type Elaborate = (node: Node, path: string) => Var | null;

/** Where the body of a function is: its arguments, and the place whose parameters are its own. */
export type Scope = { readonly arguments: ReadonlyMap<string, Var>; readonly place: Place };

/**
 * `jitter`: columns of J, or rows of a matrix, are not independent as far as single precision knows, and their factor has something added.
 * `bounded`: a surrogate's gradient would be many times one of little variance, and is made smaller. `unsolved`: conjugate gradients left
 * something over.
 */
export type GuardName = 'jitter' | 'bounded' | 'unsolved';

export type Guard = { readonly name: GuardName; readonly acts: Var };

export type Context = {
  /** Elaborates expressions, those of a body in its scope. */
  readonly expressions: (context: Context, scope?: Scope) => Elaborate;
  readonly builder: Builder;
  readonly mode: Mode;
  readonly batch: number;
  /** Shape of one example of what is fed as data; undefined for whatever the first data expression says. */
  readonly example: Shape | undefined;
  /** The first path in the specification of what became a variable. */
  readonly paths: Map<number, string>;
  readonly problems: Problem[];
  readonly parameters: Map<string, ParameterSpec>;
  readonly states: Map<string, StateSpec>;
  readonly draws: Map<string, DrawSpec>;
  /** Volumes that a training step has a surrogate in place of. */
  readonly surrogates: Set<Node>;
  /** What keeps a training step from numbers that single precision does not know, where it is: 1 for each example that it acts on. */
  readonly guards: Guard[];
  /** Next values of running statistics, from the first application in term order. */
  readonly nextStates: Map<string, Var>;
  readonly networks: Map<string, NetworkValue>;
  /** What the parameters and layers of bodies are, by their full names. */
  readonly blocks: Map<string, string>;
  /** Each application by network name, way and argument. */
  readonly applications: Map<string, Application | null>;
};

export const createContext = (
  expressions: Context['expressions'],
  mode: Mode,
  batch: number,
  example?: Shape,
): Context => ({
  expressions,
  builder: createBuilder(),
  mode,
  batch,
  example,
  paths: new Map(),
  problems: [],
  parameters: new Map(),
  states: new Map(),
  draws: new Map(),
  surrogates: new Set(),
  guards: [],
  nextStates: new Map(),
  networks: new Map(),
  blocks: new Map(),
  applications: new Map(),
});

/** Notes a problem; elaboration goes on elsewhere, so that all of them are found in one go. */
export const fail = (
  context: Context,
  path: string,
  found: string,
  expected: string,
  hint?: string,
): null => {
  context.problems.push(problem(path, found, expected, hint));
  return null;
};

export const bindParameter = (context: Context, spec: ParameterSpec): Var => {
  context.parameters.set(spec.name, spec);
  return context.builder.bind('parameter', spec.name, { rows: 0, shape: spec.shape });
};

export const bindState = (context: Context, spec: StateSpec): Var => {
  context.states.set(spec.name, spec);
  return context.builder.bind('state', spec.name, { rows: 0, shape: spec.shape });
};

export const bindDraw = (context: Context, spec: DrawSpec, type: Type): Var => {
  context.draws.set(spec.name, spec);
  return context.builder.bind('draw', spec.name, type);
};

/** Whether a name stands for what it stood for before. */
export const isSame = (known: Map<string, string>, name: string, meaning: string): boolean => {
  const before = known.get(name) ?? meaning;
  known.set(name, before);
  return before === meaning;
};
