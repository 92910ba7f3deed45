/** Short names for what occurs more than once in an objective: `h := encoder(x)`, `Jv := J_decoder(h)·v`. */
import type { Objective } from '../experiment.js';
import type { Node } from '../expressions/expression.js';
import { labelOf } from '../network.js';
import type { Printed } from './precedence.js';
import { atom } from './precedence.js';
import { branches, children, everyNode, networkIn, plainValues, rewriting } from '../expressions/rewrite.js';

/** A rewriting that makes equal nodes identical, given that it has done so for their children. */
const shared = (): ((node: Node) => Node) => {
  const byKey = new Map<string, Node>();
  const numbers = new WeakMap<Node, number>();
  return (node) => {
    const network = networkIn(node);
    const own = [node.tag, plainValues(node), network === undefined ? '' : labelOf(network)];
    const key = JSON.stringify([own, branches(node).map((part) => [part.path, numbers.get(part.node)])]);
    const known = byKey.get(key);
    if (known !== undefined) return known;
    numbers.set(node, byKey.size);
    byKey.set(key, node); // eslint-disable-line functional/immutable-data -- local to one rewriting
    return node;
  };
};

/** Every distinct node, subexpressions first. */
const leavesFirst = (roots: readonly Node[]): readonly Node[] => {
  const seen = new WeakSet<Node>();
  const visit = (node: Node): readonly Node[] => {
    if (seen.has(node)) return [];
    seen.add(node);
    return [...children(node).flatMap(visit), node];
  };
  return roots.flatMap(visit);
};

/** How often each node is written down, if it is written down once for each of its distinct parents. */
const usesOf = (nodes: readonly Node[], roots: readonly Node[]): ((node: Node) => number) => {
  const uses = new WeakMap<Node, number>();
  [...roots, ...nodes.flatMap(children)].forEach((node) => uses.set(node, (uses.get(node) ?? 0) + 1));
  return (node) => uses.get(node) ?? 0;
};

/** A formula of the step alone: a schedule. */
const isSchedule = (node: Node): boolean => {
  const tags = everyNode([{ path: [], node }]).map((one) => one.node.tag);
  return (
    tags.length > 1 &&
    tags.includes('step') &&
    tags.every((tag) => ['step', 'constant', 'hyper', 'unary', 'binary', 'scale'].includes(tag))
  );
};

const LONG = 40;

const isWorthAName = (node: Node, printed: Printed): boolean =>
  node.tag === 'apply' ||
  node.tag === 'jvp' ||
  node.tag === 'vjp' ||
  node.tag === 'solveGram' ||
  printed.text.length > LONG ||
  isSchedule(node);

const isWord = (text: string): boolean => /^\p{L}+$/u.test(text);

/** What one would call it on paper. */
const customaryName = (node: Node, printedOf: (child: Node) => Printed): readonly string[] => {
  switch (node.tag) {
    case 'apply':
      return node.output !== ''
        ? [node.output]
        : node.network.name === 'encoder' || node.network.inverts !== undefined
          ? ['h']
          : [];
    case 'jvp':
      return [printedOf(node.tangent).text].filter(isWord).map((tangent) => `J${tangent}`);
    case 'vjp':
      return [printedOf(node.cotangent).text].filter(isWord).map((cotangent) => `Jᵀ${cotangent}`);
    default:
      return isSchedule(node) ? ['μ', 'ν'] : [];
  }
};

const anyNames = ['y', 'z', 'u', 'w', 'p', 'q', 'r', 's', 't', 'a', 'b', 'c'];

const nameFor = (node: Node, printedOf: (child: Node) => Printed, taken: readonly string[]): string => {
  const free = [...customaryName(node, printedOf), ...anyNames].find((name) => !taken.includes(name));
  return free ?? `e${taken.length}`;
};

type Lines = readonly (readonly [name: string, text: string])[];

/** The definitions, each before its uses, the terms written with them, and the next values of running ones. */
export const letBindings = (
  objective: Objective,
  print: (node: Node, printedOf: (child: Node) => Printed) => Printed,
): { readonly definitions: Lines; readonly terms: Lines; readonly updates: Lines } => {
  const share = rewriting(shared());
  const terms = Object.entries(objective).map(([name, term]) => [name, share(term)] as const);
  const roots = terms.map(([, term]) => term);
  const nodes = leavesFirst(roots);
  const uses = usesOf(nodes, roots);
  const given = nodes.flatMap((node) =>
    'name' in node ? [node.name] : 'network' in node ? [node.network.name] : [],
  );
  const known = new WeakMap<Node, Printed>();
  const printedOf = (node: Node): Printed => known.get(node) ?? print(node, printedOf);
  const definitions = nodes.reduce<Lines>((lines, node) => {
    const printed = print(node, printedOf);
    const named = uses(node) > 1 && isWorthAName(node, printed);
    const name = named
      ? nameFor(node, printedOf, ['x', 'i', ...given, ...lines.map(([known]) => known)])
      : '';
    known.set(node, named ? atom(name) : printed);
    return named ? [...lines, [name, printed.text]] : lines;
  }, []);
  return {
    definitions,
    terms: terms.map(([name, term]) => [name, printedOf(term).text]),
    updates: nodes.flatMap((node) =>
      node.tag === 'running' && node.update !== undefined
        ? [[node.name, printedOf(node.update).text] as const]
        : [],
    ),
  };
};
