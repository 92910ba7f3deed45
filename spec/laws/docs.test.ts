/** What docs/laws.md shows is so: each snippet is short, type-checks and runs in plain Node, and the one that fails says what is shown. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { diagnostics } from '../dsl/types/diagnostics.js';
import { root } from '../shared/command.js';

const page = readFileSync(join(root, 'docs', 'laws.md'), 'utf8');

const blocks = [...page.matchAll(/^```([^\n]*)\n([^]*?)^```$/gm)].map((match) => ({
  language: elementAt(match, 1),
  text: elementAt(match, 2),
}));
const inLanguage = (language: string): readonly string[] =>
  blocks.filter((block) => block.language === language).map(({ text }) => text);

const right = inLanguage('ts');
const [wrong] = atLeast(1, inLanguage('ts wrong'));
const [shown] = atLeast(1, inLanguage('text'));

/** In a process without a test runner, from a file beside the sources. */
const ran = (source: string): { readonly status: number | null; readonly stderr: string } => {
  const path = join(root, 'spec', `.laws-${process.pid}.ts`);
  writeFileSync(path, source);
  try {
    const flags = ['--conditions=immersion-source', '--import', 'tsx', path];
    return spawnSync(process.execPath, flags, { cwd: root, encoding: 'utf8' });
  } finally {
    rmSync(path);
  }
};

test('there are snippets of each kind', () => {
  expect(right).toHaveLength(2);
});

describe.each([...right, wrong].map((text) => [text]))('a snippet', (text) => {
  test('has at most 12 lines', () => {
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(12);
  });

  test('type-checks', () => {
    expect(diagnostics(text)).toEqual([]);
  });
});

test.each(right.map((text) => [text]))('a law that holds says nothing', (text) => {
  expect(ran(text)).toMatchObject({ status: 0, stderr: '' });
});

describe('the law that fails', () => {
  test('says what is shown', () => {
    const { status, stderr } = ran(wrong);
    expect(status).toBe(1);
    expect(stderr).toContain(shown);
  });

  test('shows a module that type-checks and fails alike', () => {
    const module = shown.slice(shown.indexOf('import '));
    expect(diagnostics(module)).toEqual([]);
    const { status, stderr } = ran(module);
    expect(status).toBe(1);
    expect(stderr).toContain(elementAt(shown.split('\n'), 0));
  });
});
