/** A module of TypeScript text run in this process, its imports from the sources at hand. */
import ts from 'typescript';
import { internalError } from '../../dsl/lookup.js';
import * as dsl from '../../dsl/index.js';
import * as laws from '../../laws/index.js';

const modules: Readonly<Record<string, object>> = { 'immersion/dsl': dsl, 'immersion/laws': laws };

/** What the text exports; throws what it throws. */
export const evaluated = (source: string): Readonly<Record<string, unknown>> => {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const exports: Record<string, unknown> = {};
  const require = (name: string): object => modules[name] ?? internalError(`no module ${name}`);
  new Function('exports', 'require', outputText)(exports, require);
  return exports;
};
