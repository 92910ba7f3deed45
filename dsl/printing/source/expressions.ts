/** Expressions as the calls that make them, one row each and exhaustive by type; plain data where no constructor makes them. */
import { expressionFields } from '../../expressions/fields.js';
import { probeCount } from '../../expressions/volume.js';
import type { BinaryOp, Layer, NetworkValue, Node, ReductionOp, UnaryOp } from '../../grammar.js';
import { argumentsOf, outputNames } from '../../network.js';
import { sameShape, type Shape } from '../../shape.js';
import { shapeOf } from '../../shape-rules.js';
import { initializerText } from './layers.js';
import { call, list, literal, options, property, quoted, record, unless, type Word } from './text.js';

/** What an expression stands among. */
export type Around = {
  /** A subexpression: its name where it has one. */
  readonly text: (node: Node) => string;
  /** What a network is called. */
  readonly network: (network: NetworkValue) => string;
  /** What an argument of the body is called; undefined outside of bodies. */
  readonly argument: (name: string) => string | undefined;
  /** Layers as a block; undefined where no constructors make them. */
  readonly block: (layers: readonly Layer[], shape: Shape) => string | undefined;
};

type Of<T extends Node['tag']> = Extract<Node, { readonly tag: T }>;
/** Undefined where no constructor makes the node. */
type Row<T extends Node['tag']> = (node: Of<T>, around: Around) => string | undefined;

const numbers = (values: readonly number[]): readonly string[] => values.map(String);
const shapeText = (shape: Shape): string => list(numbers(shape));

const isNode = (value: object): value is Node =>
  'tag' in value && typeof value.tag === 'string' && Object.hasOwn(expressionFields, value.tag);

const isNetwork = (value: object): value is NetworkValue =>
  'name' in value && 'input' in value && 'layers' in value;

/** The node as plain data, its parts as they are written elsewhere. */
const plain = (node: Node, { text, network }: Around): string =>
  literal(node, (value) =>
    value === node ? undefined : isNode(value) ? text(value) : isNetwork(value) ? network(value) : undefined,
  );

/** A constant where a plain number may stand. */
const scalarText = (node: Node, { text }: Around): string =>
  node.tag === 'constant' ? String(node.value) : text(node);

const unaryWords: { readonly [O in UnaryOp]?: Word } = {
  neg: 'neg', exp: 'exp', log: 'log', sqrt: 'sqrt', square: 'square', abs: 'abs', sin: 'sin', cos: 'cos', atan: 'atan',
}; // prettier-ignore
const binaryWords: { readonly [O in BinaryOp]: Word } = {
  add: 'add', sub: 'sub', mul: 'mul', div: 'div', max: 'max', min: 'min', pow: 'pow', greater: 'greater',
}; // prettier-ignore
const reductionWords: { readonly [O in ReductionOp]: Word } = {
  add: 'sumOver',
  max: 'maxOver',
  min: 'minOver',
  mul: 'productOver',
};

type Placed = Of<'apply' | 'jvp' | 'vjp' | 'solveGram' | 'volume'>;

/** Whether a network is one function of one argument, whose applications every constructor makes. */
const isOne = ({ network, output, argument, given }: Placed): boolean =>
  argument === undefined && given === undefined && output === '' && outputNames(network)[0] === '';

/** The arguments of an application in the order in which a constructor would leave them. */
const placeText = ({ network, at, argument, given }: Placed, { text }: Around): string => {
  if (given === undefined) return text(at);
  const first = argument ?? Object.keys(argumentsOf(network))[0] ?? '';
  return record([
    [first, text(at)],
    ...Object.entries(given).map(([name, node]) => [name, text(node)] as const),
  ]);
};

/** A product with the Jacobian of a network, in the argument that is differentiated. */
const productText = (
  word: 'jvp' | 'vjp',
  node: Of<'jvp' | 'vjp'>,
  direction: Node,
  around: Around,
): string | undefined => {
  const { network, argument, given, output } = node;
  if (output !== '' || outputNames(network)[0] !== '') return undefined;
  const of = [around.network(network), placeText(node, around), around.text(direction)];
  if (given === undefined) return argument === undefined ? call(word, ...of) : undefined;
  const named = argument ?? Object.keys(argumentsOf(network))[0] ?? '';
  return call(word, ...of, quoted(named));
};

/** Whether constructors that ask for the types of shapes can be given the expression. */
const isVector = (node: Node): boolean => shapeOf(node)?.length === 1;

