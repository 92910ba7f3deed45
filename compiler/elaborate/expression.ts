/** Elaborates expressions; equal expressions are elaborated once. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { kernelFans } from '../../dsl/layers/initializer.js';
import type { Node, UnaryOp } from '../../dsl/expressions/expression.js';
import type { NetworkValue } from '../../dsl/network.js';
import { sameShape, showShape, sizeOf } from '../../dsl/shape.js';
import {
  add,
  binary,
  constantLike,
  fillShape,
  mul,
  select,
  sumAll,
  batchMean,
  unary,
} from '../ir/operations.js';
import { branches, networkIn, plainValues } from '../../dsl/expressions/rewrite.js';
import { fieldPath } from '../../dsl/path.js';
import { keyOf } from '../ir/key.js';
import { isFunction } from '../ir/primitives/functions.js';
import { gatherAt } from '../ir/primitives/places.js';
import type { Emit, Var } from '../ir/program.js';
import { activate } from './activation.js';
import { arrayOf, concatOf, contractionOf } from './arrays.js';
import { gramOf, logDetOf, logDetOfGram } from './matrices.js';
import { elaborateLayers } from './layer.js';
import {
  bindDraw,
  bindParameter,
  bindState,
  type Context,
  type Elaborate,
  fail,
  isSame,
  type Scope,
} from './context.js';
import { applicationAt, declare, jvpAt, parametersOf, solveGramAt, vjpAt } from './network.js';
import { unitProbes } from './gram-system.js';
import { scaledNorm } from './scaled-norm.js';
import { volumeAt } from './volume-method.js';

/** Beyond this, e^x has no finite value in single precision. */
const largestExponent = 88.7;

const applyUnary = (emit: Emit, op: UnaryOp, x: Var): Var => {
  switch (op) {
    case 'neg':
      return unary(emit, op, x);
    case 'exp':
      return unary(emit, 'exp', binary(emit, 'min', x, constantLike(emit, largestExponent, x.type)));
    case 'square':
      return mul(emit, x, x);
    case 'abs':
      return binary(emit, 'max', x, unary(emit, 'neg', x));
    default:
      return isFunction(op) ? unary(emit, op, x) : activate(emit, op, x, 0);
  }
};

/** The fans of a kernel [in, out] or [height, width, in, out]; of anything else its size. */
const isSmallWhole = (x: number): boolean => Number.isInteger(x) && x >= 1 && x <= 8;

/** xⁿ by products, so that it has a value and derivatives for x < 0 and x = 0 too. */
const wholePower = (emit: Emit, x: Var, n: number): Var => {
  if (n === 1) return x;
  const half = wholePower(emit, x, Math.floor(n / 2));
  const square = mul(emit, half, half);
  return n % 2 === 0 ? square : mul(emit, square, x);
};

/** A key that equal expressions share: children by the variables they became. */
const createKeys = () => {
  const structures = new Map<NetworkValue, string>();
  const networkKey = (net: NetworkValue): string => {
    const known = structures.get(net) ?? keyOf(net);
    structures.set(net, known);
    return known;
  };
  return (node: Node, operands: readonly (readonly [string, Node])[], children: readonly Var[]): string => {
    const network = networkIn(node);
    const unused = node.tag === 'volume' && node.probes !== undefined ? keyOf(node.probes) : '';
    const layers = node.tag === 'through' ? keyOf(node.layers) : '';
    const inputs = children.map((x, i) => `${elementAt(operands, i)[0]}:${x.id}`).join();
    const net = network === undefined ? '' : networkKey(network);
    return [node.tag, keyOf(plainValues(node)), net, unused, layers, inputs].join('|');
  };
};

