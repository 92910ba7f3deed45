/** Calls of the functions that run, as plain JavaScript can make them, and what Node prints of a program that throws. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fitMixture, geometryOf } from '../../evaluation/index.js';
import { fit, openRun, prepareRun, resume, trainRun } from '../../runs/index.js';
import type { Problem } from '../../dsl/index.js';
import { backends } from '../shared/backends.js';
import { linear, root } from '../shared/command.js';
import { left, right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-calls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const spec = linear(8, 8);
/** As a call of plain JavaScript, which no type-checker sees. */
const untyped = <R>(call: (...words: readonly never[]) => R, ...words: readonly unknown[]): R =>
  Reflect.apply(call, undefined, words);

describe('options that there are none of', () => {
  test.each([
    ['fit', () => untyped(fit, spec, { sed: 1 }), 'seed'],
    ['trainRun', () => untyped(trainRun, spec, { sed: 1 }), 'seed'],
    ['prepareRun', () => untyped(prepareRun, spec, { sed: 1 }), 'seed'],
    ['resume', () => untyped(resume, folder, { step: 1 }), 'steps'],
    ['openRun', () => untyped(openRun, folder, { backends: 'cpu' }), 'backend'],
    ['fitMixture', () => untyped(fitMixture, new Float32Array(8), 2, { component: 1 }), 'components'],
    ['geometryOf', () => untyped(geometryOf, {}, {}, { point: 1 }), 'points'],
  ] as const)('of %s are problems with the place of the call', async (name, call, meant) => {
    expect(left<readonly Problem[], unknown>(await call())).toMatchObject([
      {
        path: expect.stringMatching(new RegExp(`^${name}\\(…\\)\\.\\w+ at calls\\.test\\.ts:`)),
        found: 'an unknown option',
        hint: `did you mean "${meant}"?`,
      },
    ]);
  });

  test('and fields of a policy, and of what a model is asked', async () => {
    const backend = backends.wasm;
    const policy = { stopping: { by: 'loss', better: 'less', patient: 1 }, restorBest: true };
    expect(left(await untyped(fit, spec, { backend, policy }))).toMatchObject([
      { path: 'policy.stopping.patience', found: 'nothing' },
      { path: 'policy.stopping.patient' },
      { path: 'policy.restorBest' },
    ]);
    const model = right(await fit({ ...spec, steps: 1 }, { backend }));
    const asked = untyped(model.sample, 2, { units: 'data', sed: 1 });
    await expect(asked).rejects.toThrow(/^sample\(…\)\.sed.*found an unknown option/);
    model.dispose();
  });
});

describe('an error that a program of a user throws', () => {
  const program = (body: string): string => {
    const path = join(folder, `${body.length}.ts`);
    writeFileSync(
      path,
      `import { startBackend } from 'immersion/runs';\nawait startBackend('wasm');\n${body}\n`,
    );
    return path;
  };
  test.each([
    ['at once', "throw new Error('mine');"],
    ['later', "setTimeout(() => { throw new Error('mine'); }, 5);"],
    ['as a rejection', "void Promise.reject(new Error('mine'));"],
  ])('%s is all that Node prints', { timeout: 60_000 }, (_, body) => {
    const flags = ['--conditions=immersion-source', '--import', 'tsx', '--import', './bin/register.mjs'];
    const { stderr, status } = spawnSync(process.execPath, [...flags, program(body)], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('Error: mine');
    expect(stderr.length).toBeLessThan(1000);
  });
});
