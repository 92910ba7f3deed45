/** Expressions and objectives as a reader would write them: `‖x − decoder(encoder(x))‖²`. */
import type { Objective } from '../experiment.js';
import type { BinaryOp, Node, UnaryOp } from '../expressions/expression.js';
import type { NetworkValue } from '../network.js';
import { letBindings, type Lines } from './let-bindings.js';
import {
  below,
  beside,
  called,
  digits,
  escapedXml,
  fenced,
  figure,
  listed,
  negativePart,
  note,
  power,
  type Printed,
  raised,
  root,
  within,
  word,
} from './notation.js';
import { precedence } from './precedence.js';
import { type Shape, showShape } from '../shape.js';

const call = (name: string, ...inside: readonly Printed[]): Printed => called(word(name), ...inside);

const number = (value: number): Printed =>
  value < 0 ? beside(precedence.minus, '−', figure(digits(-value))) : figure(digits(value));

const squared = (printed: Printed): Printed => raised(within(precedence.atom, printed), '²');

const product = (left: Printed, right: Printed): Printed =>
  beside(precedence.product, within(precedence.product, left), '·', within(precedence.product, right));

/** A linear map's product with a vector, which does not associate with what follows. */
const applied = (jacobian: Printed, vector: Printed): Printed =>
  beside(precedence.product, jacobian, '·', within(precedence.power, vector));

/** The same for each index of the first axes, which are kept. */
const each = (keep: number, printed: Printed): Printed =>
  keep === 0 ? printed : keep === 1 ? call('each', printed) : call('each', printed, note(`${keep} axes`));

const unaryOf = (op: UnaryOp, of: Printed): Printed => {
  switch (op) {
    case 'neg':
      return beside(precedence.minus, '−', within(precedence.product, of));
    case 'square':
      return squared(of);
    case 'sqrt':
      return root(of, within(precedence.atom, of));
    case 'abs':
      return fenced('|', of);
    case 'log':
      return call('ln', of);
    default:
      return call(op, of);
  }
};

const binaryOf = (op: BinaryOp, left: Printed, right: Printed): Printed => {
  switch (op) {
    case 'add':
      return beside(
        precedence.sum,
        left,
        ' + ',
        within(right.text.startsWith('−') ? precedence.product : precedence.sum, right),
      );
    case 'sub':
      return beside(precedence.sum, left, ' − ', within(precedence.product, right));
    case 'mul':
      return product(left, right);
    case 'div':
      return beside(
        precedence.product,
        within(precedence.product, left),
        '/',
        within(precedence.power, right),
      );
    case 'pow':
      return power(within(precedence.atom, left), within(precedence.atom, right));
    case 'max':
      return call('max', left, right);
    case 'min':
      return right.text === '0' ? negativePart(left) : call('min', left, right);
    case 'greater':
      return fenced('[', beside(precedence.sum, left, ' > ', right));
  }
};

type Placed = Extract<Node, { readonly tag: 'apply' | 'jvp' | 'vjp' | 'solveGram' | 'volume' }>;

/** `h`, and `z, c: label` where there are other arguments. */
const placeOf = ({ at, given = {} }: Placed, printed: (child: Node) => Printed): Printed =>
  listed([
    printed(at),
    ...Object.entries(given).map(([name, node]) => beside(precedence.sum, word(name), ': ', printed(node))),
  ]);

/** `decoder`, `decoder⁻¹`, `gaussian.mean`. */
const networkOf = (network: NetworkValue, output: string): Printed => {
  const name =
    network.inverts === undefined ? word(network.name) : raised(word(network.name), '⁻¹', precedence.atom);
  return output === '' ? name : beside(precedence.atom, name, '.', word(output));
};

/** `J_decoder`, and `J_decoder/z` where an argument is named. */
const jacobianOf = ({ network, output, argument }: Placed): Printed => {
  const of = networkOf(network, output);
  return below(word('J'), argument === undefined ? of : beside(precedence.atom, of, '/', word(argument)));
};

