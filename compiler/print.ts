/** Prints a program so that it reads like a formula sheet; the grammar stands in program.ts. */
import { is, type Program, type Var } from './program.js';
import { showType } from './type.js';

const letters = 'abcdefghijklmnopqrstuvwxyz';

const nameOf = (n: number): string =>
  n < 26 ? letters[n] : nameOf(Math.floor(n / 26) - 1) + letters[n % 26];

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

/** The program as text; variables are renamed a, b, c … in order of definition, so equal programs print equally. */
export const print = (program: Program): string => {
  const names = new Map<number, string>();
  const define = (x: Var): string => {
    const name = nameOf(names.size);
    names.set(x.id, name);
    return `${name}:${showType(x.type)}`;
  };
  const use = (x: Var): string => names.get(x.id) ?? `?${x.id}`;
  const binders = program.binders.map((b) => `  ${define(b.var)} = ${b.kind} "${b.name}"`);
  const equations = program.equations.map((eq) => {
    const inputs = eq.inputs.map(use);
    const params = showParams(is(eq, 'constant') ? { value: eq.params.value } : eq.params);
    return `  ${define(eq.out)} = ${[`${eq.primitive}${params}`, ...inputs].join(' ')}`;
  });
  const outputs = program.outputs.map(
    (o) => `  ${o.kind === 'next' ? 'next ' : ''}"${o.name}" = ${use(o.var)}`,
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
