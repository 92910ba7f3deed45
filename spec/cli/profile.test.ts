/** Where the time of a step goes: every step of the plan is in the table, their sum is within the whole, and looking changes no bit. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { afterAll, describe, expect, test } from 'vitest';
import { profileResult, profileText, type StepProfileResult } from '../../cli/explanation/profile.js';
import { profileStep } from '../../cli/running/profile-step.js';
import { compile, elementCount, type Step, trafficOf } from '../../compiler/index.js';
import { type Backend, backendNames, gatherProfile, initialState, type Profile } from '../../runs/index.js';
import mlp from '../../examples/mlp.js';
import sine from '../../examples/sine.js';
import { backends, ccBackend, nativeBackend } from '../shared/backends.js';
import { json, root, run, spawned } from '../shared/command.js';
import { right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-profile-'));
afterAll(() => rmSync(folder, { recursive: true }));

const cc: readonly Backend[] = E.isRight(ccBackend) ? [ccBackend.right] : [];
const withPlans = [backends.wasm, backends.cpu, ...cc];
const specs = { mlp: { ...mlp, batch: 16 }, sine: { ...sine, batch: 16 } };

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe.each(Object.entries(specs))('a step of %s', (_, spec) => {
  const compiled = right(compile(spec));

  test.each(withPlans)('is measured part by part on $name', async (backend) => {
    const plan = backend.plan?.(compiled.step);
    if (plan === undefined) throw new Error('no plan');
    const { steps, milliseconds, parts } = profileResult(
      await profileStep(compiled, backend),
      backend,
      compiled.step,
    );
    expect(steps).toBeGreaterThanOrEqual(5);
    expect(parts.map(({ number }) => number).sort((a, b) => a - b)).toEqual(plan.steps.map((_step, i) => i));
    expect(sum(parts.map((part) => part.flops ?? 0))).toBe(
      sum(plan.steps.map((step) => (step.tag === 'loop' ? trafficOf(step.loop).flops : 0))),
    );
    expect(parts.map((part) => part.milliseconds)).toEqual(
      parts.map((part) => part.milliseconds).sort((a, b) => b - a),
    );
    const within = sum(parts.map((part) => part.milliseconds));
    expect(within).toBeGreaterThan(0);
    expect(within).toBeLessThanOrEqual(milliseconds);
    expect(sum(parts.map(({ share }) => share))).toBeCloseTo(within / milliseconds, 9);
  });

  test.each(withPlans)('has the same bits on $name when it is measured', async (backend) => {
    const { step: program } = compiled;
    const state = new Map([...initialState(compiled, 1).arrays].map(([name, { data }]) => [name, data]));
    const feeds = new Map(
      program.binders
        .filter(({ name }) => !state.has(name))
        .map(({ name, var: x }) => [
          name,
          Float32Array.from(
            { length: elementCount(x.type, program.batch) },
            (_value, i) => Math.sin(i * i) ** 2,
          ),
        ]),
    );
    const after = async (profile?: Profile): Promise<ReadonlyMap<string, Float32Array>> => {
      const instance = await backend.open(new Map([[program.name, program]]), state);
      for (let taken = 0; taken < 3; taken++) await instance.run(program.name, feeds, profile);
      const read = await instance.read();
      instance.dispose();
      return read;
    };
    let seen = 0;
    expect(await after(() => seen++)).toEqual(await after());
    expect(seen).toBe(3 * (backend.plan?.(program).steps.length ?? 0));
  });
});

/** A profile of fixed times: of step i of the plan 2⁻ⁱ ms. */
const fixed = (steps: readonly Step[]) =>
  profileResult(
    {
      steps: 12,
      milliseconds: 2.5,
      parts: steps.map((step, number) => ({
        number,
        step,
        milliseconds: 2 ** -number,
        isShared: number < 2,
      })),
    },
    { name: 'wasm', description: 'wasm (2 threads)' },
    right(compile(specs.mlp)).step,
  );

