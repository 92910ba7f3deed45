/** The laws of the house hold for our files, and fail for files made to break them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { arrows, cycle, isAllowed, unbound, violations } from './architecture.js';

const root = fileURLToPath(new URL('..', import.meta.url));

const filesOf = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(folder, path).replaceAll('\\', '/'));

const folders = Object.keys(arrows);
const ours = [...folders, ...unbound].filter((folder) => existsSync(join(root, folder))).flatMap(filesOf);

const importing = (specifier: string): string =>
  `/** A file. */\nimport type { a } from '${specifier}';\nexport type { a };\n`;

test('our files follow the arrows, open with a sentence, stay short and import in no circle', () => {
  expect(violations(new Map(ours.map((path) => [path, readFileSync(join(root, path), 'utf8')])))).toEqual([]);
});

test('the arrows between folders form no circle', () => {
  const graph = Object.entries(arrows).map(
    ([folder, rules]) => [folder, rules.map((rule) => rule.split('/')[0] ?? '')] as const,
  );
  expect(cycle(new Map(graph))).toEqual([]);
});

describe('a broken law is reported', () => {
  const folder = fc.constantFrom(...folders);
  const outside = [
    'npm:fp-ts/lib/Either.js',
    'npm:@tensorflow/tfjs-core',
    'npm:sharp',
    'node:fs',
    'immersion/dsl',
  ];
  const anything = fc.oneof(
    fc.constantFrom(...outside),
    folder.map((name) => `${name}/b.ts`),
  );
  const specifierOf = (to: string): string =>
    to.startsWith('npm:') ? to.slice(4) : to.endsWith('.ts') ? `../${to.replace(/ts$/, 'js')}` : to;

  test.prop([folder, anything])('an import is reported where no arrow leads', (from, to) => {
    const found = violations(new Map([[`${from}/a.ts`, importing(specifierOf(to))]]));
    expect(found.length).toBe(isAllowed(`${from}/a.ts`, to) ? 0 : 1);
  });

  test.prop([fc.constantFrom(...folders.filter((name) => name !== 'backends'))])(
    'only backends/ imports tfjs',
    (from) => {
      const [found] = violations(new Map([[`${from}/a.ts`, importing('@tensorflow/tfjs-core')]]));
      expect(found).toContain(`${from}/a.ts imports npm:@tensorflow/tfjs-core`);
    },
  );

  test.each([
    ['dsl/a.ts', '../compiler/b.js'],
    ['dsl/a.ts', 'node:fs'],
    ['objectives/a.ts', '../compiler/b.js'],
    ['compiler/a.ts', '../backends/b.js'],
    ['backends/a.ts', '../dsl/shape.js'],
    ['runs/a.ts', '../objectives/b.js'],
    ['runs/a.ts', '../evaluation/b.js'],
    ['studies/a.ts', '../cli/b.js'],
    ['compiler/ir/a.ts', '../passes/b.js'],
    ['compiler/loops/a.ts', '../elaborate/b.js'],
    ['compiler/elaborate/a.ts', '../optimizers/b.js'],
    ['compiler/ir/a.ts', '../compile.js'],
    ['runs/records/a.ts', '../fit.js'],
    ['data/a.ts', '../dsl/b.js'],
    ['examples/a.ts', '../dsl/index.js'],
    ['bench/a.ts', '../backends/b.js'],
  ])('%s may not import %s', (path, specifier) => {
    expect(violations(new Map([[path, importing(specifier)]]))).toHaveLength(1);
  });

  test.prop([fc.integer({ min: 1, max: 20 })])('a ring of files is a cycle, a chain is none', (length) => {
    const file = (index: number) => `dsl/f${index}.ts`;
    const chain = Array.from({ length }, (_, i) => [file(i), importing(`./f${i + 1}.js`)] as const);
    expect(violations(new Map(chain))).toEqual([]);
    const [found] = violations(new Map([...chain, [file(length), importing('./f0.js')]]));
    expect(found).toMatch(/^a cycle of imports: (dsl\/f\d+\.ts → )+dsl\/f0\.ts$/);
  });

  test('a file without an opening sentence, and one that is too long', () => {
    for (const start of ['', '/** */\n', '// A file.\n', '/** A word */\n'])
      expect(violations(new Map([['dsl/a.ts', `${start}export const a = 1; /** One. */\n`]]))).toHaveLength(
        1,
      );
    expect(violations(new Map([['dsl/a.ts', '/**\n * A file.\n */\n']]))).toEqual([]);
    expect(violations(new Map([['dsl/a.ts', `/** Long. */\n${'\n'.repeat(399)}`]]))).toEqual([]);
    expect(violations(new Map([['dsl/a.ts', `/** Long. */\n${'\n'.repeat(400)}`]]))).toHaveLength(1);
  });
});
