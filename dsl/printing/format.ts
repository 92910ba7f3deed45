/** Expressions, objectives and layers as a reader would write them: `‖x − decoder(encoder(x))‖²`. */
import type { Objective } from '../experiment.js';
import type { BinaryOp, Node, UnaryOp } from '../expressions/expression.js';
import type { Initializer } from '../layers/initializer.js';
import type { Layer, Transform } from '../layers/layer.js';
import { labelOf } from '../network.js';
import type { Printed } from './precedence.js';
import { atom, precedence, within } from './precedence.js';
import { letBindings } from './let-bindings.js';
import { type Shape, showShape } from '../shape.js';

const call = (name: string, ...inside: readonly string[]): Printed => atom(`${name}(${inside.join(', ')})`);

/** To six digits: ½ ln 2π is no clearer with sixteen. */
const digits = (value: number): string => String(Number(value.toPrecision(6)));

const number = (value: number): Printed =>
  value < 0 ? { text: `−${digits(-value)}`, precedence: precedence.minus } : atom(digits(value));

const squared = (printed: Printed): Printed => ({
  text: `${within(precedence.atom, printed)}²`,
  precedence: precedence.power,
});

const product = (left: Printed, right: Printed): Printed => ({
  text: `${within(precedence.product, left)}·${within(precedence.product, right)}`,
  precedence: precedence.product,
});

/** A linear map's product with a vector, which does not associate with what follows. */
const applied = (jacobian: Printed, vector: Printed): Printed => ({
  text: `${jacobian.text}·${within(precedence.power, vector)}`,
  precedence: precedence.product,
});

/** The same for each index of the first axes, which are kept. */
const each = (keep: number, printed: Printed): Printed =>
  keep === 0 ? printed : keep === 1 ? call('each', printed.text) : call('each', printed.text, `${keep} axes`);

const unaryOf = (op: UnaryOp, of: Printed): Printed => {
  switch (op) {
    case 'neg':
      return { text: `−${within(precedence.product, of)}`, precedence: precedence.minus };
    case 'square':
      return squared(of);
    case 'sqrt':
      return { text: `√${within(precedence.atom, of)}`, precedence: precedence.power };
    case 'abs':
      return atom(`|${of.text}|`);
    case 'log':
      return call('ln', of.text);
    default:
      return call(op, of.text);
  }
};

const binaryOf = (op: BinaryOp, left: Printed, right: Printed): Printed => {
  switch (op) {
    case 'add':
      return {
        text: `${left.text} + ${within(right.text.startsWith('−') ? precedence.product : precedence.sum, right)}`,
        precedence: precedence.sum,
      };
    case 'sub':
      return { text: `${left.text} − ${within(precedence.product, right)}`, precedence: precedence.sum };
    case 'mul':
      return product(left, right);
    case 'div':
      return {
        text: `${within(precedence.product, left)}/${within(precedence.power, right)}`,
        precedence: precedence.product,
      };
    case 'pow':
      return {
        text: `${within(precedence.atom, left)}^${within(precedence.atom, right)}`,
        precedence: precedence.power,
      };
    case 'max':
      return call('max', left.text, right.text);
    case 'min':
      return right.text === '0' ? atom(`[${left.text}]₋`) : call('min', left.text, right.text);
    case 'greater':
      return atom(`[${left.text} > ${right.text}]`);
  }
};

const output = (name: string): string => (name === '' ? '' : `.${name}`);

type Placed = Extract<Node, { readonly tag: 'apply' | 'jvp' | 'vjp' | 'solveGram' | 'volume' }>;

/** `h`, and `z, c: label` where there are other arguments. */
const placeOf = ({ at, given = {} }: Placed, text: (child: Node) => string): string =>
  [text(at), ...Object.entries(given).map(([name, node]) => `${name}: ${text(node)}`)].join(', ');

/** `J_decoder`, and `J_decoder/z` where an argument is named. */
const jacobianOf = ({ network, output: name, argument }: Placed): string =>
  `J_${labelOf(network)}${output(name)}${argument === undefined ? '' : `/${argument}`}`;

const reductionNames = { add: 'Σ', max: 'max', min: 'min', mul: 'Π' } as const;

const isTurned = (permutation: Shape): boolean => permutation.join() === '1,0';

