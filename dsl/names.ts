/** What the names in an experiment mean: networks, hyper-parameters, draws, parameters and terms, each name one thing. */
import * as E from 'fp-ts/lib/Either.js';
import type { Experiment } from './experiment.js';
import type { Node } from './expressions/expression.js';
import type { NetworkValue } from './network.js';
import { written } from './network.js';
import type { Path } from './path.js';
import { showPath } from './path.js';
import type { Problem } from './problem.js';
import { problem } from './problem.js';
import { everyNode, isInBody, networkIn, nodesOf } from './expressions/rewrite.js';

/** A named part of an experiment. */
type Named<A> = { readonly name: string; readonly path: Path; readonly value: A };

/** The first of each name, in order. */
const firsts = <A>(all: readonly Named<A>[]): ReadonlyMap<string, A> => {
  const values = new Map(all.toReversed().map(({ name, value }) => [name, value]));
  return new Map(all.map(({ name, value }) => [name, values.get(name) ?? value]));
};

type NamedNode = Extract<Node, { readonly tag: 'hyper' | 'draw' | 'parameter' | 'running' | 'field' }>;

const namedNodes = (experiment: Experiment): readonly Named<NamedNode>[] =>
  everyNode(nodesOf(experiment)).flatMap((located) => {
    const { path, node } = located;
    // A parameter in a body is that body's own.
    if (node.tag === 'parameter' && isInBody(located)) return [];
    return node.tag === 'hyper' ||
      node.tag === 'field' ||
      node.tag === 'draw' ||
      node.tag === 'parameter' ||
      node.tag === 'running'
      ? [{ path, name: node.name, value: node }]
      : [];
  });

/** The named numbers of an experiment with their values, in the order of first use. */
export const hypersOf = (experiment: Experiment): ReadonlyMap<string, number> =>
  firsts(
    namedNodes(experiment).flatMap(({ name, path, value }) =>
      value.tag === 'hyper' ? [{ name, path, value: value.value }] : [],
    ),
  );

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Equality of plain data. */
const same = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const left = new Map<string, unknown>(Object.entries(a));
  const right = new Map<string, unknown>(Object.entries(b));
  return (
    left.size === right.size &&
    [...left].every(([key, value]) => right.has(key) && same(value, right.get(key)))
  );
};

/** Those that share a name with an earlier one and differ from it; each value once. */
const namesakes = <A>(all: readonly Named<A>[]): readonly Named<A>[] => {
  const first = firsts(all);
  const different = all.filter(({ name, value }) => !same(first.get(name), value));
  return different.filter(({ value }, i) => different.findIndex((other) => other.value === value) === i);
};

/**
 * Every network by name as it was written, in the order of first use: encoder, decoder, then those inside expressions.
 * One name with two structures is a problem.
 */
export const networksOf = (
  experiment: Experiment,
): E.Either<readonly Problem[], ReadonlyMap<string, NetworkValue>> => {
  const used = [
    { path: ['encoder'], value: experiment.encoder },
    { path: ['decoder'], value: experiment.decoder },
    ...everyNode(nodesOf(experiment)).flatMap(({ path, node }) => {
      const value = networkIn(node);
      return value === undefined ? [] : [{ path: [...path, 'network'], value }];
    }),
  ].map(({ path, value }) => ({ path, value: written(value), name: value.name }));
  const others = namesakes(used);
  return others.length === 0
    ? E.right(firsts(used))
    : E.left(
        others.map(({ path, name }) =>
          problem(
            showPath(path),
            `another structure named ${JSON.stringify(name)}`,
            `the structure that ${JSON.stringify(name)} has where it occurs first`,
            'give one of them another name',
          ),
        ),
      );
};

const wordFor = (tag: NamedNode['tag']): string => (tag === 'running' ? 'running value' : tag);

/** Whatever shares a name with an earlier one of the same namespace and differs from it. */
const clashes = (all: readonly Named<NamedNode>[]): readonly Problem[] => {
  const first = firsts(all);
  return namesakes(all).map(({ name, path, value: { tag } }) => {
    const earlier = first.get(name)?.tag ?? tag;
    const quoted = JSON.stringify(name);
    return tag === earlier
      ? problem(
          showPath(path),
          `another ${wordFor(tag)} named ${quoted}`,
          `the same ${wordFor(tag)} as where the name occurs first`,
          'give one of them another name',
        )
      : problem(
          showPath(path),
          `a ${wordFor(tag)} named ${quoted}`,
          `another name: ${quoted} is a ${wordFor(earlier)} already`,
          'draws, parameters and running values share their names; give one of them another name',
        );
  });
};

type Running = Extract<Node, { readonly tag: 'running' }>;

/** Running values that nothing updates, or two things in two ways. */
const updateProblems = (all: readonly Named<Running>[]): readonly Problem[] => {
  const updates = all.flatMap(({ name, path, value: { update } }) =>
    update === undefined ? [] : [{ name, path: [...path, 'update'], value: update }],
  );
  const updated = updates.map(({ name }) => name);
  return [
    ...all
      .filter(({ name }, i) => !updated.includes(name) && all.findIndex((one) => one.name === name) === i)
      .map(({ path }) =>
        problem(showPath([...path, 'update']), 'nothing', 'an expression of what the running value becomes'),
      ),
    ...namesakes(updates).map(({ name, path }) =>
      problem(
        showPath(path),
        `another update of ${JSON.stringify(name)}`,
        'the same update as where it occurs first',
        'give one of them another name',
      ),
    ),
  ];
};

/** The same without the update, which only one of its occurrences need have. */
const reading = (node: NamedNode): NamedNode =>
  node.tag === 'running' ? { tag: 'running', name: node.name, initial: node.initial } : node;

/** Inputs of the compiled program beside draws, parameters and running values. */
const inputNames: readonly string[] = ['data', 'step'];

/** What `--set` changes by a short name besides hyper-parameters: see `dsl/codec/settings.ts`. */
export const isField = (name: string): boolean =>
  ['data', 'batch', 'steps'].includes(name) || /^(validation|optimizer)\./.test(name);

const reserved = (path: Path, why: string): Problem =>
  problem(showPath(path), 'a reserved name', 'another name', why);

/**
 * Names that do not mean one thing: hyper-parameters, draws, parameters and running values that differ from an earlier one of their name
 * (all but the first are inputs of one program and share a namespace), and names that mean something already.
 */
export const nameProblems = (experiment: Experiment): readonly Problem[] => {
  const all = namedNodes(experiment);
  const hypers = all.filter(({ value }) => value.tag === 'hyper');
  const inputs = all
    .filter(({ value }) => value.tag !== 'hyper')
    .map((one) => ({ ...one, value: reading(one.value) }));
  const runnings = all.flatMap(({ name, path, value }) =>
    value.tag === 'running' ? [{ name, path, value }] : [],
  );
  return [
    ...hypers
      .filter(({ name }) => isField(name))
      .map(({ name, path }) =>
        reserved([...path, 'name'], `--set ${name} is a field of the experiment or of its optimizer`),
      ),
    ...inputs
      .filter(({ name }) => inputNames.includes(name))
      .map(({ name, path }) =>
        reserved([...path, 'name'], `every program has an input ${JSON.stringify(name)} of its own`),
      ),
    ...clashes(hypers),
    ...clashes(inputs),
    ...updateProblems(runnings),
  ];
};
