/** Networks, expressions and experiments as a TypeScript module that makes them: what can be pasted into a specification. */
import type { Experiment } from '../../experiment.js';
import { everyNode, networkIn, rewriting } from '../../expressions/rewrite.js';
import { leavesFirst, shared, usesOf } from '../../expressions/sharing.js';
import type { DefinedBijection, DefinedLayer, Layer, NetworkValue, Node } from '../../grammar.js';
import { bodiesOf } from '../../layers/rewrite.js';
import { written as asWritten } from '../../network.js';
import { sameShape, type Shape } from '../../shape.js';
import { shapeOf } from '../../shape-rules.js';
import { showPath } from '../../path.js';
import { expressionsIn } from '../../update.js';
import { type Around, expressionText, isPlainWord } from './expressions.js';
import { type BodyText, stackText, throughText, typedArgument } from './layers.js';
import { optimizerText } from './optimizer.js';
import { call, identifier, importsFor, keyText, list, literal, quoted, record } from './text.js';

type Called = ReadonlyMap<string, string>;

/** What a block of code declares before its results. */
type Block = { readonly lines: readonly string[]; readonly results: readonly string[] };

/** What one would call a node that is written more than once. */
const wantedName = (node: Node): string => {
  switch (node.tag) {
    case 'data':
      return 'x';
    case 'field':
    case 'draw':
    case 'parameter':
    case 'hyper':
    case 'running':
      return node.name;
    case 'apply':
      return node.output === '' ? 'y' : node.output;
    case 'jvp':
      return 'Jv';
    case 'vjp':
      return 'Jw';
    default:
      return 'e';
  }
};

/** Expressions with what occurs more than once declared before them. */
const blockOf = (roots: readonly Node[], around: Omit<Around, 'text'>, taken: readonly string[]): Block => {
  const nodes = leavesFirst(roots);
  const uses = usesOf(nodes, roots);
  const texts = new WeakMap<Node, string>();
  const text = (node: Node): string => texts.get(node) ?? expressionText(node, { ...around, text });
  const { lines } = nodes.reduce<{ readonly lines: readonly string[]; readonly names: readonly string[] }>(
    (before, node) => {
      const own = expressionText(node, { ...around, text });
      if (uses(node) < 2 || isPlainWord(node)) {
        texts.set(node, own);
        return before;
      }
      const name = identifier(wantedName(node), [...taken, ...before.names]);
      texts.set(node, name);
      return { lines: [...before.lines, `const ${name} = ${own};`], names: [...before.names, name] };
    },
    { lines: [], names: [] },
  );
  return { lines, results: roots.map(text) };
};

/** The body of a function, its arguments under names of their own. */
const functionText = (
  { arguments: shapes, outputs }: Pick<DefinedLayer, 'arguments' | 'outputs'>,
  networks: Called,
): { readonly names: ReadonlyMap<string, string>; readonly body: string } => {
  const names = Object.keys(shapes).reduce<ReadonlyMap<string, string>>(
    (known, name) => new Map([...known, [name, identifier(name, [...networks.values(), ...known.values()])]]),
    new Map(),
  );
  const argument = (name: string): string | undefined => names.get(name);
  const taken = [...networks.values(), ...names.values()];
  const { lines, results } = blockOf(Object.values(outputs), aroundWith(networks, argument), taken);
  const [only = ''] = results;
  const result =
    Object.keys(outputs)[0] === ''
      ? only
      : record(Object.keys(outputs).map((name, i) => [name, results[i] ?? '']));
  const value = result.startsWith('{') ? `(${result})` : result;
  const indented = (line: string): string => line.replaceAll(/^/gm, '  ');
  return {
    names,
    body: lines.length === 0 ? value : `{\n${[...lines, `return ${result};`].map(indented).join('\n')}\n}`,
  };
};

const hasOneOutput = ({ outputs }: DefinedLayer): boolean => Object.keys(outputs).join() === '';

/** `bijection('shift', { forward: (x) => …, inverse: (y) => …, logDeterminant: (x) => … })`. */
const bijectionText = (layer: DefinedBijection, networks: Called): string => {
  const written = (argument: string, shape: Shape, node: Node): string => {
    const { names, body } = functionText(
      { arguments: { [argument]: shape }, outputs: { '': node } },
      networks,
    );
    return `(${typedArgument(names.get(argument) ?? argument, shape)}) => ${body}`;
  };
  return call(
    'bijection',
    quoted(layer.name),
    record([
      ['forward', written('x', layer.input, layer.forward)],
      ['inverse', written('y', layer.output, layer.inverse)],
      ['logDeterminant', written('x', layer.input, layer.logDeterminant)],
    ]),
  );
};

/** `layer('rmsNorm', (x) => …)`: of a layer with the argument x and one output. */
const layerText =
  (networks: Called): BodyText =>
  (layer, at) => {
    if (layer.tag === 'bijection') {
      const fits =
        sameShape(layer.input, at) && sameShape(shapeOf(layer.forward) ?? layer.input, layer.output);
      return fits ? bijectionText(layer, networks) : undefined;
    }
    const [[name, shape] = ['', []], ...others] = Object.entries(layer.arguments);
    if (name !== 'x' || others.length > 0 || !hasOneOutput(layer) || !sameShape(shape, at)) return undefined;
    const { names, body } = functionText(layer, networks);
    return call('layer', quoted(layer.name), `(${typedArgument(names.get(name) ?? name, shape)}) => ${body}`);
  };

