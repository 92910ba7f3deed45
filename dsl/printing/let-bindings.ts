/** Short names for what occurs more than once in an objective: `h := encoder(x)`, `Jv := J_decoder(h)·v`. */
import type { Objective } from '../experiment.js';
import type { Node } from '../expressions/expression.js';
import { type Printed, word } from './notation.js';
import { everyNode, rewriting } from '../expressions/rewrite.js';
import { leavesFirst, shared, usesOf } from '../expressions/sharing.js';

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

export type Lines = readonly (readonly [name: string, printed: Printed])[];

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
    known.set(node, named ? word(name) : printed);
    return named ? [...lines, [name, printed]] : lines;
  }, []);
  return {
    definitions,
    terms: terms.map(([name, term]) => [name, printedOf(term)]),
    updates: nodes.flatMap((node) =>
      node.tag === 'running' && node.update !== undefined
        ? [[node.name, printedOf(node.update)] as const]
        : [],
    ),
  };
};
