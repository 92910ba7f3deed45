/** What is too large for the machine, or for the mathematics, is said before anything is made; what a file may run is asked for. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { memoryProblems } from '../../backends/memory.js';
import { compile } from '../../compiler/index.js';
import {
  adam,
  apply,
  dataOf,
  dense,
  encodeExperiment,
  experiment,
  input,
  network,
  objective,
  pipe,
  volume,
} from '../../dsl/index.js';
import { ae, rectangularDensity, rectangularExact } from '../../objectives/index.js';
import { linear, run } from '../shared/command.js';
import { right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-sizes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const spec = file('linear.json', JSON.stringify(right(encodeExperiment(linear(8, 8)))));

describe('sizes', () => {
  const wide = (units: number) => {
    const encoder = network('encoder', pipe(input(8), dense(units), dense(2)));
    const decoder = network('decoder', pipe(input(2), dense(8)));
    return right(
      compile(
        experiment({
          encoder,
          decoder,
          objective: ae(encoder, decoder),
          optimizer: adam({ rate: 1e-3 }),
          batch: 16,
          steps: 2,
          data: 'linear',
        }),
      ),
    );
  };

  test('of weights and of a step are held against the memory before anything is allocated', () => {
    const [weights] = memoryProblems(wide(1e9));
    expect(weights).toMatchObject({
      path: expect.stringContaining('kernel'),
      found: expect.stringMatching(/^\[8, 1000000000\], 32 GB; .* with all other weights and moments/),
    });
    expect(memoryProblems(wide(100))).toEqual([]);
    expect(memoryProblems(wide(100), { free: 30_000 })).toMatchObject([{ path: 'batch' }]);
    expect(memoryProblems(wide(100), { free: 30_000, isOnHost: false })).toEqual([]);
  });

  test('of codes beyond those of the data leave a decoder no volume', () => {
    const encoder = network('encoder', pipe(input(4), dense(6)));
    const decoder = network('decoder', pipe(input(6), dense(4)));
    const training = { optimizer: adam({ rate: 1e-3 }), batch: 4, steps: 1, data: 'linear' };
    const flow = { encoder, decoder, objective: rectangularExact(encoder, decoder), ...training };
    const plain = { ...flow, objective: ae(encoder, decoder) };
    const said = [{ path: 'decoder.input', found: expect.stringContaining('6 codes for 4 numbers') }];
    const { volume: _, ...rest } = flow.objective;
    const exact = volume(decoder, apply(encoder, dataOf(encoder)), { method: 'exact' });
    const written = objective({ reconstruction: rest.reconstruction, volume: exact });
    expect(compile(experiment({ ...flow, objective: written }))).toMatchObject({ left: said });
    // What is a problem of the call is said at its place.
    expect(compile(experiment(flow))).toMatchObject({
      left: [{ ...said[0], path: expect.stringMatching(/^rectangularExact\(…\) at sizes\.test\.ts:/) }],
    });
    expect(compile(experiment({ ...plain, logDensity: rectangularDensity(encoder, decoder) }))).toMatchObject(
      { left: said },
    );
    expect(compile(experiment(plain))).toMatchObject({ _tag: 'Right' });
  });

  test.each([
    ['--seeds', ['--seeds', '1000000000']],
    ['--samples', ['--random', 'eta=log:0.1:1', '--samples', '2147483648']],
  ])('of a sweep that is beyond the memory, by %s', async (option, words) => {
    const { code, stderr } = await run('sweep', spec, ...words, '--out', join(folder, 'beyond'));
    expect(code).toBe(1);
    expect(stderr).toEqual([
      expect.stringMatching(new RegExp(`^${option}: found \\d+ trials of .*, expected at most`)),
    ]);
    expect(existsSync(join(folder, 'beyond'))).toBe(false);
  });
});

describe('a sweep in JSON', () => {
  const module = (at: string): string => file(at, "throw new Error('run')");

  test('does not run a module outside its folder unless that is allowed', async () => {
    mkdirSync(join(folder, 'sweeps'), { recursive: true });
    module('outside.ts');
    module('sweeps/inside.ts');
    symlinkSync(join(folder, 'outside.ts'), join(folder, 'sweeps', 'linked.ts'));
    const sweepOf = (named: string): string =>
      file('sweeps/sweep.json', JSON.stringify({ schemaVersion: 1, spec: named }));
    for (const named of ['../outside.ts', join(folder, 'outside.ts'), 'linked.ts']) {
      const refused = await run('sweep', sweepOf(named));
      expect(refused.stderr).toEqual([
        expect.stringMatching(/a program outside the folder of the sweep.*--allow-modules/),
      ]);
    }
    for (const words of [[sweepOf('../outside.ts'), '--allow-modules'], [sweepOf('inside.ts')]]) {
      const loaded = await run('sweep', ...words);
      expect(loaded.stderr).toEqual([
        expect.stringMatching(/names the module .*, which is run to load it/),
        expect.stringMatching(/an error on loading \(run at \w+\.ts:\d+:7\)/),
      ]);
    }
  });
});
