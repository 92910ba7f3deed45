/**
 * Pieces of formulas in three notations at once, plain text, LaTeX and MathML, with how tightly the outermost operation of each binds. What an expression looks
 * like is said once, in these words; a notation is what the words come to.
 */
import { type Precedence, precedence } from './precedence.js';

export type Printed = {
  readonly text: string;
  readonly latex: string;
  /** Elements of presentation MathML, escaped. */
  readonly mathml: string;
  readonly precedence: Precedence;
};

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text of an element or an attribute. What no document may hold is left out. */
export const escapedXml = (text: string): string =>
  text
    .replaceAll(/[&<>"]/g, (c) => entities[c] ?? c)
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '');

const greek: Readonly<Record<string, string>> = {
  ...{
    α: 'alpha',
    β: 'beta',
    γ: 'gamma',
    δ: 'delta',
    ε: 'epsilon',
    ζ: 'zeta',
    η: 'eta',
    θ: 'theta',
    ι: 'iota',
  },
  ...{
    κ: 'kappa',
    λ: 'lambda',
    μ: 'mu',
    ν: 'nu',
    ξ: 'xi',
    π: 'pi',
    ρ: 'rho',
    σ: 'sigma',
    τ: 'tau',
    υ: 'upsilon',
  },
  ...{ φ: 'phi', χ: 'chi', ψ: 'psi', ω: 'omega' },
};

/** Characters that mean something to LaTeX. */
const special: Readonly<Record<string, string>> = {
  ...{ '\\': '\\textbackslash{}', '~': '\\textasciitilde{}', '^': '\\textasciicircum{}' },
  ...{ '{': '\\{', '}': '\\}', $: '\\$', '&': '\\&', '#': '\\#', '%': '\\%', _: '\\_' },
};

const latexText = (text: string): string =>
  text.replaceAll(/[\\~^{}$&#%_]/g, (c) => special[c] ?? c).replaceAll(/[\p{Cc}\p{Cs}]/gu, '');

/** Names of hyper-parameters that are letters on paper. */
const letters: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(greek).map(([letter, name]) => [name, letter]),
);

/** Functions that LaTeX has a command for. */
const operatorNames: readonly string[] = ['ln', 'exp', 'sin', 'cos', 'tanh', 'max', 'min', 'det'];

const latexName = (name: string): string => {
  const [before, after] = name.split('ᵀ');
  if (before !== undefined && after !== undefined) return `{${latexName(before)}}^{\\top}${latexName(after)}`;
  const spelled = greek[name] ?? greek[letters[name] ?? ''];
  if (spelled !== undefined) return `\\${spelled} `;
  if (operatorNames.includes(name)) return `\\${name}`;
  if (name === 'ln det') return '\\ln\\det';
  if (/^[A-Za-z]?$/.test(name)) return name;
  return /^[A-Za-z0-9]+$/.test(name) ? `\\mathrm{${name}}` : `\\text{${latexText(name)}}`;
};

const mi = (text: string): string => `<mi>${escapedXml(text)}</mi>`;
const mo = (text: string): string => `<mo>${escapedXml(text)}</mo>`;
const row = (inside: string): string => `<mrow>${inside}</mrow>`;

/** A name, of a variable, a network or a function. */
export const word = (name: string): Printed => ({
  text: name,
  latex: name === '' ? '{}' : latexName(name),
  mathml: mi(letters[name] ?? name),
  precedence: precedence.atom,
});

/** What stands in a formula as words and figures, such as a shape or `axis 1`. */
export const note = (text: string): Printed => ({
  text,
  latex: `\\text{${latexText(text)}}`,
  mathml: `<mtext>${escapedXml(text)}</mtext>`,
  precedence: precedence.atom,
});

/** To six digits: ½ ln 2π is no clearer with sixteen. */
export const digits = (value: number): string => String(Number(value.toPrecision(6)));

/** A number as it is written, without a sign. */
export const figure = (text: string): Printed => {
  const [digits = text, exponent] = text.split('e');
  const power = exponent?.replace('+', '').replace('-', '−');
  return {
    text,
    latex:
      text === 'Infinity'
        ? '\\infty'
        : text === 'NaN'
          ? '\\mathrm{NaN}'
          : exponent === undefined
            ? text
            : `${digits} \\cdot 10^{${exponent.replace('+', '')}}`,
    mathml:
      power === undefined
        ? `<mn>${escapedXml(text === 'Infinity' ? '∞' : text)}</mn>`
        : row(`<mn>${digits}</mn>${mo('·')}<msup><mn>10</mn><mn>${power}</mn></msup>`),
    precedence: precedence.atom,
  };
};

/** Operators with the spaces that text has around them. */
const operators = {
  ' + ': '+',
  ' − ': '-',
  '·': '\\cdot ',
  '/': '/',
  ' > ': '>',
  ', ': ',\\, ',
  ': ': '\\colon ',
  '−': '-',
  '½': '\\tfrac{1}{2} ',
  '.': '.',
  '′': "'",
} as const;

export type Operator = keyof typeof operators;

const isOperator = (part: Printed | Operator): part is Operator => typeof part === 'string';

/** Parts one after another, operators between them. */
export const beside = (binds: Precedence, ...parts: readonly (Printed | Operator)[]): Printed => ({
  text: parts.map((part) => (isOperator(part) ? part : part.text)).join(''),
  latex: parts.map((part) => (isOperator(part) ? operators[part] : part.latex)).join(''),
  mathml: row(
    parts
      .map((part) => (!isOperator(part) ? part.mathml : part === '½' ? '<mn>½</mn>' : mo(part.trim())))
      .join(''),
  ),
  precedence: binds,
});

/** Parts with commas between them. */
export const listed = (parts: readonly Printed[]): Printed =>
  beside(precedence.atom, ...parts.flatMap((part, i) => (i === 0 ? [part] : [', ' as const, part])));

const fences = {
  '(': ['(', ')', '\\left(', '\\right)'],
  '[': ['[', ']', '\\left[', '\\right]'],
  '|': ['|', '|', '\\left|', '\\right|'],
  '‖': ['‖', '‖', '\\left\\|', '\\right\\|'],
  '⟨': ['⟨', '⟩', '\\left\\langle ', '\\right\\rangle '],
} as const;

/** Something between two signs. */
export const fenced = (sign: keyof typeof fences, inside: Printed): Printed => {
  const [open, close, left, right] = fences[sign];
  return {
    text: `${open}${inside.text}${close}`,
    latex: `${left}${inside.latex}${right}`,
    mathml: row(
      `<mo fence="true" form="prefix" stretchy="false">${open}</mo>${inside.mathml}<mo fence="true" form="postfix" stretchy="false">${close}</mo>`,
    ),
    precedence: precedence.atom,
  };
};

/** In parentheses where it binds less tightly than its place asks. */
export const within = (least: Precedence, printed: Printed): Printed =>
  printed.precedence < least ? fenced('(', printed) : printed;

/** `name(a, b)`. */
export const called = (name: Printed, ...inside: readonly Printed[]): Printed => {
  const list = fenced('(', listed(inside));
  return {
    text: `${name.text}${list.text}`,
    latex: `${name.latex}${list.latex}`,
    mathml: row(`${name.mathml}<mo>&#x2061;</mo>${list.mathml}`),
    precedence: precedence.atom,
  };
};

const raisedSigns = {
  '²': ['2', '<mn>2</mn>'],
  ᵀ: ['\\top', '<mo>⊤</mo>'],
  '⁻¹': ['-1', row(`${mo('−')}<mn>1</mn>`)],
} as const;

/** A sign after and above: a square, a transpose, an inverse. */
export const raised = (
  base: Printed,
  sign: keyof typeof raisedSigns,
  binds: Precedence = precedence.power,
): Printed => {
  const [latex, mathml] = raisedSigns[sign];
  return {
    text: `${base.text}${sign}`,
    latex: `{${base.latex}}^{${latex}}`,
    mathml: `<msup>${row(base.mathml)}${mathml}</msup>`,
    precedence: binds,
  };
};

/** base^exponent. */
export const power = (base: Printed, exponent: Printed): Printed => ({
  text: `${base.text}^${exponent.text}`,
  latex: `{${base.latex}}^{${exponent.latex}}`,
  mathml: `<msup>${row(base.mathml)}${row(exponent.mathml)}</msup>`,
  precedence: precedence.power,
});

/** `J_decoder`. */
export const below = (base: Printed, index: Printed): Printed => ({
  text: `${base.text}_${index.text}`,
  latex: `{${base.latex}}_{${index.latex}}`,
  mathml: `<msub>${row(base.mathml)}${row(index.mathml)}</msub>`,
  precedence: precedence.atom,
});

/** The negative part, [x]₋. */
export const negativePart = (of: Printed): Printed => {
  const inside = fenced('[', of);
  return {
    text: `${inside.text}₋`,
    latex: `{${inside.latex}}_{-}`,
    mathml: `<msub>${inside.mathml}${mo('−')}</msub>`,
    precedence: precedence.atom,
  };
};

export const root = (of: Printed, inside: Printed): Printed => ({
  text: `√${inside.text}`,
  latex: `\\sqrt{${of.latex}}`,
  mathml: `<msqrt>${of.mathml}</msqrt>`,
  precedence: precedence.power,
});
