/** Pages in a real browser, Debian's chromium without a window: what it complains of, and what of a page it draws. */
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';

/** `IMMERSION_CHROMIUM`, or what is on the path under the names that distributions give it; undefined where there is none. */
export const chromiumPath = ((): string | undefined => {
  const names = [process.env['IMMERSION_CHROMIUM'], 'chromium', 'chromium-browser', 'google-chrome'];
  return names
    .flatMap((name) =>
      name === undefined ? [] : [spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim()],
    )
    .find((path) => path !== '');
})();

export type Seen = {
  /** Errors and warnings of the console, and errors of scripts. */
  readonly complaints: readonly string[];
  readonly pictures: number;
  readonly drawings: number;
  /** Pictures and drawings of which nothing is to be seen. */
  readonly blank: number;
  /** By how many pixels the page is wider than its window. */
  readonly overhang: number;
  readonly background: string;
  readonly headings: readonly string[];
};

export type Window = { readonly width: number; readonly scheme: 'light' | 'dark' };

export const openBrowser = (...more: readonly string[]): Promise<Browser> =>
  chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    args: ['--no-sandbox', ...more],
  });

/** What of the page is seen, as JavaScript in it, since the types of a browser are not among ours. */
const look = `(() => {
  const drawn = (element) => { const { width, height } = element.getBoundingClientRect(); return width > 1 && height > 1; };
  const images = [...document.images];
  const drawings = [...document.querySelectorAll('svg')];
  const marks = (svg) => [...svg.querySelectorAll('path, circle, rect, line')];
  return {
    pictures: images.length,
    drawings: drawings.length,
    blank: images.filter((i) => !i.complete || i.naturalWidth === 0 || !drawn(i)).length
      + drawings.filter((s) => !drawn(s) || marks(s).length === 0).length,
    overhang: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    background: getComputedStyle(document.body).backgroundColor,
    headings: [...document.querySelectorAll('h2')].map((h) => h.textContent),
  };
})()`;

export const seenIn = async (browser: Browser, path: string, { width, scheme }: Window): Promise<Seen> => {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(`${request.url().slice(0, 80)} failed`));
  await page.goto(pathToFileURL(path).href, { waitUntil: 'load' });
  const seen = await page.evaluate<Omit<Seen, 'complaints'>>(look);
  await page.close();
  return { ...seen, complaints };
};
