/** What README.md shows is so: its snippets compile and run, its errors are the real ones, its links lead somewhere. */
import { atLeast, elementAt } from '../dsl/lookup.js';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { linesOf, root, run, spawned } from './shared/command.js';
import { diagnostics } from './dsl/types/diagnostics.js';

const readme = readFileSync(join(root, 'README.md'), 'utf8');

type Block = { readonly language: string; readonly text: string };

const blocks: readonly Block[] = [...readme.matchAll(/^```([^\n]*)\n([^]*?)^```$/gm)].map((match) => ({
  language: elementAt(match, 1),
  text: elementAt(match, 2),
}));
const inLanguage = (language: string): readonly string[] =>
  blocks.filter((block) => block.language === language).map(({ text }) => text);

const folder = mkdtempSync(join(tmpdir(), 'immersion-readme-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [specification, program] = atLeast(2, inLanguage('ts'));

test('there are snippets of each kind', () => {
  expect(inLanguage('ts')).toHaveLength(2);
  for (const language of ['ts wrong', 'text', 'console']) expect(inLanguage(language)).toHaveLength(1);
});

describe('snippets', () => {
  test.each([
    ['the specification', specification],
    ['the program', program],
  ])('%s type-checks', (_, source) => {
    expect(diagnostics(source)).toEqual([]);
  });

  test('the specification trains', async () => {
    const path = join(folder, 'spec.ts');
    writeFileSync(path, specification);
    const set = ['--set', 'smoothness=2', '--steps', '3', '--backend', 'wasm'];
    const { code, stderr } = await spawned(folder, ['train', path, ...set, '--out', join(folder, 'run')]);
    expect(stderr.at(-1)).toMatch(/^trained 3 steps/);
    expect(code).toBe(0);
  });

  test('the program runs and prints what it says', () => {
    // Beside the sources, where a user's project would have installed them.
    const path = join(root, 'spec', `.readme-${process.pid}.ts`);
    writeFileSync(path, program);
    try {
      const flags = ['--conditions=immersion-source', '--import', 'tsx', path];
      const { stdout, stderr, status } = spawnSync(process.execPath, flags, { cwd: root, encoding: 'utf8' });
      expect(status, stderr).toBe(0);
      expect(linesOf(stdout).at(-1)).toBe('16 new digits');
    } finally {
      rmSync(path);
    }
  });
});

test('the type error is what the compiler says', () => {
  const [wrong] = atLeast(1, inLanguage('ts wrong'));
  const [message] = atLeast(1, inLanguage('text'));
  const messages = diagnostics(wrong);
  expect(messages).toHaveLength(1);
  expect(linesOf(elementAt(messages, 0)).slice(0, 1)).toEqual(linesOf(message));
});

test('the command says what is shown', async () => {
  const [session] = atLeast(1, inLanguage('console'));
  const [command, ...lines] = atLeast(1, linesOf(session));
  const [, ...words] = command.replace('$ ', '').split(' ');
  const { code, stderr } = await run(...words);
  expect(stderr).toEqual(lines);
  expect(code).toBe(1);
});

test('links into the repository lead to something', () => {
  const targets = [...readme.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map((match) => elementAt(match, 1));
  expect(targets.length).toBeGreaterThan(10);
  expect(targets.filter((target) => !existsSync(join(root, target)))).toEqual([]);
});
