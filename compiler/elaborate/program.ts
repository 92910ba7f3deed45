/** Elaborates the programs of an experiment: its objective with all terms, and its encoder and decoder alone. */
import { entryOf } from '../../dsl/lookup.js';
import { dataShapeOf } from '../../dsl/data-shape.js';
import type { Experiment } from '../../dsl/experiment.js';
import { data, type Node } from '../../dsl/expressions/expression.js';
import type { NetworkValue } from '../../dsl/network.js';
import { argumentsOf, codeOutput } from '../../dsl/network.js';
import { everyNode } from '../../dsl/expressions/rewrite.js';
import { fieldPath, showPath } from '../../dsl/path.js';
import { expressionsIn, type Optimizer } from '../../dsl/update.js';
import { type Shape, showShape } from '../../dsl/shape.js';
import { add, atRows, batchMean, binary, constantLike, sumAll, times } from '../ir/operations.js';
import type { Output, Program, Var } from '../ir/program.js';
import { sizeOfShape } from '../ir/type.js';
import { type Context, createContext, fail, type Guard } from './context.js';
import { createElaborate } from './expression.js';
import { scheduleProblems } from './schedule.js';

export type Elaborated = { readonly program: Program; readonly context: Context };

/** A step, with the values of the optimizer's expressions. */
export type ElaboratedStep = Elaborated & { readonly numbers: ReadonlyMap<Node, Var> };

const value = (name: string, x: Var): Output => ({ kind: 'value', name, var: x });

/** Whether an expression holds a volume that a step has a surrogate in place of. */
const holdsSurrogate = ({ surrogates }: Context, node: Node): boolean =>
  everyNode([{ path: [], node }]).some((one) => surrogates.has(one.node));

export const programOf = (context: Context, name: string, outputs: readonly Output[]): Program => ({
  name,
  batch: context.batch,
  binders: context.builder.binders(),
  equations: context.builder.equations(),
  outputs,
});

/** What part of a batch each guard of a term acts on, over all probes. */
const guardsOf = (
  { builder: { emit }, batch }: Context,
  term: string,
  guards: readonly Guard[],
): readonly Output[] => {
  const names = [...new Set(guards.map(({ name }) => name))];
  return names.map((name): Output => {
    const shares = guards
      .filter((one) => one.name === name)
      .map(({ acts }) => {
        const one = atRows(emit, Math.max(1, acts.type.rows), acts);
        return batchMean(emit, times(emit, sumAll(emit, one), 1 / sizeOfShape(acts.type.shape)), batch);
      });
    const greatest = shares.reduce((a, b) => binary(emit, 'max', a, b));
    return { kind: 'guard', name: `${term}/${name}`, var: greatest };
  });
};

type Terms = {
  readonly terms: readonly (readonly [string, Var])[];
  /** Shares of the batch, a name `TERM/GUARD` each. */
  readonly guards: readonly Output[];
};

/** The terms of an objective, a variable each; a term that is not a scalar is a problem. */
const termsOf = (context: Context, experiment: Experiment): Terms => {
  const elaborate = createElaborate(context);
  const guards: Output[] = [];
  const terms = Object.entries(experiment.objective).flatMap(([name, node]) => {
    const path = fieldPath('objective', name);
    const before = context.guards.length;
    const x = elaborate(node, path);
    guards.push(...guardsOf(context, name, context.guards.slice(before)));
    if (x === null) return [];
    if (x.type.shape.length > 0) {
      fail(
        context,
        path,
        `a term of shape ${showShape(x.type.shape)}`,
        'a scalar',
        'reduce it with sum, sqNorm or norm',
      );
      return [];
    }
    return [[name, x] as const];
  });
  return { terms, guards };
};

/**
 * The objective as a program. Outputs: every term's mean over the batch, or the surrogate's in its place, what part of the batch each guard
 * acted on, the telemetry `loss`, which is the terms' sum, and `rate`, the optimizer's, and the next running statistics and running values.
 */