describe('the table', () => {
  const product: Step = {
    tag: 'loop',
    loop: {
      extents: [256, 64, 64],
      loads: [
        { buffer: 0, offset: 0, strides: [64, 0, 1] },
        { buffer: 1, offset: 0, strides: [0, 1, 64] },
      ],
      body: [
        { op: 'load', load: 0 },
        { op: 'load', load: 1 },
        { op: 'mul', a: 0, b: 1 },
      ],
      stores: [{ buffer: 0, offset: 0, strides: [64, 1, 0], value: 2, mode: 'add' }],
      outputs: [16_384],
    },
    inputs: [0, 1],
    outputs: [2],
  };
  const copy: Step = {
    tag: 'loop',
    loop: {
      extents: [],
      loads: [{ buffer: 0, offset: 0, strides: [] }],
      body: [{ op: 'load', load: 0 }],
      stores: [{ buffer: 0, offset: 0, strides: [], value: 0, mode: 'set' }],
      outputs: [1],
    },
    inputs: [2],
    outputs: [3],
  };
  const factor: Step = {
    tag: 'routine',
    routine: { name: 'cholesky', params: { jitters: 4 }, n: 21 },
    inputs: [2],
    outputs: [4],
  };
  const plan = [product, copy, product, factor, copy, product];

  test.each([80, 120])('on a terminal of %i columns', async (columns) => {
    const text = profileText(fixed(plan), { columns, most: 4 });
    expect(text.split('\n').every((line) => line.length <= columns)).toBe(true);
    await expect(`${text}\n`).toMatchFileSnapshot(`../golden/profile/${columns}.txt`);
  });

  test('of a backend that runs a step as a whole is the rate of the whole', () => {
    expect(profileText(fixed([]))).toBe(
      [
        '2.5000 ms a step: 2.29 MFLOP of products and convolutions at 0.92 GF/s',
        'it runs as a whole: the times of its parts cannot be told',
        'mean of 12 training steps on wasm (2 threads)',
      ].join('\n'),
    );
  });

  test('of kernels, whose FLOPs are not known, has the rate of the whole', () => {
    const output = { buffer: 0, shape: [] };
    const kernel: Step = { tag: 'kernel', kernel: 'Add', attributes: {}, inputs: [], output };
    expect(
      profileText(fixed([kernel]), { columns: 200 })
        .split('\n')
        .slice(-3),
    ).toEqual([
      '1 steps of the plan: 1.0000 of 2.5000 ms (40.0 %), whose FLOPs and bytes are not counted; the whole step has 2.29 MFLOP of products and convolutions at 0.92 GF/s',
      'the rest is the call, what is fed and what is read',
      'mean of 12 training steps on wasm (2 threads)',
    ]);
  });
});

test('another plan, after the backend was left, begins anew', () => {
  const [a, b]: readonly Step[] = backends.wasm.plan?.(right(compile(specs.mlp)).step).steps ?? [];
  if (a === undefined || b === undefined) throw new Error('no steps');
  const { part, whole, found } = gatherProfile();
  for (const times of [9, 2, 4]) {
    part(a, times, false);
    whole(times + 1);
  }
  expect(found()).toMatchObject({ steps: 2, milliseconds: 4, parts: [{ number: 0, milliseconds: 3 }] });
  for (const times of [9, 1]) {
    part(b, times, true);
    part(a, times, true);
    whole(3);
  }
  expect(found()).toMatchObject({ steps: 1, milliseconds: 3, parts: [{ number: 0 }, { number: 1 }] });
});

describe('the commands', () => {
  const example = 'examples/mlp.ts';

  test.each(['wasm', ...cc.map(({ name }) => name)])('say it after a training on %s', async (backend) => {
    const out = join(folder, backend);
    const words = ['train', example, '--steps', '4', '--batch', '16', '--backend', backend, '--out', out];
    const { code, stderr } = await run(...words, '--profile');
    expect(code).toBe(0);
    expect(
      stderr.some((line) => /^ +ms +share +FLOP +bytes +GF\/s +GB\/s +threads +step +what$/.test(line)),
    ).toBe(true);
    expect(stderr.at(-1)).toMatch(new RegExp(`^mean of 3 training steps on ${backend} `));
  });

  test('explain it, as data too', async () => {
    const { code, stdout } = await run('explain', example, '--set', 'batch=16', '--profile', '--json');
    expect(code).toBe(0);
    const { profile }: { readonly profile: StepProfileResult } = JSON.parse(stdout);
    expect(profile.parts.length).toBeGreaterThan(10);
    expect(profile.backend).toBe('wasm');
  });

  test('say nothing else on cpu, whose kernels are another package', async () => {
    const words = [
      'explain',
      join(root, example),
      '--set',
      'batch=4',
      '--profile',
      '--backend',
      'cpu',
      '--json',
    ];
    const { code, stdout, stderr } = await spawned(folder, words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: [] });
    expect(json(stdout)).toMatchObject({ profile: { backend: 'cpu', description: 'cpu (tfjs, 1 thread)' } });
  });

  test('explain it on the backend that is chosen, by its name alone', async () => {
    const words = ['explain', example, '--set', 'batch=16', '--profile', '--backend', 'auto', '--json'];
    const { stdout } = await run(...words);
    const { profile }: { readonly profile: StepProfileResult } = JSON.parse(stdout);
    expect(backendNames).toContain(profile.backend);
    expect(profile.description).toMatch(new RegExp(`^${profile.backend} \\(`));
  });

  test.skipIf(E.isLeft(nativeBackend()))('say that native has no loops', async () => {
    const { stdout } = await run(
      'explain',
      example,
      '--set',
      'batch=16',
      '--loops',
      '--profile',
      '--backend',
      'native',
    );
    expect(stdout).toContain(
      'native runs a step as one graph, which --ir shows; --backend cc and --backend wasm have loops',
    );
    expect(stdout).toMatch(/ms a step: 2\.29 MFLOP of products and convolutions at [\d.]+ GF\/s\n/);
  });
});
