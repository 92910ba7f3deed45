/** What the type-checker says about a snippet, so that a law can ask for the words of an error message. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const folder = dirname(fileURLToPath(import.meta.url));
const root = join(folder, '..', '..', '..');
const snippet = join(folder, 'snippet.ts');

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
  ts.sys,
  root,
  { incremental: false, noUnusedLocals: false, noUnusedParameters: false },
);
delete options.tsBuildInfoFile;

const parsed = new Map<string, ts.SourceFile | undefined>();
let program: ts.Program | undefined;

/**
 * The error messages of a module that stands beside this file, so `immersion/dsl` and `../../dsl/…` both resolve.
 * Empty where it type-checks. Parsed files are kept: the first call takes seconds, later ones a fraction of one.
 */
export const diagnostics = (source: string): readonly string[] => {
  const host = ts.createCompilerHost(options);
  const readSource = host.getSourceFile;
  parsed.set(
    snippet,
    ts.createSourceFile(
      snippet,
      source,
      { languageVersion: ts.ScriptTarget.ES2022, impliedNodeFormat: ts.ModuleKind.ESNext },
      true,
    ),
  );
  host.fileExists = (path) => parsed.get(path) !== undefined || ts.sys.fileExists(path);
  host.getSourceFile = (path, ...rest) => {
    if (!parsed.has(path)) parsed.set(path, readSource(path, ...rest));
    return parsed.get(path);
  };
  program = ts.createProgram({
    rootNames: [snippet],
    options,
    host,
    ...(program && { oldProgram: program }),
  });
  const file = program.getSourceFile(snippet);
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
    ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'),
  );
};