/** A node in print, given those of its subexpressions. */
const printedOf = (node: Node, printed: (child: Node) => Printed): Printed => {
  const text = (child: Node): string => printed(child).text;
  switch (node.tag) {
    case 'data':
      return atom('x');
    case 'constant':
      return number(node.value);
    case 'hyper':
    case 'draw':
    case 'parameter':
    case 'running':
      return atom(node.name);
    case 'step':
      return atom('i');
    case 'sqNormOfWeights':
      return squared(atom(`‖${node.only === 'all' ? 'θ' : 'W'}_${node.network.name}‖`));
    case 'field':
    case 'argument':
      return atom(node.name);
    case 'through':
      return call(node.name, text(node.of));
    case 'apply':
      return call(`${labelOf(node.network)}${output(node.output)}`, placeOf(node, text));
    case 'jvp':
      return applied(call(jacobianOf(node), placeOf(node, text)), printed(node.tangent));
    case 'vjp':
      return applied(atom(`${jacobianOf(node)}(${placeOf(node, text)})ᵀ`), printed(node.cotangent));
    case 'logDet':
      return call('ln', `|det J_${labelOf(node.network)}(${text(node.at)})|`);
    case 'basis':
      return atom('I');
    case 'gram':
      return call('gram', text(node.of));
    case 'logDetSPD':
      return call('ln det', text(node.of));
    case 'solveGram': {
      const J = jacobianOf(node);
      return applied(atom(`(${J}ᵀ·${J})(${placeOf(node, text)})⁻¹`), printed(node.of));
    }
    case 'volume': {
      const J = jacobianOf(node);
      return { text: `½·ln det(${J}ᵀ·${J})(${placeOf(node, text)})`, precedence: precedence.product };
    }
    case 'transpose':
      return isTurned(node.permutation)
        ? { text: `${within(precedence.atom, printed(node.of))}ᵀ`, precedence: precedence.power }
        : call('transpose', text(node.of), showShape(node.permutation));
    case 'broadcast':
      return call('broadcast', text(node.of), showShape(node.shape));
    case 'reduce':
      return call(reductionNames[node.op], text(node.of), `axes ${node.axes.join(' ')}`);
    case 'contract':
      return call('contract', node.subscripts, text(node.left), text(node.right));
    case 'band':
      return call('band', text(node.of), `${node.below} ${node.diagonal} ${node.above}`);
    case 'batchMean':
      return call('mean over the batch', text(node.of));
    case 'another':
      return {
        text: `${within(precedence.atom, printed(node.of))}′${node.by === 1 ? '' : node.by}`,
        precedence: precedence.atom,
      };
    case 'stop':
      return call('stop', text(node.of));
    case 'unary':
      return unaryOf(node.op, printed(node.of));
    case 'binary':
      return binaryOf(node.op, printed(node.left), printed(node.right));
    case 'scale':
      return product(printed(node.by), printed(node.of));
    case 'fill':
      return call('fill', text(node.of), showShape(node.shape));
    case 'sum':
      return each(node.keep, sumOf(node.of, printed));
    case 'norm':
      return each(node.keep, atom(`‖${text(node.of)}‖`));
    case 'select':
      return call('select', text(node.condition), text(node.then), text(node.otherwise));
    case 'reshape':
      return call('reshape', text(node.of), showShape(node.shape));
    case 'slice':
      return {
        text: `${within(precedence.atom, printed(node.of))}[${node.begin.map((b, i) => range(b, node.size[i])).join(', ')}]`,
        precedence: precedence.atom,
      };
    case 'concat':
      return call('concat', ...node.of.map(text), ...(node.axis === 0 ? [] : [`axis ${node.axis}`]));
    case 'pad':
      return call('pad', text(node.of), showShape(node.before), showShape(node.after));
  }
};

/** `2:5`; without an end where a slice that no compiler takes has fewer sizes than beginnings. */
const range = (begin: number, size: number | undefined): string =>
  `${begin}:${size === undefined ? '' : begin + size}`;

const sumOf = (node: Node, printed: (child: Node) => Printed): Printed => {
  if (node.tag === 'unary' && node.op === 'square') return squared(atom(`‖${printed(node.of).text}‖`));
  if (node.tag === 'binary' && node.op === 'mul') {
    return atom(`⟨${printed(node.left).text}, ${printed(node.right).text}⟩`);
  }
  return call('Σ', printed(node).text);
};

/** The expression on one line, with no more parentheses than it needs. */
export const formula = (node: Node): string => {
  const printed = (child: Node): Printed => printedOf(child, printed);
  return printed(node).text;
};

const aligned = (lines: readonly (readonly [string, string])[], sign: string): readonly string[] => {
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => `${name.padEnd(width)} ${sign} ${text}`);
};

