/** Relaxed SIMD: other bits than without, which say so, the same on any number of threads, and as near to the reference. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { elementAt } from '../../../dsl/lookup.js';
import { nameIn } from '../../../runs/records/backends.js';
import { root } from '../../shared/command.js';

type Run = {
  readonly descriptions: readonly string[];
  readonly variants: readonly (string | null)[];
  readonly trained: readonly (readonly (readonly [string, readonly number[]])[])[];
};

/** Node 20 has it behind a flag, later ones have it. */
const isFlagged = Number(process.versions.node.split('.')[0]) < 22;

const ranBy = (...engine: readonly string[]): Run => {
  const flags = ['--conditions=immersion-source', '--import', 'tsx'];
  const script = join(root, 'spec/backends/wasm/relaxed-run.ts');
  const { stdout, stderr, status } = spawnSync(process.execPath, [...engine, ...flags, script], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  expect(status, stderr).toBe(0);
  const result: Run = JSON.parse(stdout);
  return result;
};

describe('steps with relaxed SIMD', { timeout: 120_000 }, () => {
  const relaxed = ranBy(...(isFlagged ? ['--experimental-wasm-relaxed-simd'] : []));
  const strict = isFlagged ? ranBy() : undefined;
  /** Where the processor has no fused multiply-add, the engine's rounds twice, and nothing is to be told apart. */
  const isFused = relaxed.variants[0] !== null;

  test('have the same bits on any number of threads', () => {
    const [one, ...others] = relaxed.trained;
    for (const other of others) expect(other).toEqual(one);
  });

  test.runIf(isFused)('say so, where they are described and where they are recorded', () => {
    expect(relaxed.descriptions).toEqual(
      [1, 2, 3].map((n) => `wasm (${n} thread${n > 1 ? 's' : ''}, relaxed SIMD)`),
    );
    expect(nameIn({ name: 'wasm', variant: elementAt(relaxed.variants, 0) ?? 'none' })).toBe(
      'wasm with relaxed SIMD',
    );
  });

  test.runIf(isFused && strict !== undefined)('are near those without, whose bits are others', () => {
    if (strict === undefined) throw new Error('not asked for');
    expect(strict.descriptions[0]).toBe('wasm (1 thread)');
    expect(relaxed.trained[0]).not.toEqual(strict.trained[0]);
    elementAt(relaxed.trained, 0).forEach(([name, values], i) => {
      const [own, others] = elementAt(elementAt(strict.trained, 0), i);
      expect(own).toBe(name);
      values.forEach((value, k) => expect(Math.abs(value - elementAt(others, k))).toBeLessThan(1e-4));
    });
  });
});