const gramOf = (J: Printed): Printed =>
  fenced('(', beside(precedence.product, raised(J, 'ᵀ', precedence.atom), '·', J));

const reductionNames = { add: 'Σ', max: 'max', min: 'min', mul: 'Π' } as const;

const isTurned = (permutation: Shape): boolean => permutation.join() === '1,0';

/** A node in print, given those of its subexpressions. */
const printedOf = (node: Node, printed: (child: Node) => Printed): Printed => {
  const shape = (of: Shape): Printed => note(showShape(of));
  switch (node.tag) {
    case 'data':
      return word('x');
    case 'constant':
      return number(node.value);
    case 'hyper':
    case 'draw':
    case 'parameter':
    case 'running':
      return word(node.name);
    case 'step':
      return word('i');
    case 'sqNormOfWeights':
      return squared(fenced('‖', below(word(node.only === 'all' ? 'θ' : 'W'), word(node.network.name))));
    case 'field':
    case 'argument':
      return word(node.name);
    case 'through':
      return call(node.name, printed(node.of));
    case 'apply':
      return called(networkOf(node.network, node.output), placeOf(node, printed));
    case 'jvp':
      return applied(called(jacobianOf(node), placeOf(node, printed)), printed(node.tangent));
    case 'vjp':
      return applied(
        raised(called(jacobianOf(node), placeOf(node, printed)), 'ᵀ', precedence.atom),
        printed(node.cotangent),
      );
    case 'logDet':
      return call(
        'ln',
        fenced(
          '|',
          beside(
            precedence.atom,
            note('det '),
            called(below(word('J'), networkOf(node.network, '')), printed(node.at)),
          ),
        ),
      );
    case 'basis':
      return word('I');
    case 'gram':
      return call('gram', printed(node.of));
    case 'logDetSPD':
      return call('ln det', printed(node.of));
    case 'solveGram': {
      const map = beside(precedence.atom, gramOf(jacobianOf(node)), fenced('(', placeOf(node, printed)));
      return applied(raised(map, '⁻¹', precedence.atom), printed(node.of));
    }
    case 'volume': {
      const map = beside(precedence.atom, gramOf(jacobianOf(node)), fenced('(', placeOf(node, printed)));
      return beside(precedence.product, '½', '·', word('ln det'), map);
    }
    case 'transpose':
      return isTurned(node.permutation)
        ? raised(within(precedence.atom, printed(node.of)), 'ᵀ')
        : call('transpose', printed(node.of), shape(node.permutation));
    case 'broadcast':
      return call('broadcast', printed(node.of), shape(node.shape));
    case 'reduce':
      return call(reductionNames[node.op], printed(node.of), note(`axes ${node.axes.join(' ')}`));
    case 'contract':
      return call('contract', note(node.subscripts), printed(node.left), printed(node.right));
    case 'gather':
      return beside(
        precedence.atom,
        within(precedence.atom, printed(node.table)),
        fenced('[', printed(node.index)),
      );
    case 'band':
      return call('band', printed(node.of), note(`${node.below} ${node.diagonal} ${node.above}`));
    case 'batchMean':
      return call('mean over the batch', printed(node.of));
    case 'another': {
      const by = node.by === 1 ? [] : [figure(String(node.by))];
      return beside(precedence.atom, within(precedence.atom, printed(node.of)), '′', ...by);
    }
    case 'stop':
      return call('stop', printed(node.of));
    case 'unary':
      return unaryOf(node.op, printed(node.of));
    case 'binary':
      return binaryOf(node.op, printed(node.left), printed(node.right));
    case 'scale':
      return product(printed(node.by), printed(node.of));
    case 'fill':
      return call('fill', printed(node.of), shape(node.shape));
    case 'sum':
      return each(node.keep, sumOf(node.of, printed));
    case 'norm':
      return each(node.keep, fenced('‖', printed(node.of)));
    case 'select':
      return call('select', printed(node.condition), printed(node.then), printed(node.otherwise));
    case 'reshape':
      return call('reshape', printed(node.of), shape(node.shape));
    case 'slice': {
      const ranges = note(node.begin.map((b, i) => range(b, node.size[i])).join(', '));
      return beside(precedence.atom, within(precedence.atom, printed(node.of)), fenced('[', ranges));
    }
    case 'concat':
      return call('concat', ...node.of.map(printed), ...(node.axis === 0 ? [] : [note(`axis ${node.axis}`)]));
    case 'pad':
      return call('pad', printed(node.of), shape(node.before), shape(node.after));
  }
};