export const elaborateStep = (experiment: Experiment): ElaboratedStep => {
  const context = createContext(createElaborate, 'train', experiment.batch, dataShapeOf(experiment));
  const { emit } = context.builder;
  const { terms, guards } = termsOf(context, experiment);
  const means = terms.map(([name, x]): Output => ({
    kind: holdsSurrogate(context, entryOf(experiment.objective, name)) ? 'surrogate' : 'term',
    name,
    var: batchMean(emit, x, experiment.batch),
  }));
  if (means.length === 0 && context.problems.length === 0) {
    fail(context, 'objective', 'no term', 'at least one named scalar');
  }
  const zero = constantLike(emit, 0, { rows: 0, shape: [] });
  const loss = means.reduce((sum, term) => add(emit, sum, term.var), zero);
  const numbers = numbersOf(context, experiment.optimizer);
  const rate = numbers.get(experiment.optimizer.rate) ?? null;
  const next: readonly Output[] = [...context.nextStates].map(([name, x]) => ({
    kind: 'next',
    name,
    var: x,
  }));
  const telemetry: readonly Output[] = [
    { kind: 'telemetry', name: 'loss', var: loss },
    ...(rate === null ? [] : [{ kind: 'telemetry', name: 'rate', var: rate } as const]),
  ];
  const program = programOf(context, 'step', [...means, ...guards, ...telemetry, ...next]);
  if (context.problems.length === 0)
    context.problems.push(...scheduleProblems(program, context.paths, experiment.steps));
  return { program, context, numbers };
};

/** The values of an optimizer's expressions; one that is no scalar of the step is a problem. */
const numbersOf = (context: Context, optimizer: Optimizer): ReadonlyMap<Node, Var> => {
  const elaborate = createElaborate(context);
  const found = expressionsIn(optimizer).flatMap(({ path, node }) => {
    const at = showPath(['optimizer', ...path]);
    const x = elaborate(node, at);
    if (x === null) return [];
    if (x.type.rows > 0) fail(context, at, 'an expression of the data', 'a schedule: a scalar of the step');
    else if (x.type.shape.length > 0) fail(context, at, showShape(x.type.shape), 'a scalar of the step');
    return [[node, x] as const];
  });
  return new Map(found);
};

/** The terms of each example, without a mean, with running statistics and without dropout. */
export const elaborateEvaluation = (experiment: Experiment): Elaborated => {
  const context = createContext(createElaborate, 'inference', experiment.batch, dataShapeOf(experiment));
  const { terms: found } = termsOf(context, experiment);
  const terms = found.map(([name, x]): Output => ({
    kind: 'term',
    name,
    var: atRows(context.builder.emit, 1, x),
  }));
  return { program: programOf(context, 'evaluate', terms), context };
};

/** Expressions of any shape for each example, in inference mode; a path and a name for each. */
export const elaborateExpressions = (
  name: string,
  batch: number,
  example: Shape,
  outputs: readonly { readonly path: string; readonly output: string; readonly node: Node }[],
): Elaborated => {
  const context = createContext(createElaborate, 'inference', batch, example);
  const elaborate = createElaborate(context);
  const values = outputs.flatMap(({ path, output, node }) => {
    const x = elaborate(node, path);
    return x === null ? [] : [value(output, atRows(context.builder.emit, 1, x))];
  });
  return { program: programOf(context, name, values), context };
};

/** A network's code, or its only output; arguments after the first are the fields of their names. */
const only = (net: NetworkValue, at: Node): Node => {
  const others = Object.entries(argumentsOf(net))
    .slice(1)
    .map(([name, shape]): readonly [string, Node] => [name, { tag: 'field', name, shape, type: 'float' }]);
  const given = others.length === 0 ? {} : { given: Object.fromEntries(others) };
  return { tag: 'apply', network: net, at, ...given, output: codeOutput(net) };
};

/** data → code. */
export const elaborateEncoder = ({ encoder, batch }: Experiment): Elaborated =>
  elaborateExpressions('encode', batch, encoder.input, [
    { path: 'encode', output: 'code', node: only(encoder, data(...encoder.input)) },
  ]);

/** data → ln p(x), and the distance of x from its reconstruction: of a manifold's density only the two together say anything. */
export const elaborateDensity = ({
  encoder,
  decoder,
  batch,
  logDensity,
}: Experiment): Elaborated | undefined => {
  if (logDensity === undefined) return undefined;
  const x = data(...encoder.input);
  const rest: Node = { tag: 'binary', op: 'sub', left: x, right: only(decoder, only(encoder, x)) };
  return elaborateExpressions('density', batch, encoder.input, [
    { path: 'logDensity', output: 'logDensity', node: logDensity },
    { path: 'density', output: 'distance', node: { tag: 'norm', of: rest, keep: 0 } },
  ]);
};

/** code → data; the code is bound as `data`. */
export const elaborateDecoder = ({ decoder, batch }: Experiment): Elaborated =>
  elaborateExpressions('decode', batch, decoder.input, [
    { path: 'decode', output: 'data', node: only(decoder, data(...decoder.input)) },
  ]);
