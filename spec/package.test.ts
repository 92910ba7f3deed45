/** The package as users get it: packed, installed in a project of their own, type-checked there with README's settings, and run. Minutes, so where everything is to be there. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from './shared/command.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-package-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const snippets = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```ts\n([^]*?)^```$/gm)].map(
  ([, text = '']) => text,
);

const done = (cwd: string, command: string, ...words: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8' });
  expect(status, `${command} ${words.join(' ')}\n${stdout}${stderr}`).toBe(0);
  return stdout;
};

test.runIf(process.env['IMMERSION_REQUIRE_NATIVE'] === '1')(
  'npm pack makes a package that a strict project type-checks and runs',
  () => {
    done(root, 'npm', 'pack', '--pack-destination', folder);
    const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    writeFileSync(join(folder, 'package.json'), '{ "name": "mine", "type": "module", "private": true }');
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    done(folder, 'npm', 'install', ...quiet, `./${archive}`, 'fp-ts@2.16.11', 'typescript@6.0.3');
    const compilerOptions = { module: 'NodeNext', strict: true, noEmit: true };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    snippets.forEach((text, i) => writeFileSync(join(folder, `snippet-${i}.ts`), text));
    expect(done(folder, 'npx', 'tsc', '-p', '.')).toBe('');
    const words = ['train', 'snippet-0.ts', '--steps', '3', '--backend', 'wasm', '--out', 'run'];
    done(folder, 'npx', 'immersion', ...words);
    expect(readdirSync(join(folder, 'run'))).toContain('weights.safetensors');
  },
  600_000,
);