/** `2:5`; without an end where a slice that no compiler takes has fewer sizes than beginnings. */
const range = (begin: number, size: number | undefined): string =>
  `${begin}:${size === undefined ? '' : begin + size}`;

const sumOf = (node: Node, printed: (child: Node) => Printed): Printed => {
  if (node.tag === 'unary' && node.op === 'square') return squared(fenced('‖', printed(node.of)));
  if (node.tag === 'binary' && node.op === 'mul')
    return fenced('⟨', listed([printed(node.left), printed(node.right)]));
  return call('Σ', printed(node));
};

/** The expression in all notations. */
export const printedFormula = (node: Node): Printed => {
  const printed = (child: Node): Printed => printedOf(child, printed);
  return printed(node);
};

/** The expression on one line, with no more parentheses than it needs. */
export const formula = (node: Node): string => printedFormula(node).text;

const aligned = (lines: Lines, sign: string): readonly string[] => {
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, { text }]) => `${name.padEnd(width)} ${sign} ${text}`);
};

/** Definitions, terms and what becomes of running values, each with its sign. */
const groupsOf = (objective: Objective): readonly { readonly sign: string; readonly lines: Lines }[] => {
  const { definitions, terms, updates } = letBindings(objective, printedOf);
  return [
    { sign: ':=', lines: definitions },
    { sign: '=', lines: terms },
    { sign: '←', lines: updates },
  ].filter(({ lines, sign }) => lines.length > 0 || sign === '=');
};

/**
 * One line for each term, `prior = prior·‖h‖²`, after the definitions of what occurs more than once, `h := encoder(x)`, and before
 * what becomes of running values, `multiplier ← …`.
 */
export const objectiveFormula = (objective: Objective): string =>
  groupsOf(objective)
    .map(({ sign, lines }) => aligned(lines, sign).join('\n'))
    .join('\n\n');

const latexSigns: Readonly<Record<string, string>> = { '←': '\\leftarrow' };

/** The same for LaTeX with amsmath: an `aligned` that stands in a display. */
export const objectiveLatex = (objective: Objective): string => {
  const rows = groupsOf(objective).map(({ sign, lines }) =>
    lines
      .map(([name, { latex }]) => `  ${word(name).latex} &${latexSigns[sign] ?? sign} ${latex}`)
      .join(' \\\\\n'),
  );
  return ['\\begin{aligned}', rows.join(' \\\\[1ex]\n'), '\\end{aligned}'].join('\n');
};

/** The same as a MathML element, which needs no script; its text is what a reader that has no MathML says. */
export const objectiveMathml = (objective: Objective): string => {
  const cell = (inside: string): string => `<mtd>${inside}</mtd>`;
  const rows = groupsOf(objective).flatMap(({ sign, lines }) =>
    lines.map(
      ([name, { mathml }]) =>
        `<mtr>${cell(word(name).mathml)}${cell(`<mo>${escapedXml(sign)}</mo>`)}${cell(mathml)}</mtr>`,
    ),
  );
  const said = escapedXml(objectiveFormula(objective));
  return `<math display="block" alttext="${said}"><mtable>${rows.join('')}</mtable></math>`;
};
