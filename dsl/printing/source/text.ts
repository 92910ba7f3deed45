/** TypeScript as text: calls of the language's constructors, literals, names, and the imports that a text needs. */
import { isRecord } from '../../codec/codec.js';

/** What a text may be written with, all of it from `immersion/dsl`. */
const words = [
  'accumulate', 'averaged', 'chain', 'clipBlock', 'clipNorm', 'clipValue', 'freeze', 'lookahead', 'momentum', 'only', 'scaleByAdam',
  'scaleByBlock', 'scaleByFactoredRms', 'scaleByLion', 'scaleByRate', 'scaleByRms', 'scaleByRss', 'scaleUpdate', 'weightDecay',
  'abs', 'activate', 'activation', 'actNorm', 'adam', 'add', 'affine', 'another', 'apply', 'arrange', 'atan', 'averagePool', 'band', 'basis',
  'batchMean', 'batchNorm', 'bijection', 'circularSpline', 'broadcast', 'concat', 'concatAlong', 'constant', 'constantInitializer', 'contract', 'conv', 'convTranspose',
  'cos', 'coupling', 'data', 'dense', 'div', 'draw', 'dropout', 'elementwise', 'elu', 'exp', 'experiment', 'Expr', 'factorOut', 'field',
  'fill', 'flatten', 'gather', 'gelu', 'glorotUniform', 'gram', 'greater', 'heads', 'heNormal', 'hyper', 'imageCoupling', 'inject', 'input',
  'integerField', 'inverse', 'invert', 'jvp', 'latent', 'layer', 'leakyRelu', 'log', 'logDet', 'logDetSPD', 'luLinear', 'max', 'maxOver',
  'min', 'minOver', 'mul', 'neg', 'network', 'NetworkValue', 'Node', 'norm', 'normal', 'normalInitializer', 'normEach', 'objective',
  'observed', 'ones', 'orthogonal', 'orthonormal', 'pad', 'parameter', 'permutation', 'pipe', 'pow', 'productOver', 'rademacher', 'relu',
  'reshape', 'reshaped', 'residual', 'scale', 'select', 'sgd', 'sigmoid', 'silu', 'sin', 'slice', 'softplus', 'solveGram', 'spectral',
  'sphere', 'spline', 'sqNormEach', 'sqNormOfWeights', 'sqrt', 'square', 'squeeze', 'step', 'stop', 'sub', 'sum', 'sumOver', 'tanh',
  'through', 'transpose', 'uniform', 'uniformInitializer', 'upsample', 'vjp', 'volume', 'zeros',
] as const; // prettier-ignore

export type Word = (typeof words)[number];

const types: readonly string[] = ['Expr', 'NetworkValue', 'Node'];

const WIDTH = 96;

const indented = (text: string): string => text.replaceAll(/^/gm, '  ');

/** Parts between brackets, on one line where they fit. */
export const enclosed = (open: string, parts: readonly string[], close: string): string => {
  const line = `${open}${parts.join(', ')}${close}`;
  return line.length <= WIDTH && !line.includes('\n')
    ? line
    : `${open.trimEnd()}\n${indented(parts.map((part) => `${part},`).join('\n'))}\n${close.trimStart()}`;
};

export const call = (name: Word, ...parts: readonly string[]): string => enclosed(`${name}(`, parts, ')');

/** An array or shape. */
export const list = (parts: readonly string[]): string => enclosed('[', parts, ']');

const isIdentifier = (name: string): boolean => /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name);

export const quoted = (text: string): string =>
  /^[^'\\\p{C}]*$/u.test(text) ? `'${text}'` : JSON.stringify(text);

export const keyText = (name: string): string => (isIdentifier(name) ? name : quoted(name));

export const record = (entries: readonly (readonly [string, string])[]): string =>
  entries.length === 0
    ? '{}'
    : enclosed(
        '{ ',
        entries.map(([name, text]) => (keyText(name) === text ? text : `${keyText(name)}: ${text}`)),
        ' }',
      );

/** `.mean`, or `['a b']`. */
export const property = (name: string): string => (isIdentifier(name) ? `.${name}` : `[${quoted(name)}]`);

/** Plain data as it is written; what `special` knows is written as that says. */
export const literal = (
  value: unknown,
  special: (value: object) => string | undefined = () => undefined,
): string => {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const known = special(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) return list(value.map((one) => literal(one, special)));
  return isRecord(value)
    ? record(
        Object.entries(value)
          .filter(([, held]) => held !== undefined)
          .map(([name, held]) => [name, literal(held, special)]),
      )
    : '{}';
};

/** The options that differ from their defaults, as the last argument of a call; none where none does. */
export const options = (values: Readonly<Record<string, unknown>>): readonly string[] => {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length === 0 ? [] : [record(given.map(([name, value]) => [name, literal(value)]))];
};

/** A value unless it is the default. */
export const unless = <A>(fallback: A, value: A): A | undefined => (value === fallback ? undefined : value);

const reserved: readonly string[] = [
  'arguments', 'await', 'break', 'case', 'catch', 'class', 'const', 'continue', 'debugger', 'default', 'delete', 'do', 'else', 'enum',
  'eval', 'export', 'extends', 'false', 'finally', 'for', 'function', 'if', 'implements', 'import', 'in', 'instanceof', 'interface',
  'let', 'new', 'null', 'package', 'private', 'protected', 'public', 'return', 'static', 'super', 'switch', 'this', 'throw', 'true',
  'try', 'typeof', 'undefined', 'var', 'void', 'while', 'with', 'yield', ...words,
]; // prettier-ignore

/** A name as near to what is asked for as an identifier can be that is not taken. */
export const identifier = (wanted: string, taken: readonly string[]): string => {
  const word = wanted.replaceAll(/[^\p{L}\p{N}_$]+/gu, '_').replace(/^(?=\p{N})|^_?$/u, 'e');
  const isFree = (name: string): boolean => !reserved.includes(name) && !taken.includes(name);
  return isFree(word) ? word : numbered(word, 2, isFree);
};

const numbered = (word: string, n: number, isFree: (name: string) => boolean): string =>
  isFree(`${word}${n}`) ? `${word}${n}` : numbered(word, n + 1, isFree);

/** Without what stands in quotes. */
const bare = (text: string): string => text.replaceAll(/'[^']*'|"(?:[^"\\]|\\.)*"/g, "''");

/** The import of every word that a text uses. */
export const importsFor = (text: string): string => {
  const used = new Set(bare(text).match(/(?<![\p{L}\p{N}_$.])[\p{L}_$][\p{L}\p{N}_$]*(?!\s*:(?!:))/gu));
  const names = words
    .filter((word) => used.has(word))
    .map((word) => (types.includes(word) ? `type ${word}` : word));
  return names.length === 0 ? '' : `import ${enclosed('{ ', names, ' }')} from 'immersion/dsl';\n`;
};
