/** Runs the laws of the C compiler's backend on code that watches its own memory and arithmetic; ends where any of it goes wrong. Needs GCC or Clang with its sanitizers. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const compiler = (process.env.CC ?? 'cc').split(/\s+/).filter(Boolean);
const printed = (...words) => {
  const { status, stdout } = spawnSync(compiler[0], [...compiler.slice(1), ...words], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
};
const names = [
  'libasan.so',
  'libclang_rt.asan-x86_64.so',
  'libclang_rt.asan-aarch64.so',
  'libclang_rt.asan.so',
];
const runtime = names.map((name) => printed(`-print-file-name=${name}`)).find((path) => existsSync(path));
if (runtime === undefined) {
  console.error(`test:sanitized: found no sanitizers beside ${compiler[0]}, expected ${names[0]}`);
  process.exit(1);
}

const laws = [
  'spec/backends/cc',
  'spec/compiler/ir/primitives.test.ts',
  'spec/compiler/elaborate/solve.test.ts',
  'spec/compiler/elaborate/spline.test.ts',
];
const { status } = spawnSync(
  process.execPath,
  [
    join('node_modules', 'vitest', 'vitest.mjs'),
    'run',
    ...laws,
    '-t',
    '\\bcc\\b|\\bC\\b',
    '--testTimeout=300000',
    ...process.argv.slice(2),
  ],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      LD_PRELOAD: runtime,
      // Node ends without giving back what it holds.
      ASAN_OPTIONS: 'detect_leaks=0',
      IMMERSION_CFLAGS: '-O1 -fsanitize=address,undefined -fno-sanitize-recover=all',
      IMMERSION_REQUIRE_CC: '1',
    },
  },
);
process.exit(status ?? 1);
