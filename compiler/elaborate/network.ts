/** Elaborates networks: one primal for equal applications, shared by value, jvp and vjp. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { isInvertible } from '../../dsl/layers/bijector.js';
import { someLayer } from '../../dsl/layers/rewrite.js';
import {
  argumentsOf,
  labelOf,
  layerName,
  type NetworkValue,
  outputNames,
  written,
} from '../../dsl/network.js';
import type { SolveNode } from '../../dsl/expressions/volume.js';
import { fieldPath } from '../../dsl/path.js';
import { sameShape, showShape } from '../../dsl/shape.js';
import { atRows, binary, constantLike, mul, sumAll, times } from '../ir/operations.js';
import { pushForward } from '../derivatives/forward.js';
import type { Emit, Var } from '../ir/program.js';
import { pullBack } from '../derivatives/reverse.js';
import {
  type Application,
  type Context,
  createContext,
  type Elaborate,
  fail,
  type ParameterSpec,
} from './context.js';
import type { Node } from '../../dsl/grammar.js';
import { runFlow } from './layer-inverse.js';
import { definedAt, elaborateLayers } from './layer.js';
import { placeInside, type Place } from './site.js';
import { keyOf } from '../ir/key.js';
import { sizeOfShape } from '../ir/type.js';
import { gramOperator, solveByFactor } from './gram-system.js';
import { solveCost } from '../costs/jacobian-cost.js';

/** Either way round. */
const sameNetwork = (a: NetworkValue, b: NetworkValue): boolean => {
  const structure = (net: NetworkValue): string => keyOf([written(net).input, net.layers]);
  return a === b || structure(a) === structure(b);
};

/** Notes the network; false where its name stands for another structure already. */
export const declare = (context: Context, net: NetworkValue, path: string): boolean => {
  const known = context.networks.get(net.name);
  if (known === undefined) context.networks.set(net.name, net);
  if (known === undefined || sameNetwork(known, net)) return true;
  fail(
    context,
    path,
    `two structures named ${JSON.stringify(net.name)}`,
    'one structure for each name',
    'rename one of them',
  );
  return false;
};

/** What a network gives at an argument; of a flow also log |det| of its Jacobian there, null where it is 0. */
type Results = { readonly outputs: ReadonlyMap<string, Var>; readonly logDet: Var | null };

const resultsOf = (context: Context, net: NetworkValue, given: ReadonlyMap<string, Var>): Results | null => {
  const place: Place = { path: fieldPath('networks', net.name), name: net.name };
  const at = elementAt([...given.values()], 0);
  const [only] = net.layers;
  if (only?.tag === 'defined' && net.layers.length === 1) {
    const outputs = definedAt(context, only, given, placeInside(place, '.layers', 0, only));
    return outputs === null ? null : { outputs, logDet: null };
  }
  if (!net.layers.every(isInvertible)) {
    const outputs = outputsOf(context, net, at, place);
    return outputs === null ? null : { outputs, logDet: null };
  }
  const site = { context, run: elaborateLayers };
  const { input } = written(net);
  const way = net.inverts === undefined ? 'forward' : 'backward';
  const moved = runFlow(site, net.layers, input, at, place, '.layers', way);
  return moved === null ? null : { outputs: new Map([['', moved.value]]), logDet: moved.logDet };
};

/** Outputs by name of an ordinary network; null where it does not fit. */
const outputsOf = (
  context: Context,
  net: NetworkValue,
  at: Var,
  place: Place,
): ReadonlyMap<string, Var> | null => {
  const last = net.layers.at(-1);
  if (last?.tag !== 'heads') {
    const y = elaborateLayers(context, net.layers, at, place, '.layers');
    return y === null ? null : new Map([['', y]]);
  }
  const trunk = elaborateLayers(context, net.layers.slice(0, -1), at, place, '.layers');
  if (trunk === null) return null;
  const index = net.layers.length - 1;
  const heads = Object.entries(last.heads).map(([name, layers]) => {
    const head: Place = {
      path: `${place.path}.layers[${index}].heads.${name}`,
      name: `${place.name}/${layerName(index, last)}/${name}`,
    };
    return [name, elaborateLayers(context, layers, trunk, head, '')] as const;
  });
  const complete = heads.flatMap(([name, y]) => (y === null ? [] : [[name, y] as const]));
  return complete.length === heads.length ? new Map(complete) : null;
};