const aroundWith = (
  networks: Called,
  argument: Around['argument'] = () => undefined,
): Omit<Around, 'text'> => ({
  network: (net) => {
    const name = networks.get(net.name) ?? literal(asWritten(net));
    return net.inverts === undefined ? name : call('invert', name);
  },
  argument,
  block: (layers: readonly Layer[], shape) => throughText(layers, shape, layerText(networks)),
});

/** The call that makes a network; plain data where none does. */
const networkText = (net: NetworkValue, name: string, networks: Called): string => {
  const [first, ...rest] = net.layers;
  if (first?.tag === 'defined' && rest.length === 0 && first.name === 'body') {
    const { names, body } = functionText(first, networks);
    const bound = [...names].map(([argument, its]) =>
      argument === its ? its : `${keyText(argument)}: ${its}`,
    );
    const shapes = record(
      Object.entries(first.arguments).map(([key, shape]) => [key, list(shape.map(String))]),
    );
    return `const ${name} = ${call('network', quoted(net.name), shapes, `({ ${bound.join(', ')} }) => ${body}`)};`;
  }
  const stack = stackText(net.layers, net.input, layerText(networks));
  return stack === undefined
    ? `const ${name}: NetworkValue = ${literal(net)};`
    : `const ${name} = ${call('network', quoted(net.name), stack)};`;
};

/** Networks by name, each after those that it applies. */
const networksAmong = (
  roots: readonly Node[],
  others: readonly NetworkValue[],
): ReadonlyMap<string, NetworkValue> => {
  const within = (nodes: readonly Node[]): readonly NetworkValue[] =>
    everyNode(nodes.map((node) => ({ path: [], node }))).flatMap(({ node }) => networkIn(node) ?? []);
  const place = (
    placed: ReadonlyMap<string, NetworkValue>,
    net: NetworkValue,
  ): ReadonlyMap<string, NetworkValue> => {
    if (placed.has(net.name)) return placed;
    const inner = within(bodiesOf(net.layers).map(({ node }) => node)).filter(
      ({ name }) => name !== net.name,
    );
    return new Map([...inner.reduce(place, placed), [net.name, asWritten(net)]]);
  };
  return [...others, ...within(roots)].reduce(place, new Map());
};

/** Declarations of networks and of what the expressions share, and the expressions with these. */
export type Source = {
  readonly declarations: readonly string[];
  /** The expressions by their names. */
  readonly expressions: Readonly<Record<string, string>>;
  /** What a network that is among the given ones or in an expression is called. */
  readonly network: (network: NetworkValue) => string;
};

/** The code that makes expressions, and networks beside those in them; `taken` are names that it leaves alone. */
export const sourceOf = (
  expressions: Readonly<Record<string, Node>>,
  others: readonly NetworkValue[] = [],
  taken: readonly string[] = [],
): Source => {
  const share = rewriting(shared());
  const roots = Object.values(expressions).map(share);
  const networks = networksAmong(roots, others);
  const called = [...networks.keys()].reduce<Called>(
    (known, name) => new Map([...known, [name, identifier(name, [...taken, ...known.values()])]]),
    new Map(),
  );
  const around = aroundWith(called);
  const { lines, results } = blockOf(roots, around, [...taken, ...called.values()]);
  return {
    declarations: [
      ...[...networks].map(([name, net]) => networkText(net, called.get(name) ?? name, called)),
      ...lines,
    ],
    expressions: Object.fromEntries(Object.keys(expressions).map((name, i) => [name, results[i] ?? ''])),
    network: around.network,
  };
};

/** An experiment as a module whose default export it is. */
export const experimentSource = (experiment: Experiment): string => {
  const { objective, logDensity, optimizer, encoder, decoder, batch, steps, data, validation } = experiment;
  const term = (name: string): string => `objective.${name}`;
  const place = new Map(
    expressionsIn(optimizer).map(({ path, node }) => [node, showPath(['optimizer', ...path])]),
  );
  const { declarations, expressions, network } = sourceOf(
    {
      ...Object.fromEntries(Object.entries(objective).map(([name, node]) => [term(name), node])),
      ...(logDensity === undefined ? {} : { logDensity }),
      ...Object.fromEntries([...place].map(([node, name]) => [name, node])),
    },
    [encoder, decoder],
  );
  const terms = Object.keys(objective).map((name) => [name, expressions[term(name)] ?? ''] as const);
  const fields: readonly (readonly [string, string])[] = [
    ['encoder', network(encoder)],
    ['decoder', network(decoder)],
    ['objective', call('objective', record(terms))],
    ...(logDensity === undefined ? [] : [['logDensity', expressions.logDensity ?? ''] as const]),
    ['optimizer', optimizerText(optimizer, (node) => expressions[place.get(node) ?? ''] ?? '')],
    ['batch', String(batch)],
    ['steps', String(steps)],
    ['data', quoted(data)],
    ['validation', literal(validation)],
  ];
  const body = [...declarations, '', `export default ${call('experiment', record(fields))};`].join('\n');
  return `${importsFor(body)}\n${body}\n`;
};
