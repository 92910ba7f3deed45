/** Operations on a number as WGSL writes them, and the elementary functions made of them; a value is a float, its bits, or a condition. */
import { elementary, type Elementary } from '../../compiler/loops/float32.js';
import { literal } from './wgsl.js';

/** An expression of WGSL with its type. */
type Value = { readonly type: 'f32' | 'u32' | 'bool'; readonly text: string };

const ones = '0xffffffffu';

const asFloat = ({ type, text }: Value): string =>
  type === 'f32' ? text : `bitcast<f32>(${type === 'u32' ? text : `select(0u, ${ones}, ${text})`})`;
const asBits = ({ type, text }: Value): string =>
  type === 'u32' ? text : type === 'f32' ? `bitcast<u32>(${text})` : `select(0u, ${ones}, ${text})`;

/** The table on names of floats: `declare` writes a statement that gives an expression a name, and answers with the name. */
export const float32 = (
  declare: (expression: string) => string,
): Elementary<string> & { readonly constant: (value: number) => string } => {
  const named = (type: Value['type'], text: string): Value => ({ type, text: declare(text) });
  const hold = (value: Value): Value => (/^\w+$/.test(value.text) ? value : named(value.type, value.text));
  const float = (text: string): Value => named('f32', text);
  const infix =
    (op: string) =>
    (a: Value, b: Value): Value =>
      float(`${asFloat(a)} ${op} ${asFloat(b)}`);
  const compared =
    (op: string) =>
    (a: Value, b: Value): Value =>
      named('bool', `${asFloat(a)} ${op} ${asFloat(b)}`);
  const bitwise =
    (op: string) =>
    (a: Value, b: Value): Value =>
      named('u32', `${asBits(a)} ${op} ${asBits(b)}`);
  const constant = (value: number): Value => float(literal(value));
  const choose = (mask: Value, yes: Value, no: Value): Value =>
    mask.type === 'bool'
      ? float(`select(${asFloat(no)}, ${asFloat(yes)}, ${mask.text})`)
      : named('u32', `(${asBits(mask)} & ${asBits(yes)}) | (~${asBits(mask)} & ${asBits(no)})`);
  const both = bitwise('&');
  const and = (a: Value, b: Value): Value => {
    if (a.type === 'bool' && b.type === 'bool') return named('bool', `${a.text} && ${b.text}`);
    if (a.type === 'bool') return float(`select(0.0f, ${asFloat(b)}, ${a.text})`);
    if (b.type === 'bool') return float(`select(0.0f, ${asFloat(a)}, ${b.text})`);
    return both(a, b);
  };
  const table = elementary<Value>({
    constant,
    bits: (value) => named('u32', `${value >>> 0}u`),
    hold,
    add: infix('+'),
    sub: infix('-'),
    mul: infix('*'),
    div: infix('/'),
    neg: (a) => float(`-${asFloat(a)}`),
    abs: (a) => float(`abs(${asFloat(a)})`),
    sqrt: (a) => float(`sqrt(${asFloat(a)})`),
    max: (a, b) => float(`max_(${asFloat(a)}, ${asFloat(b)})`),
    min: (a, b) => float(`min_(${asFloat(a)}, ${asFloat(b)})`),
    atMost: (x, bound) =>
      float(`select(${asFloat(x)}, ${literal(bound)}, ${asFloat(x)} > ${literal(bound)})`),
    atLeast: (x, bound) =>
      float(`select(${asFloat(x)}, ${literal(bound)}, ${asFloat(x)} < ${literal(bound)})`),
    less: compared('<'),
    greater: compared('>'),
    equal: compared('=='),
    notEqual: (a, b) => named('bool', `!(${asFloat(a)} == ${asFloat(b)})`),
    and,
    andNot: (a, b) =>
      b.type === 'bool'
        ? float(`select(${asFloat(a)}, 0.0f, ${b.text})`)
        : named('u32', `${asBits(a)} & ~${asBits(b)}`),
    or: bitwise('|'),
    xor: bitwise('^'),
    choose,
    addInt: bitwise('+'),
    subInt: bitwise('-'),
    shiftLeft: (a, by) => named('u32', `${asBits(a)} << ${by}u`),
    shiftRight: (a, by) => named('u32', `bitcast<u32>(bitcast<i32>(${asBits(a)}) >> ${by}u)`),
    fromInt: (a) => float(`f32(bitcast<i32>(${asBits(a)}))`),
    // What adds a great number and takes it away again may be nothing to a compiler.
    nearest: (x) => {
      const n = float(`round(${asFloat(x)})`);
      return { n, biased: named('u32', `bitcast<u32>(i32(${n.text})) + 0x4b400000u`) };
    },
  });
  const given = (text: string): Value => ({ type: 'f32', text });
  const taken = (value: Value): string => (value.type === 'f32' ? hold(value).text : declare(asFloat(value)));
  const each = <K extends string>(
    rows: Readonly<Record<K, (...operands: readonly Value[]) => Value>>,
  ): Readonly<Record<K, (...operands: readonly string[]) => string>> =>
    Object.fromEntries(
      Object.entries<(...operands: readonly Value[]) => Value>(rows).map(([name, row]) => [
        name,
        (...operands: readonly string[]) => taken(row(...operands.map(given))),
      ]),
    ) as Readonly<Record<K, (...operands: readonly string[]) => string>>;
  return {
    constant: (value) => taken(constant(value)),
    unary: each(table.unary as Readonly<Record<keyof typeof table.unary, (...x: readonly Value[]) => Value>>),
    binary: each(
      table.binary as Readonly<Record<keyof typeof table.binary, (...x: readonly Value[]) => Value>>,
    ),
    whole: (x, size) => taken(table.whole(given(x), size)),
    select: (condition, yes, no) => taken(table.select(given(condition), given(yes), given(no))),
  };
};
