/** What the linter holds us to: few rules, all errors but the length of a file, and a pure `dsl/`. */
import eslint from '@eslint/js';
import functional from 'eslint-plugin-functional';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const noDefaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'No default exports: one name everywhere. Only a spec in examples/ has one.',
};

/** What `functional/prefer-readonly-type` looks for, by syntax alone. */
const readonlyTypes = [
  {
    selector: ':not(TSTypeOperator[operator="readonly"]) > :matches(TSArrayType, TSTupleType)',
    message: 'Write `readonly` before an array or tuple type.',
  },
  {
    selector: 'TSTypeReference > Identifier[name=/^(Array|Set|Map)$/]',
    message: 'Use ReadonlyArray, ReadonlySet or ReadonlyMap.',
  },
  {
    selector:
      'TSTypeAliasDeclaration :matches(TSPropertySignature[key.type="Identifier"], TSIndexSignature)[readonly!=true]',
    message: 'Write `readonly` before the properties of a named type.',
  },
];

export default defineConfig(
  globalIgnores(['dist', 'outputs', 'node_modules']),
  { linterOptions: { reportUnusedDisableDirectives: 'warn' } },
  eslint.configs.recommended,
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: { console: false, process: false, URL: false, Buffer: false, performance: false },
    },
  },
  {
    rules: {
      'max-lines': ['warn', 300],
      'no-restricted-syntax': ['error', noDefaultExport],
      // Published constants keep the digits they were published with.
      'no-loss-of-precision': 'off',
      'prefer-const': 'error',
      eqeqeq: 'error',
      'object-shorthand': 'error',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    rules: {
      // The type-checker reports these itself.
      '@typescript-eslint/no-unused-vars': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['dsl/**/*.ts', 'objectives/**/*.ts'],
    // Types, for `immutable-data`; the other rules that ask for them are in .oxlintrc.json, whose linter has the faster compiler.
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { functional },
    rules: {
      'no-restricted-syntax': ['error', noDefaultExport, ...readonlyTypes],
      'functional/immutable-data': 'error',
      'functional/no-let': 'error',
      'functional/no-classes': 'error',
      'functional/no-throw-statements': 'error',
    },
  },
  // The one place of the language that throws, for a fault of the program itself.
  { files: ['dsl/lookup.ts'], rules: { 'functional/no-throw-statements': 'off' } },
  {
    files: ['backends/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/consistent-type-assertions': 'off',
    },
  },
  { files: ['examples/**/*.ts', '*.config.{js,ts}'], rules: { 'no-restricted-syntax': 'off' } },
);