/** The arguments by the names that a network gives them, each a variable of its own with the shape it is to have. */
const argumentsAt = (
  context: Context,
  net: NetworkValue,
  given: ReadonlyMap<string, Var>,
  path: string,
): ReadonlyMap<string, Var> | null => {
  const shapes = Object.entries(argumentsOf(net));
  const unknown = [...given.keys()].find((name) => !shapes.some(([known]) => known === name));
  if (unknown !== undefined) {
    const known = shapes.map(([name]) => name).join(', ');
    return fail(context, path, `an argument ${JSON.stringify(unknown)}`, `one of ${known}`);
  }
  const used = new Set<number>();
  const bound = shapes.flatMap(([name, shape]) => {
    const x = given.get(name);
    const of = name === '' ? `the input of network` : `argument ${name} of network`;
    const expected = `${showShape(shape)}, ${of} ${JSON.stringify(net.name)}`;
    if (x === undefined || !sameShape(x.type.shape, shape)) {
      const found = x === undefined ? 'nothing' : `an argument of shape ${showShape(x.type.shape)}`;
      fail(context, path, found, expected);
      return [];
    }
    const { emit } = context.builder;
    const at = atRows(emit, Math.max(x.type.rows, 1), x);
    // One value in two places is two arguments: only one of them is differentiated.
    const own = used.has(at.id) ? emit('reshape', { shape }, [at]) : at;
    used.add(own.id);
    return [[name, own] as const];
  });
  return bound.length === shapes.length ? new Map(bound) : null;
};

/** The application of a network; equal ones (same name and way, same arguments) are one. */
export const applicationOf = (
  context: Context,
  net: NetworkValue,
  given: ReadonlyMap<string, Var>,
  path: string,
  argument?: string,
): Application | null => {
  if (!declare(context, net, path)) return null;
  const key = `${labelOf(net)}@${[...given]
    .map(([name, x]) => `${name}:${x.id}`)
    .sort()
    .join()}`;
  const known = context.applications.get(key);
  const application = known === undefined ? applied(context, net, given, path) : known;
  context.applications.set(key, application);
  if (application === null || argument === undefined) return application;
  const at = application.arguments.get(argument);
  return at === undefined ? null : { ...application, at };
};

type Placed = Extract<Node, { readonly tag: 'apply' | 'jvp' | 'vjp' | 'solveGram' | 'volume' }>;

/** The application that an expression is about, differentiated in the argument that it names, or in the first. */
export const applicationAt = (
  context: Context,
  elaborate: Elaborate,
  { network, at, argument, given = {} }: Pick<Placed, 'network' | 'at' | 'argument' | 'given'>,
  path: string,
): Application | null => {
  const name = argument ?? Object.keys(argumentsOf(network))[0] ?? '';
  const point = elaborate(at, `${path}.at`);
  const others = Object.entries(given).flatMap(([other, node]) => {
    const x = elaborate(node, `${path}.given.${other}`);
    return x === null ? [] : [[other, x] as const];
  });
  return point === null || others.length < Object.keys(given).length
    ? null
    : applicationOf(context, network, new Map([[name, point], ...others]), path, name);
};

const applied = (
  context: Context,
  net: NetworkValue,
  given: ReadonlyMap<string, Var>,
  path: string,
): Application | null => {
  const bound = argumentsAt(context, net, given, path);
  const results = bound && resultsOf(context, net, bound);
  const [at] = bound?.values() ?? [];
  return bound === null || results === null || at === undefined ? null : { at, arguments: bound, ...results };
};

/** A batch statistic that is differentiated couples the examples of a probe, so probes cannot share one folded batch. */
const couplesExamples = (net: NetworkValue): boolean =>
  someLayer(net.layers, (layer) => layer.tag === 'batchNorm' && layer.statistics === 'differentiated');

/** One direction [..] or k of them [k,..]: applies `f` to a single direction or to k folded into rows. */
const overProbes = (
  emit: Emit,
  direction: Var,
  size: readonly number[],
  coupled: boolean,
  f: (direction: Var) => Var,
): Var => {
  const directions = atRows(emit, Math.max(direction.type.rows, 1), direction);
  if (directions.type.shape.length === size.length) return f(directions);
  const [k] = atLeast(1, directions.type.shape);
  if (!coupled) return emit('batchToAxis', { times: k }, [f(emit('axisToBatch', {}, [directions]))]);
  const one = (i: number): Var => {
    const block = { begin: [i, ...size.map(() => 0)], size: [1, ...size] };
    const result = f(emit('reshape', { shape: size }, [emit('slice', block, [directions])]));
    return emit('reshape', { shape: [1, ...result.type.shape] }, [result]);
  };
  return emit(
    'concat',
    { axis: 0 },
    Array.from({ length: k }, (_, i) => one(i)),
  );
};

const fits = (direction: Var, size: readonly number[]): boolean =>
  [direction.type.shape, direction.type.shape.slice(1)].some((shape) => shape.join() === size.join());

/** J·tangent at the application, for one tangent or one for each probe. */
export const jvpAt = (
  context: Context,
  net: NetworkValue,
  { at, outputs }: Application,
  output: string,
  tangent: Var,
  path: string,
): Var | null => {
  const y = outputs.get(output);
  if (y === undefined) return unknownOutput(context, net, output, path);
  if (!fits(tangent, at.type.shape)) return wrongDirection(context, tangent, at, path);
  const { builder } = context;
  return overProbes(builder.emit, tangent, at.type.shape, couplesExamples(net), (t) => {
    const [result] = pushForward(builder.emit, builder.equations(), [{ primal: at, tangent: t }], [y], true);
    return result ?? constantLike(builder.emit, 0, { rows: t.type.rows, shape: y.type.shape });
  });
};

