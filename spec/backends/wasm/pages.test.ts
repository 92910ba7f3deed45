/** The wasm backend in a real browser: on threads where the page is isolated from other origins, on one where it is not, to the same bits. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { elementAt } from '../../../dsl/lookup.js';
import { chromiumPath, openBrowser } from '../../shared/browser.js';
import { root } from '../../shared/command.js';
import { type PageRun, type partsOf, runSteps } from './page-run.js';

/** What makes a page isolated from other origins, so that its memory may be shared. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

describe.skipIf(chromiumPath === undefined)('a page', { timeout: 120_000 }, () => {
  const servers: Server[] = [];
  let browser: Browser;
  let script: string;
  beforeAll(async () => {
    const made = await build({
      stdin: {
        contents: `import { partsOf, runSteps } from './page-run.ts'; Object.assign(globalThis, { partsOf, runSteps });`,
        resolveDir: join(root, 'spec/backends/wasm'),
      },
      ...{
        bundle: true,
        format: 'esm',
        platform: 'browser',
        conditions: ['immersion-source'],
        write: false,
      },
    });
    script = elementAt(made.outputFiles, 0).text;
    browser = await openBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    servers.forEach((server) => server.close());
  });

  const open = async (headers: Readonly<Record<string, string>>) => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html', ...headers });
      response.end(
        `<!doctype html><meta charset="utf-8"><script type="module">${script.replaceAll('</script', '<\\/script')}</script>`,
      );
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- a server that listens to a port has an address
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/`);
    expect(complaints).toEqual([]);
    const ran = await page.evaluate<PageRun>('runSteps(2)');
    const workers = page.workers().length;
    const parts =
      workers === 0 ? undefined : await page.evaluate<Awaited<ReturnType<typeof partsOf>>>('partsOf()');
    expect(complaints).toEqual([]);
    await page.close();
    return { ran, workers, parts };
  };

  test('that is isolated shares steps with a worker', async () => {
    const { ran, workers, parts } = await open(isolation);
    expect(workers).toBe(1);
    expect(parts?.worker).toBeGreaterThan(0);
    expect((parts?.worker ?? 0) + (parts?.own ?? 0)).toBe(parts?.all);
    expect(ran.description).toMatch(/^wasm \(2 threads/);
  });

  test('that is not has one thread, and no worker', async () => {
    const { ran, workers } = await open({});
    expect(workers).toBe(0);
    expect(ran.description).toMatch(/^wasm \(1 thread[,)]/);
  });

  test('has the same bits with a worker and without', async () => {
    const [shared, alone] = [await open(isolation), await open({})];
    expect(shared.ran.digest).toBe(alone.ran.digest);
    // Chromium has relaxed SIMD, whose bits are others.
    const here = await runSteps(1);
    if (here.description === alone.ran.description) expect(alone.ran.digest).toBe(here.digest);
  });
});
