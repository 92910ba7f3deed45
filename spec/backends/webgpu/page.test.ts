/** The GPU of a page, without Node: chromium's own, which computes on the processor. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { elementAt } from '../../../dsl/lookup.js';
import { backends } from '../../shared/backends.js';
import { chromiumPath, openBrowser } from '../../shared/browser.js';
import { root } from '../../shared/command.js';
import { stepOn } from './page-run.js';

describe.skipIf(chromiumPath === undefined)('a page', { timeout: 120_000 }, () => {
  test('takes a step on its GPU as Node does on wasm', async () => {
    const made = await build({
      stdin: {
        contents: `import { stepOnWebgpu } from './page-run.ts'; Object.assign(globalThis, { stepOnWebgpu });`,
        resolveDir: join(root, 'spec/backends/webgpu'),
      },
      ...{ bundle: true, format: 'esm', platform: 'browser', conditions: ['immersion-source'], write: false },
    });
    const script = elementAt(made.outputFiles, 0).text.replaceAll('</script', '<\\/script');
    const server = createServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html' });
      response.end(`<!doctype html><meta charset="utf-8"><script type="module">${script}</script>`);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const browser = await openBrowser(
      '--enable-unsafe-webgpu',
      '--use-webgpu-adapter=swiftshader',
      '--enable-features=Vulkan',
    );
    const address = server.address();
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`);
    await page.waitForFunction('globalThis.stepOnWebgpu !== undefined');
    const found = await page.evaluate<readonly (readonly number[])[]>('globalThis.stepOnWebgpu()');
    await browser.close();
    server.close();
    const expected = await stepOn(backends.wasm);
    expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
    found.forEach((values, i) => {
      const own = elementAt(expected, i);
      const scale = Math.max(1e-3, ...own.map(Math.abs));
      values.forEach((value, k) => expect(Math.abs(value - elementAt(own, k))).toBeLessThan(2e-5 * scale));
    });
  });
});
