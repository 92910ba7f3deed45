/** `auto` takes the backend that the costs of a run expect to end first, and the next one where it cannot run the program. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { expectedTimes } from '../../backends/expected-time.js';
import { compile } from '../../compiler/index.js';
import { adam, dense, experiment, input, network, pipe, tanh } from '../../dsl/index.js';
import { ae } from '../../objectives/index.js';
import { mnistNetworks } from '../../examples/architectures.js';
import { hasCc } from '../shared/backends.js';
import { spawned } from '../shared/command.js';
import { right } from '../shared/either.js';

const encoder = network('encoder', pipe(input(16), dense(64), tanh, dense(4)));
const decoder = network('decoder', pipe(input(4), dense(64), tanh, dense(16)));
const rest = { optimizer: adam({ rate: 1e-3 }), batch: 256, steps: 1, data: 'given' };
const small = right(compile(experiment({ encoder, decoder, objective: ae(encoder, decoder), ...rest }))).step;

const images = mnistNetworks(1 / 8);
const convolutional = right(
  compile(experiment({ ...images, objective: ae(images.encoder, images.decoder), ...rest, batch: 64 })),
).step;

describe('what a run is expected to take', () => {
  const first = (steps: number, program = small): string | undefined =>
    expectedTimes({ program, steps })[0]?.name;

  test('a short run is worth no compiler', () => {
    expect(first(1)).not.toBe('cc');
  });
  test('a long one is, of small operations or of convolutions', () => {
    expect(first(1_000_000)).toBe('cc');
    expect(first(1_000_000, convolutional)).toBe('cc');
  });
  test('a few convolutions are over in TensorFlow before', () => {
    expect(first(20, convolutional)).toBe('native');
  });
  test('a GPU is worth what was measured of it', () => {
    const rates = { products: 1e13, kernel: 5e-6, step: 1e-4 };
    const withGpu = (program: typeof small, measured: typeof rates): string | undefined =>
      expectedTimes({ program, steps: 100_000 }, measured)[0]?.name;
    expect(withGpu(convolutional, rates)).toBe('webgpu');
    expect(withGpu(small, rates)).not.toBe('webgpu');
    expect(withGpu(convolutional, { ...rates, products: 1e9 })).not.toBe('webgpu');
  });
});

describe('a compiler that cannot compile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'immersion-choose-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Says that it is a compiler and what the processor has, and prints nonsense instead of compiling. */
  const compiler = join(folder, 'nonsense');
  writeFileSync(
    compiler,
    '#!/bin/sh\ncase "$*" in *--version*) echo nonsense 1 ;; *-dM*) exec cc "$@" ;; *) echo nonsense >&2; exit 1 ;; esac\n',
    { mode: 0o755 },
  );
  const spec = join(folder, 'spec.ts');
  writeFileSync(
    spec,
    `import { adam, dense, experiment, input, network, pipe, tanh } from 'immersion/dsl';
import { ae } from 'immersion/objectives';
const encoder = network('encoder', pipe(input(2), dense(64), tanh, dense(1)));
const decoder = network('decoder', pipe(input(1), dense(64), tanh, dense(2)));
export default experiment({ encoder, decoder, objective: ae(encoder, decoder), optimizer: adam({ rate: 1e-3 }), batch: 512, steps: 1000000, data: 'circle', validation: { every: 0 } });
`,
  );

  test.skipIf(!hasCc())(
    'is said in the line of the backend, and another is taken',
    { timeout: 120_000 },
    async () => {
      vi.stubEnv('CC', compiler);
      vi.stubEnv('IMMERSION_CACHE', folder);
      const { stderr } = await spawned(folder, ['train', spec], (line, signal) => {
        if (line.startsWith('backend ')) signal('SIGINT');
      });
      vi.unstubAllEnvs();
      expect(stderr.find((line) => line.startsWith('backend '))).toMatch(
        /^backend (native|wasm) .*, since .*cc does not work: .*nonsense/,
      );
    },
  );
});
