/** The public face: every name that a module gives away, with its type, as a golden file; `-u` rewrites them. */
import { join } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';
import { internalError } from '../dsl/lookup.js';
import { root } from './shared/command.js';

const rooms = ['dsl', 'objectives', 'laws', 'compiler', 'runs', 'evaluation', 'data'] as const;

type Face = { readonly lines: readonly string[]; readonly undocumented: readonly string[] };

const facesOf = (): ReadonlyMap<string, Face> => {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)).config,
    ts.sys,
    root,
    { incremental: false, noEmit: true },
  );
  const files = rooms.map((room) => join(root, room, 'index.ts'));
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;
  const faceOf = (file: string): Face => {
    const source = program.getSourceFile(file) ?? internalError(`no ${file}`);
    const module = checker.getSymbolAtLocation(source) ?? internalError(`${file} exports nothing`);
    const all = checker.getExportsOfModule(module).map((symbol) => ({
      name: symbol.name,
      of: symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
    }));
    const text = (type: ts.Type): string => checker.typeToString(type, source, flags);
    const line = ({ name, of }: (typeof all)[number]): string =>
      of.flags & ts.SymbolFlags.Value
        ? `${name}: ${text(checker.getTypeOfSymbol(of))}`
        : `type ${name} = ${checker.typeToString(
            checker.getDeclaredTypeOfSymbol(of),
            source,
            flags | ts.TypeFormatFlags.InTypeAlias,
          )}`;
    const isOurs = (of: ts.Symbol): boolean =>
      of.declarations?.every((one) => !one.getSourceFile().fileName.includes('node_modules')) ?? false;
    return {
      lines: all.map(line).sort(),
      undocumented: all
        .filter(({ of }) => of.flags & ts.SymbolFlags.Value && isOurs(of))
        .filter(({ of }) => of.getDocumentationComment(checker).length === 0)
        .map(({ name }) => name)
        .sort(),
    };
  };
  return new Map(rooms.map((room, i) => [room, faceOf(files[i] ?? room)]));
};

describe('the public face', () => {
  let faces: ReadonlyMap<string, Face> = new Map();
  beforeAll(() => {
    faces = facesOf();
  }, 240_000);

  test.each(rooms)('of %s is what its golden file says', async (room) => {
    const { lines } = faces.get(room) ?? internalError(room);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`golden/public/${room}.txt`);
  });

  test.each(rooms)('of %s says what each value is', (room) => {
    expect((faces.get(room) ?? internalError(room)).undocumented).toEqual([]);
  });
});