/** Jᵀ·cotangent at the application, for one cotangent or one for each probe. */
export const vjpAt = (
  context: Context,
  net: NetworkValue,
  { at, outputs }: Application,
  output: string,
  cotangent: Var,
  path: string,
): Var | null => {
  const y = outputs.get(output);
  if (y === undefined) return unknownOutput(context, net, output, path);
  if (!fits(cotangent, y.type.shape)) return wrongDirection(context, cotangent, y, path);
  const { builder } = context;
  return overProbes(builder.emit, cotangent, y.type.shape, couplesExamples(net), (w) => {
    const [result] = pullBack(builder, [at], [y], [w], true);
    return result ?? constantLike(builder.emit, 0, { rows: w.type.rows, shape: at.type.shape });
  });
};

/** (JᵀJ)⁻¹·b at the application, for one right-hand side or one for each probe; or the rounds of conjugate gradients to it. */
export const solveGramAt = (
  context: Context,
  { network: net, output, iterations, tolerance, gives }: SolveNode & { readonly gives?: 'rounds' | 'root' },
  application: Application,
  b: Var,
  path: string,
): Var | null => {
  const { at, outputs } = application;
  const y = outputs.get(output);
  if (y === undefined) return unknownOutput(context, net, output, path);
  if (!fits(b, at.type.shape)) return wrongDirection(context, b, at, `${path}.of`);
  if (couplesExamples(net)) {
    const found =
      'a batch norm whose statistics are differentiated, so JᵀJ of one example alone does not exist';
    return fail(context, path, found, "statistics: 'constant'");
  }
  const { builder } = context;
  const [d, D] = atLeast(
    2,
    [at, y].map((x) => sizeOfShape(x.type.shape)),
  );
  if (d > D)
    return fail(
      context,
      path,
      `a system with JᵀJ of a network from ${d} to ${D} numbers`,
      'at least as many outputs as inputs: JᵀJ has no inverse otherwise',
    );
  const count = sizeOfShape(b.type.shape) / d;
  if (solveCost(d, iterations, count).chosen === 'factor')
    return solveByFactor(context, at, y, b, gives === 'root' ? gives : undefined);
  const solve = (asked?: 'rounds' | 'residual'): Var =>
    overProbes(builder.emit, b, at.type.shape, false, (right) => {
      const { operator, captured } = gramOperator(builder, at, y, right.type);
      const what = asked === undefined ? {} : { gives: asked };
      const params = { operator, iterations: iterations ?? d, tolerance, ...what };
      return builder.emit('solveSPD', params, [right, ...captured]);
    });
  const solution = solve(gives === 'rounds' ? gives : undefined);
  if (context.mode === 'train' && gives === undefined)
    noteResidual(context, b, solve('residual'), b.type.shape.length - at.type.shape.length);
  return solution;
};

/** A relative residual above which a system is not solved: an estimate by it is off by about as much. */
const LARGE = 1e-2;

/** Notes the right-hand sides whose system conjugate gradients have not solved, by what they know to be left over: no product more. */
const noteResidual = ({ builder: { emit }, guards }: Context, b: Var, rest: Var, keep: number): void => {
  const [left, all] = atLeast(
    2,
    [rest, b].map((x) => sumAll(emit, mul(emit, x, x), keep)),
  );
  guards.push({ name: 'unsolved', acts: binary(emit, 'greater', left, times(emit, all, LARGE ** 2)) });
};

const unknownOutput = (context: Context, net: NetworkValue, output: string, path: string): null =>
  fail(
    context,
    path,
    `output ${JSON.stringify(output)}`,
    `one of ${outputNames(net)
      .map((n) => JSON.stringify(n))
      .join(', ')}`,
  );

const wrongDirection = (context: Context, direction: Var, like: Var, path: string): null =>
  fail(
    context,
    path,
    `a direction of shape ${showShape(direction.type.shape)}`,
    `${showShape(like.type.shape)}, or [k,${like.type.shape.join(',')}] for k probes`,
  );

/** The trainable parameters of a network, in order, whether it is applied or not. */
export const parametersOf = (context: Context, net: NetworkValue): readonly ParameterSpec[] => {
  const scratch = createContext(context.expressions, 'inference', 1, net.input);
  const { builder } = scratch;
  const bound = Object.entries(argumentsOf(net)).map(
    ([name, shape]) => [name, builder.bind('data', name === '' ? 'x' : name, { rows: 1, shape })] as const,
  );
  resultsOf(scratch, net, new Map(bound));
  return [...scratch.parameters.values()];
};
