/** Runs every check, then the laws in `spec/`; ends with the line `N passed, N failed`. Arguments go to vitest. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const bin = (name, path) => join('node_modules', name, path);

const checks = [
  {
    title: 'format',
    repair: 'npm run format',
    command: [bin('prettier', 'bin/prettier.cjs'), '--check', '--log-level=warn', '--cache', '.'],
  },
  { title: 'lint', repair: 'npm run lint', command: [bin('eslint', 'bin/eslint.js'), '.'] },
  { title: 'lint with types', repair: 'npm run lint', command: [bin('oxlint', 'bin/oxlint')] },
  {
    title: 'types and type tests',
    repair: 'npm run typecheck',
    command: [bin('typescript-native', 'bin/tsc'), '--pretty', 'false'],
  },
];

/** Runs a Node program; answers with its exit code, seconds and, unless `shown` as it runs, its output. */
const run = (command, shown = false) =>
  new Promise((resolve) => {
    const start = performance.now();
    const child = spawn(process.execPath, command, { stdio: shown ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk));
    child.on('close', (code) =>
      resolve({
        code: code ?? 1,
        seconds: ((performance.now() - start) / 1000).toFixed(1),
        output: Buffer.concat(output).toString(),
      }),
    );
  });

const runChecks = async () => {
  // They run side by side and are reported in order.
  const running = checks.map(({ command }) => run(command));
  for (const [index, { title, repair }] of checks.entries()) {
    const { code, seconds, output } = await running[index];
    console.log(`${code === 0 ? '✓' : '✗'} ${title} (${seconds} s)`);
    process.stdout.write(output);
    if (code === 0) continue;
    await Promise.all(running);
    console.log(`${title} failed, so the laws were not run; alone: ${repair}\n\n0 passed, 1 failed`);
    process.exit(1);
  }
};

/** Counts tests; a file that does not load and an error outside a test count as one failure each. */
const count = (report, code) => {
  const {
    testResults = [],
    numPassedTests = 0,
    numFailedTests = 0,
    numPendingTests = 0,
    numTodoTests = 0,
  } = report;
  const unloaded = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  const failed = numFailedTests + unloaded;
  return {
    passed: numPassedTests,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: numPendingTests + numTodoTests,
  };
};

const runLaws = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'immersion-test-'));
  const file = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  console.log('\nlaws');
  const { code } = await run(
    [bin('vitest', 'vitest.mjs'), 'run', ...reporters, ...process.argv.slice(2)],
    true,
  );
  try {
    return { code, ...count(JSON.parse(readFileSync(file, 'utf8')), code) };
  } catch {
    return { code: 1, passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const start = performance.now();
await runChecks();
const { code, passed, failed, skipped } = await runLaws();
console.log(`total ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = code === 0 && failed === 0 ? 0 : 1;