export const createElaborate = (context: Context, scope?: Scope): Elaborate => {
  const { emit } = context.builder;
  const byIdentity = new Map<Node, Var | null>();
  const byStructure = new Map<string, Var | null>();
  const nodeKey = createKeys();

  const elaborate: Elaborate = (node, path) => {
    const known = byIdentity.get(node);
    if (known !== undefined) return known;
    const result = elaborateNode(node, path);
    byIdentity.set(node, result);
    if (result !== null && !context.paths.has(result.id)) context.paths.set(result.id, path);
    return result;
  };

  const elaborateNode = (node: Node, path: string): Var | null => {
    const operands = operandsOf(node);
    const children = operands
      .map(([field, child]) => elaborate(child, `${path}.${field}`))
      .filter((x) => x !== null);
    if (children.length < operands.length) return null;
    const key = nodeKey(node, operands, children);
    const known = byStructure.get(key);
    if (known !== undefined) return known;
    const result = build(node, children, path);
    byStructure.set(key, result);
    return result;
  };

  const build = (node: Node, operands: readonly Var[], path: string): Var | null => {
    switch (node.tag) {
      case 'data':
        if (scope !== undefined) return outsideOf('data', path);
        return context.example === undefined || sameShape(node.shape, context.example)
          ? context.builder.bind('data', 'data', { rows: 1, shape: node.shape })
          : fail(
              context,
              path,
              `data of shape ${showShape(node.shape)}`,
              `${showShape(context.example)}, what a batch is made of`,
            );
      case 'field':
        return scope === undefined
          ? context.builder.bind('data', node.name, { rows: 1, shape: node.shape })
          : outsideOf(`the field ${JSON.stringify(node.name)}`, path);
      case 'argument':
        return (
          scope?.arguments.get(node.name) ??
          fail(
            context,
            path,
            `an argument ${node.name}`,
            scope === undefined
              ? 'an expression outside of bodies'
              : `one of ${[...scope.arguments.keys()].join(', ')}`,
          )
        );
      case 'constant':
      case 'hyper':
        return emit('constant', { value: node.value, rows: 0, shape: [] }, []);
      case 'step':
        return context.builder.bind('scalar', 'step', { rows: 0, shape: [] });
      case 'draw':
        return scope === undefined
          ? drawOf(node, path)
          : outsideOf(`the draw ${JSON.stringify(node.name)}`, path);
      case 'parameter': {
        const name = scope === undefined ? node.name : `${scope.place.name}/${node.name}`;
        if (!isSame(context.blocks, name, keyOf(node)))
          return fail(
            context,
            path,
            `another parameter named ${JSON.stringify(node.name)}`,
            'one parameter for each name',
          );
        return bindParameter(context, { ...node, name, role: node.name, ...kernelFans(node.shape) });
      }
      case 'sqNormOfWeights':
        return declare(context, node.network, path) ? sqNormOfWeights(node.network, node.only) : null;
      case 'running':
        return scope === undefined ? runningOf(node, operands[0], path) : outsideOf('a running value', path);
      case 'basis':
        return unitProbes(emit, node.shape);
      case 'concat':
        return concatOf(context, operands, node.axis, path);
      default:
        break;
    }
    const [x] = atLeast(1, operands);
    switch (node.tag) {
      case 'through': {
        if (scope === undefined)
          return fail(
            context,
            path,
            'layers',
            'layers in the body of a network or of a layer',
            'give them a network and apply it',
          );
        const place = { path, name: `${scope.place.name}/${node.name}` };
        if (!isSame(context.blocks, place.name, keyOf(node.layers)))
          return fail(
            context,
            path,
            `other layers named ${JSON.stringify(node.name)}`,
            'one list of layers for each name in a body',
          );
        return elaborateLayers(context, node.layers, x, place, '.layers');
      }
      case 'apply': {
        const application = applicationAt(context, elaborate, node, path);
        const output = application?.outputs.get(node.output) ?? null;
        return application !== null && output === null
          ? fail(context, path, `output ${JSON.stringify(node.output)}`, `an output of ${node.network.name}`)
          : output;
      }
      case 'jvp': {
        const application = applicationAt(context, elaborate, node, path);
        const tangent = elaborate(node.tangent, `${path}.tangent`);
        return (
          application &&
          tangent &&
          jvpAt(context, node.network, application, node.output, tangent, `${path}.tangent`)
        );
      }
      case 'vjp': {
        const application = applicationAt(context, elaborate, node, path);
        const cotangent = elaborate(node.cotangent, `${path}.cotangent`);
        return (
          application &&
          cotangent &&
          vjpAt(context, node.network, application, node.output, cotangent, `${path}.cotangent`)
        );
      }
      case 'logDet': {
        const application = applicationAt(context, elaborate, node, path);
        return application && (application.logDet ?? constantLike(emit, 0, { rows: 0, shape: [] }));
      }
      case 'solveGram': {
        const application = applicationAt(context, elaborate, node, path);
        const b = elaborate(node.of, `${path}.of`);
        return application && b && solveGramAt(context, node, application, b, path);
      }
      case 'volume': {
        const application = applicationAt(context, elaborate, node, path);
        return application && volumeAt(context, elaborate, node, application, path);
      }
      case 'gram':
        return gramOf(context, x, path);
      case 'logDetSPD':
        return node.of.tag === 'gram'
          ? logDetOfGram(context, x, elaborate(node.of.of, path), path)
          : logDetOf(context, x, path);
      case 'stop':
        return unary(emit, 'stop', x);
      case 'unary':
        return applyUnary(emit, node.op, x);
      case 'fill':
        return scalarOnly(`${path}.of`, x) && fillShape(emit, x, node.shape);
      case 'transpose':
      case 'broadcast':
      case 'reduce':
      case 'band':
        return arrayOf(context, node, x, path);
      case 'batchMean':
        return scope === undefined ? meanOverBatch(x) : outsideOf('the batch', path);
      case 'another':
        if (scope !== undefined) return outsideOf('the batch', path);
        return x.type.rows === 0 ? x : emit('rotateBatch', { by: node.by }, [x]);
      case 'sum':
        return sumAll(emit, x, node.keep);
      case 'norm':
        return scaledNorm(emit, x, node.keep);
      case 'reshape':
        return sizeOf(node.shape) === sizeOf(x.type.shape)
          ? emit('reshape', { shape: node.shape }, [x])
          : fail(
              context,
              path,
              showShape(x.type.shape),
              `${sizeOf(node.shape)} elements for ${showShape(node.shape)}`,
            );
      case 'slice':
        return node.begin.length === x.type.shape.length &&
          node.size.length === x.type.shape.length &&
          x.type.shape.every((n, i) => elementAt(node.begin, i) + elementAt(node.size, i) <= n)
          ? emit('slice', { begin: node.begin, size: node.size }, [x])
          : fail(
              context,
              path,
              `begin ${showShape(node.begin)} size ${showShape(node.size)}`,
              `a block inside ${showShape(x.type.shape)}`,
            );
      case 'pad':
        return [node.before, node.after].every((p) => p.length === x.type.shape.length)
          ? emit('pad', { before: node.before, after: node.after }, [x])
          : fail(
              context,
              path,
              `padding for ${node.before.length} axes`,
              `one for each axis of ${showShape(x.type.shape)}`,
            );
      default:
        break;
    }
    const [, y] = atLeast(2, operands);
    switch (node.tag) {
      case 'gather':
        return x.type.shape.length > 0
          ? gatherAt(emit, x, y)
          : fail(context, `${path}.table`, showShape(x.type.shape), 'a table [n, …]');
      case 'contract':
        return contractionOf(context, node.subscripts, x, y, path);
      case 'binary':
        return sameShapes(path, x, y) && binaryOf(node, x, y);
      case 'scale':
        return scalarOnly(`${path}.by`, x) && mul(emit, fillShape(emit, x, y.type.shape), y);
      case 'select': {
        const [, , z] = atLeast(3, operands);
        return sameShapes(path, x, y) && sameShapes(path, y, z) && select(emit, x, y, z);
      }
    }
  };

  /** What a function may not see: it would be no function of its arguments. */
  const outsideOf = (found: string, path: string): null =>
    fail(context, path, found, 'arguments, parameters and networks in a body', 'pass it as an argument');

  /** A program that is evaluated is for any batch, so it counts the examples it is given. */
  const meanOverBatch = (x: Var): Var => {
    if (context.mode === 'train' || x.type.rows === 0) return batchMean(emit, x, context.batch);
    const count = emit('sumBatch', {}, [constantLike(emit, 1, x.type)]);
    return binary(emit, 'div', emit('sumBatch', {}, [x]), count);
  };

  const binaryOf = ({ op, right }: Extract<Node, { tag: 'binary' }>, x: Var, y: Var): Var =>
    op === 'pow' && right.tag === 'constant' && isSmallWhole(right.value)
      ? wholePower(emit, x, right.value)
      : binary(emit, op, x, y);

  const sameShapes = (path: string, x: Var, y: Var): true | null =>
    x.type.shape.join() === y.type.shape.join() && x.type.shape.length === y.type.shape.length
      ? true
      : fail(
          context,
          path,
          `shapes ${showShape(x.type.shape)} and ${showShape(y.type.shape)}`,
          'equal shapes',
        );

  const scalarOnly = (path: string, x: Var): true | null =>
    x.type.shape.length === 0 ? true : fail(context, path, showShape(x.type.shape), 'a scalar');

  const drawOf = (node: Extract<Node, { tag: 'draw' }>, path: string): Var | null => {
    const probes = node.probes ?? 1;
    if (node.distribution === 'orthonormal' && probes > sizeOf(node.shape)) {
      return fail(
        context,
        path,
        `${probes} orthonormal probes`,
        `at most ${sizeOf(node.shape)}, the dimension`,
      );
    }
    const known = context.draws.get(node.name);
    const spec = { name: node.name, distribution: node.distribution, rows: 1, probes, shape: node.shape };
    if (known !== undefined && keyOf(known) !== keyOf(spec)) {
      return fail(context, path, `two draws named ${JSON.stringify(node.name)}`, 'one draw for each name');
    }
    const shape = node.probes === undefined ? node.shape : [node.probes, ...node.shape];
    return bindDraw(context, spec, { rows: 1, shape });
  };

  /** The value before the update; where there is an update, also the next one. */
  const runningOf = (
    { name, initial }: Extract<Node, { tag: 'running' }>,
    update: Var | undefined,
    path: string,
  ): Var | null => {
    const stored = bindState(context, { name, shape: [], initializer: { tag: 'constant', value: initial } });
    if (update === undefined) return stored;
    if (scalarOnly(`${path}.update`, update) === null) return null;
    if (context.mode === 'train' && !context.nextStates.has(name))
      context.nextStates.set(name, unary(emit, 'stop', batchMean(emit, update, context.batch)));
    return stored;
  };

  const sqNormOfWeights = (net: NetworkValue, only: 'all' | 'kernels'): Var => {
    const chosen = parametersOf(context, net).filter(({ role }) => only === 'all' || role === 'kernel');
    return chosen
      .map((spec) => bindParameter(context, spec))
      .map((w) => sumAll(emit, mul(emit, w, w)))
      .reduce(
        (total, term) => add(emit, total, term),
        emit('constant', { value: 0, rows: 0, shape: [] }, []),
      );
  };

  return elaborate;
};

/** The expressions that a node is computed from, with their paths inside it. Probes of a volume are left to where they are used. */
const operandsOf = (node: Node): readonly (readonly [string, Node])[] =>
  branches(node)
    .filter(({ path: [field] }) => node.tag !== 'volume' || field !== 'probes')
    .map(({ path, node: child }) => [path.reduce<string>(fieldPath, ''), child]);
