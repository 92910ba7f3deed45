/** The operations on L lanes as C writes them, each result in a variable of its own, and the elementary functions made of them. */
import { elementary, type Elementary } from '../../compiler/loops/float32.js';
import { literal } from './vectors.js';

export type Lanes = Elementary<string> & {
  readonly constant: (value: number) => string;
  /** Names a value. */
  readonly hold: (value: string) => string;
};

/** `declare` writes a statement that gives an expression a name, and answers with the name. */
export const lanesOf = (L: number, declare: (type: string, expression: string) => string): Lanes => {
  const [f, i, u] = [`f${L}`, `i${L}`, `u${L}`];
  const hold = (value: string): string => (/^\w+$/.test(value) ? value : declare(f, value));
  const infix =
    (op: string) =>
    (a: string, b: string): string =>
      hold(`${a} ${op} ${b}`);
  const compared =
    (op: string) =>
    (a: string, b: string): string =>
      hold(`(${f})(${a} ${op} ${b})`);
  const bitwise =
    (op: string, as: string) =>
    (a: string, b: string): string =>
      hold(`(${f})((${as})${a} ${op} (${as})${b})`);
  const constant = (value: number): string => hold(`all${L}(${literal(value)})`);
  const choose = (mask: string, yes: string, no: string): string =>
    hold(`choose${L}(${mask}, ${yes}, ${no})`);
  const or = bitwise('|', i);
  const extreme =
    (op: string) =>
    (a: string, b: string): string =>
      choose(or(compared(op)(a, b), compared('!=')(a, a)), a, b);
  return {
    constant,
    hold,
    ...elementary<string>({
      constant,
      bits: (value) => hold(`bits${L}(${value >>> 0}u)`),
      hold,
      add: infix('+'),
      sub: infix('-'),
      mul: infix('*'),
      div: infix('/'),
      neg: (a) => hold(`-${a}`),
      abs: (a) => hold(`(${f})((${i})${a} & 0x7fffffff)`),
      sqrt: (a) => hold(`root${L}(${a})`),
      max: extreme('>'),
      min: extreme('<'),
      atMost: (x, bound) => choose(compared('>')(x, constant(bound)), constant(bound), x),
      atLeast: (x, bound) => choose(compared('<')(x, constant(bound)), constant(bound), x),
      less: compared('<'),
      greater: compared('>'),
      equal: compared('=='),
      notEqual: compared('!='),
      and: bitwise('&', i),
      andNot: (a, b) => hold(`(${f})((${i})${a} & ~(${i})${b})`),
      or,
      xor: bitwise('^', i),
      choose,
      addInt: bitwise('+', u),
      subInt: bitwise('-', u),
      shiftLeft: (a, by) => hold(`(${f})((${u})${a} << ${by})`),
      shiftRight: (a, by) => hold(`(${f})((${i})${a} >> ${by})`),
      fromInt: (a) => hold(`__builtin_convertvector((${i})${a}, ${f})`),
    }),
  };
};
