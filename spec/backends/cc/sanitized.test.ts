/** What `npm run test:sanitized` watches with sees an access where nothing lives. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const isWatched = (process.env['IMMERSION_CFLAGS'] ?? '').includes('-fsanitize=address');
const program = fileURLToPath(new URL('overrun.ts', import.meta.url));

const ran = (rowsTooFar: number) =>
  spawnSync(
    process.execPath,
    ['--import', 'tsx', '--conditions=immersion-source', program, String(rowsTooFar)],
    { encoding: 'utf8' },
  );

describe.skipIf(!isWatched)('the C of a program that is watched', () => {
  test('runs to its end where it is right', () => {
    expect(ran(0).stdout).toBe('ran to its end\n');
  });

  test('ends where a nest writes into memory in which nothing lives', () => {
    const { status, stdout, stderr } = ran(1);
    expect(status).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain('AddressSanitizer: use-after-poison');
  });
});
