/** Prints a program so that it reads like a formula sheet; the grammar stands in program.ts. */
import { elementAt } from '../../dsl/lookup.js';
import { type Equation, is, type Operator, type Program, type Var } from './program.js';
import { showType } from './type.js';

const letters = 'abcdefghijklmnopqrstuvwxyz';

const nameOf = (n: number): string =>
  n < 26 ? elementAt(letters, n) : nameOf(Math.floor(n / 26) - 1) + letters[n % 26];

const showNumber = (x: number): string => (Object.is(x, -0) ? '-0' : String(x));

const showParam = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(showParam).join(',')}]`
    : typeof value === 'number'
      ? showNumber(value)
      : String(value);

const showParams = (params: object): string => {
  const entries = Object.entries(params);
  return entries.length === 0 ? '' : `[${entries.map(([k, v]) => `${k}=${showParam(v)}`).join(' ')}]`;
};

type Names = { readonly define: (x: Var) => string; readonly use: (x: Var) => string };

/** a, b, c … in order of definition. */
const createNames = (): Names => {
  const names = new Map<number, string>();
  return {
    define: (x) => {
      const name = nameOf(names.size);
      names.set(x.id, name);
      return `${name}:${showType(x.type)}`;
    },
    use: (x) => names.get(x.id) ?? `?${x.id}`,
  };
};

/** An equation on one line; the operator of a `solveSPD` follows on lines of its own, with names of its own. */
const showEquation = ({ define, use }: Names, eq: Equation): readonly string[] => {
  const inputs = eq.inputs.map(use);
  if (is(eq, 'solveSPD')) {
    const { operator, ...params } = eq.params;
    const lines = showOperator(operator);
    return [
      `${define(eq.out)} = ${[`solveSPD${showParams(params)}`, ...inputs].join(' ')} with ${lines[0]}`,
      ...lines.slice(1),
    ];
  }
  const params = showParams(is(eq, 'constant') ? { value: eq.params.value } : eq.params);
  return [`${define(eq.out)} = ${[`${eq.primitive}${params}`, ...inputs].join(' ')}`];
};

/** `(a:f[3]·b, b:f[3,2]) {`, its equations, `} → c`. */
const showOperator = ({ argument, captured, equations, out }: Operator): readonly string[] => {
  const names = createNames();
  const bound = [argument, ...captured].map(names.define);
  const body = equations.flatMap((eq) => showEquation(names, eq));
  return [`(${bound.join(', ')}) {`, ...body.map((line) => `  ${line}`), `} → ${names.use(out)}`];
};

/** The program as text; variables are renamed in order of definition, so equal programs print equally. */
export const print = (program: Program): string => {
  const names = createNames();
  const binders = program.binders.map((b) => `  ${names.define(b.var)} = ${b.kind} "${b.name}"`);
  const equations = program.equations.flatMap((eq) => showEquation(names, eq).map((line) => `  ${line}`));
  const outputs = program.outputs.map(
    (o) => `  ${o.kind === 'value' ? '' : `${o.kind} `}"${o.name}" = ${names.use(o.var)}`,
  );
  return [
    `${program.name} (batch ${program.batch}) (`,
    ...binders,
    ') {',
    ...equations,
    '} → (',
    ...outputs,
    ')',
    '',
  ].join('\n');
};
