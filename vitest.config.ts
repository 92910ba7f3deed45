/** How the laws in `spec/` run: against the TypeScript sources, in one process per core. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';
import { defaultClientConditions, defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// For what runs before the laws do, in vitest's own process.
register();

const root = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  resolve: { conditions: ['immersion-source', ...defaultClientConditions] },
  ssr: { resolve: { conditions: ['immersion-source', ...defaultServerConditions] } },
  test: {
    include: ['spec/**/*.test.ts'],
    globalSetup: ['spec/setup/seed.ts', 'spec/setup/native-notice.ts'],
    setupFiles: 'spec/setup/setup.ts',
    // Native addons want a process each; files that share one load tfjs and TypeScript once.
    pool: 'forks',
    // One for each core: left to itself vitest keeps a core for what watches.
    maxWorkers: availableParallelism(),
    isolate: false,
    // Our sources are loaded by Node itself: in a module that vitest rewrites every import is read through an object, and loops that call
    // imported functions are five times slower.
    execArgv: ['--import', 'tsx', '--conditions=immersion-source'],
    server: { deps: { external: [new RegExp(`^${root}(?!.*\\.test\\.ts$)`)] } },
    testTimeout: 60_000,
  },
});