/**
 * One line for each term, `prior = prior·‖h‖²`, after the definitions of what occurs more than once, `h := encoder(x)`, and before
 * what becomes of running values, `multiplier ← …`.
 */
export const objectiveFormula = (objective: Objective): string => {
  const { definitions, terms, updates } = letBindings(objective, printedOf);
  return [
    ...aligned(definitions, ':='),
    ...(definitions.length === 0 ? [] : ['']),
    ...aligned(terms, '='),
    ...(updates.length === 0 ? [] : ['']),
    ...aligned(updates, '←'),
  ].join('\n');
};

const initializerText = (initializer: Initializer): string => {
  switch (initializer.tag) {
    case 'constant':
      return `constant ${initializer.value}`;
    case 'normal':
      return `normal ${initializer.stddev}`;
    case 'uniform':
      return `uniform ${initializer.limit}`;
    default:
      return initializer.tag;
  }
};

/** What differs from the default: `, no bias, heNormal`. */
const weights = (bias: boolean, initializer: Initializer): string =>
  `${bias ? '' : ', no bias'}${initializer.tag === 'glorotUniform' ? '' : `, ${initializerText(initializer)}`}`;

const transformText = (transform: Transform): string => {
  switch (transform.tag) {
    case 'affine':
      return `affine within e^±${transform.bound}`;
    case 'spline':
      return `spline, ${transform.bins} bins within ±${transform.bound}`;
    case 'circularSpline':
      return `circular spline, ${transform.bins} bins within ±${digits(transform.bound)}`;
  }
};

const describeLayers = (layers: readonly Layer[]): string => layers.map(describeLayer).join('; ');

/** A layer in a few words, without defaults: `conv 64, 4×4, stride 2, same`. */
export const describeLayer = (layer: Layer): string => {
  switch (layer.tag) {
    case 'dense':
      return `dense ${layer.units}${weights(layer.bias, layer.kernel)}`;
    case 'conv':
    case 'convTranspose': {
      const name = layer.tag === 'conv' ? 'conv' : 'transposed conv';
      const geometry = `${layer.filters}, ${layer.kernel}×${layer.kernel}, stride ${layer.stride}, ${layer.padding}`;
      return `${name} ${geometry}${weights(layer.bias, layer.initializer)}`;
    }
    case 'spectral': {
      const options = [
        ...(layer.norm === 'kernel' ? [] : ['norm of the operator']),
        ...(layer.iterations === 1 ? [] : [`${layer.iterations} iterations`]),
      ];
      return `${['spectral', ...options].join(', ')} (${describeLayer(layer.layer)})`;
    }
    case 'flatten':
      return 'flatten';
    case 'reshape':
      return `reshape ${showShape(layer.shape)}`;
    case 'batchNorm':
      return [
        'batch norm',
        ...(layer.statistics === 'constant' ? [] : [layer.statistics]),
        ...(layer.momentum === 0.99 ? [] : [`momentum ${layer.momentum}`]),
        ...(layer.epsilon === 1e-3 ? [] : [`epsilon ${layer.epsilon}`]),
      ].join(', ');
    case 'dropout':
      return `dropout ${layer.rate}`;
    case 'activation':
      return layer.name === 'leakyRelu' ? `leakyRelu ${layer.slope}` : layer.name;
    case 'residual':
      return `residual (${describeLayers(layer.layers)})`;
    case 'averagePool':
      return `average pool ${layer.size}×${layer.size}`;
    case 'upsample':
      return `upsample ${layer.size}×${layer.size}`;
    case 'coupling': {
      const conditioner = layer.conditioner.length === 0 ? '' : ` (${describeLayers(layer.conditioner)})`;
      return `coupling of the ${layer.part} half, ${transformText(layer.transform)}${conditioner}`;
    }
    case 'elementwise':
      return `element-wise ${transformText(layer.transform)}`;
    case 'permutation':
      return `permutation, seed ${layer.seed}`;
    case 'luLinear':
      return 'LU linear';
    case 'squeeze':
      return `squeeze ${layer.size}×${layer.size}`;
    case 'factorOut':
      return `factor out, rest (${describeLayers(layer.layers)})`;
    case 'inverse':
      return `inverse from ${showShape(layer.input)} (${describeLayers(layer.layers)})`;
    case 'inject':
      return `inject ${layer.units}`;
    case 'defined':
    case 'bijection':
      return layer.name;
    case 'heads':
      return `heads ${Object.entries(layer.heads)
        .map(([name, layers]) => `${name} (${describeLayers(layers)})`)
        .join(', ')}`;
  }
};
