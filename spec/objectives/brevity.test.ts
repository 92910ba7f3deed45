/** Every named objective is short: at most 25 lines over the language, what only its own file shares with it included. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import ts from 'typescript';
import { expect, test as example } from 'vitest';
import { root } from '../shared/command.js';

const MOST = 25;

type Declared = { readonly lines: number; readonly exported: boolean; readonly names: ReadonlySet<string> };

/** The value of a function of functions, without their parameters and types. */
const bodyOf = (node: ts.Expression): ts.Node =>
  ts.isArrowFunction(node) ? (ts.isExpression(node.body) ? bodyOf(node.body) : node.body) : node;

const codeLines = (text: string): number =>
  text
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '').length;

const namesIn = (node: ts.Node): readonly string[] => [
  ...(ts.isIdentifier(node) ? [node.text] : []),
  ...node.getChildren().flatMap(namesIn),
];

/** The constants of a file by name, each with the lines of its value. */
const declarationsOf = (text: string): ReadonlyMap<string, Declared> => {
  const file = ts.createSourceFile('objective.ts', text, ts.ScriptTarget.Latest, true);
  return new Map(
    file.statements.filter(ts.isVariableStatement).flatMap((statement) =>
      statement.declarationList.declarations.flatMap(({ name, initializer }) =>
        initializer === undefined
          ? []
          : [
              [
                name.getText(file),
                {
                  lines: codeLines(bodyOf(initializer).getText(file)),
                  exported: statement.modifiers !== undefined,
                  names: new Set(namesIn(initializer)),
                },
              ] as const,
            ],
      ),
    ),
  );
};

/** Lines of each exported constant, with those of everything unexported that it is made of. */
const linesOf = (text: string): ReadonlyMap<string, number> => {
  const declared = declarationsOf(text);
  const reached = (name: string, known: ReadonlySet<string>): ReadonlySet<string> =>
    [...(declared.get(name)?.names ?? [])]
      .filter((other) => declared.get(other)?.exported === false)
      .reduce<ReadonlySet<string>>(
        (seen, other) => (seen.has(other) ? seen : reached(other, seen)),
        new Set([...known, name]),
      );
  return new Map(
    [...declared]
      .filter(([, { exported }]) => exported)
      .map(([name]) => [
        name,
        [...reached(name, new Set())].reduce((sum, one) => sum + (declared.get(one)?.lines ?? 0), 0),
      ]),
  );
};

const folder = join(root, 'objectives');
const files = readdirSync(folder).filter((name) => name !== 'index.ts');

example.each(files)('%s', (name) => {
  const lines = linesOf(readFileSync(join(folder, name), 'utf8'));
  expect(lines.size).toBeGreaterThan(0);
  for (const [objective, count] of lines) expect(count, objective).toBeLessThanOrEqual(MOST);
});

test.prop([fc.nat(40), fc.nat(40)])(
  'lines are those of the value and of what it shares privately',
  (own, shared) => {
    const values = (count: number): string => Array.from({ length: count }, (_, i) => `\n  ${i},`).join('');
    const text = `
const shared = (a: number) => [${values(shared)}\n]; // shared
const other = [\n1,\n2];
/** A sentence\n of two lines. */
export const objective = (
  a: number,
) => [${values(own)}\n  shared(a),\n];
export const name = objective;`;
    expect(Object.fromEntries(linesOf(text))).toEqual({ objective: own + 3 + shared + 2, name: 1 });
  },
);