const rows: { readonly [T in Node['tag']]: Row<T> } = {
  data: ({ shape }) => call('data', ...numbers(shape)),
  field: ({ name, shape, type }) =>
    call(type === 'float' ? 'field' : 'integerField', quoted(name), ...numbers(shape)),
  argument: ({ name }, { argument }) => argument(name),
  through: ({ name, layers, of }, { text, block }) => {
    const shape = shapeOf(of);
    const inner = shape && block(layers, shape);
    return inner === undefined ? undefined : call('through', quoted(name), text(of), inner);
  },
  constant: ({ value }) => call('constant', String(value)),
  hyper: ({ name, value }) => call('hyper', quoted(name), String(value)),
  step: () => 'step' satisfies Word,
  draw: ({ name, distribution, shape, probes }) =>
    call('draw', quoted(name), call(distribution, ...numbers(shape)), ...options({ probes })),
  parameter: ({ name, shape, initializer }) =>
    call('parameter', quoted(name), initializerText(initializer), ...numbers(shape)),
  running: () => undefined,
  sqNormOfWeights: ({ network, only }, around) =>
    call('sqNormOfWeights', around.network(network), ...(only === 'all' ? [] : [quoted(only)])),
  apply: (node, around) => {
    const applied = call('apply', around.network(node.network), placeText(node, around));
    return node.argument !== undefined
      ? undefined
      : node.output === ''
        ? applied
        : `${applied}${property(node.output)}`;
  },
  jvp: (node, around) => productText('jvp', node, node.tangent, around),
  vjp: (node, around) => productText('vjp', node, node.cotangent, around),
  logDet: ({ network, at }, { network: called, text }) => call('logDet', called(network), text(at)),
  stop: ({ of }, { text }) => call('stop', text(of)),
  unary: ({ op, of }, { text }) => {
    const word = unaryWords[op];
    return word === undefined ? call('activate', quoted(op), text(of)) : call(word, text(of));
  },
  binary: ({ op, left, right }, around) =>
    call(binaryWords[op], scalarText(left, around), scalarText(right, around)),
  scale: ({ by, of }, around) => call('scale', scalarText(by, around), around.text(of)),
  fill: ({ of, shape }, around) => call('fill', scalarText(of, around), ...numbers(shape)),
  transpose: ({ of, permutation }, { text }) => call('transpose', text(of), shapeText(permutation)),
  broadcast: ({ of, shape, axes }, { text }) =>
    call('broadcast', text(of), shapeText(shape), shapeText(axes)),
  reduce: ({ op, of, axes }, { text }) => call(reductionWords[op], text(of), shapeText(axes)),
  contract: ({ subscripts, left, right }, { text }) =>
    call('contract', quoted(subscripts), text(left), text(right)),
  gather: ({ table: entries, index }, { text }) => call('gather', text(entries), text(index)),
  band: ({ of, below, diagonal, above }, { text }) =>
    call('band', text(of), literal({ below, diagonal, above })),
  batchMean: ({ of }, { text }) => call('batchMean', text(of)),
  another: ({ of, by }, { text }) => call('another', text(of), ...(by === 1 ? [] : [String(by)])),
  sum: ({ of, keep }, { text }) => (keep === 0 ? call('sum', text(of)) : undefined),
  norm: ({ of, keep }, { text }) => (keep === 0 ? call('norm', text(of)) : undefined),
  select: ({ condition, then, otherwise }, { text }) =>
    call('select', text(condition), text(then), text(otherwise)),
  reshape: ({ of, shape }, { text }) => call('reshaped', text(of), ...numbers(shape)),
  slice: ({ of, begin, size }, { text }) => call('slice', text(of), shapeText(begin), shapeText(size)),
  concat: ({ of, axis }, { text }) =>
    axis === 0 && of.every(isVector)
      ? call('concat', ...of.map(text))
      : call('concatAlong', String(axis), ...of.map(text)),
  pad: ({ of, before, after }, { text }) => call('pad', text(of), shapeText(before), shapeText(after)),
  basis: ({ shape }) => call('basis', ...numbers(shape)),
  gram: ({ of }, { text }) => call('gram', text(of)),
  logDetSPD: ({ of }, { text }) => call('logDetSPD', text(of)),
  solveGram: (node, around) =>
    isOne(node)
      ? call(
          'solveGram',
          around.network(node.network),
          around.text(node.at),
          around.text(node.of),
          ...options({ iterations: node.iterations, tolerance: unless(1e-6, node.tolerance) }),
        )
      : undefined,
  volume: (node, around) => {
    const { network, at, probes, method, iterations } = node;
    if (!isOne(node)) return undefined;
    const isDrawn =
      probes?.tag === 'draw' && probes.probes !== undefined && sameShape(probes.shape, network.input);
    if (method === 'exact' ? probes !== undefined : !isDrawn) return undefined;
    const drawn =
      isDrawn && method !== 'exact'
        ? {
            probe: unless('sphere', probes.distribution),
            probes: unless(1, probeCount(probes)),
            name: unless('epsilon', probes.name),
          }
        : {};
    return call(
      'volume',
      around.network(network),
      around.text(at),
      ...options({ method: unless('auto', method), ...drawn, iterations }),
    );
  },
};

/** Makes of a row one that takes any node: it is given those of its own tag alone. */
type AnyRow = { row(node: Node, around: Around): string | undefined }['row'];

const table: ReadonlyMap<string, AnyRow> = new Map<string, AnyRow>(Object.entries(rows));

/** One expression, its parts as they are written around it. */
export const expressionText = (node: Node, around: Around): string =>
  table.get(node.tag)?.(node, around) ?? plain(node, around);

/** Whether a name would say no more than the node itself. */
export const isPlainWord = ({ tag }: Node): boolean =>
  tag === 'constant' || tag === 'step' || tag === 'argument';
