/** How the laws in `spec/` run: against the TypeScript sources, in one process per core. */
import { defaultClientConditions, defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['immersion-source', ...defaultClientConditions] },
  ssr: { resolve: { conditions: ['immersion-source', ...defaultServerConditions] } },
  test: {
    include: ['spec/**/*.test.ts'],
    globalSetup: ['spec/setup/seed.ts', 'spec/setup/native-notice.ts'],
    setupFiles: 'spec/setup/setup.ts',
    // Native addons want a process each; files that share one load tfjs and TypeScript once.
    pool: 'forks',
    isolate: false,
    testTimeout: 60_000,
  },
});
