/** Report pages in a real browser: nothing is complained of, every picture and drawing is seen, on a wide screen and on a phone, in the light and in the dark. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  adam,
  apply,
  data,
  dense,
  encodeExperiment,
  type Experiment,
  experiment,
  input,
  network,
  pipe,
  scale,
  schedule,
  slice,
  sqNorm,
  sub,
  tanh,
} from '../../dsl/index.js';
import { injFlowLn, rectangularDensity, rectangularExact } from '../../objectives/index.js';
import { chromiumPath, openBrowser, seenIn } from '../shared/browser.js';
import { linear, run } from '../shared/command.js';
import { right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-pages-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const training = { optimizer: adam({ rate: 1e-2 }), batch: 32, steps: 20 };

/** Numbers and a category, in very different units. */
const table = (): Experiment => {
  const encoder = network('encoder', pipe(input(4), dense(8), tanh, dense(2)));
  const decoder = network('decoder', pipe(input(2), dense(8), tanh, dense(4)));
  const reference = `${at('table.csv')}?standardize&categories=onehot`;
  return experiment({
    encoder,
    decoder,
    objective: injFlowLn(encoder, decoder),
    ...training,
    data: reference,
  });
};

/** Three networks, of which the first takes two of the three numbers of an example. */
const part = (): Experiment => {
  const encoder = network('encoder', pipe(input(2), dense(8), tanh, dense(1)));
  const between = network('between', pipe(input(1), dense(8), tanh, dense(1)));
  const decoder = network('decoder', pipe(input(1), dense(8), tanh, dense(2)));
  const x = slice(data(3), [0], [2]);
  const z = apply(between, apply(encoder, x));
  const error = sqNorm(sub(x, apply(decoder, z)));
  const objective = {
    reconstruction: scale(schedule.linear(1, 3, 10), error),
    prior: scale(0.01, sqNorm(z)),
  };
  return experiment({ encoder, decoder, objective, ...training, data: 'sphere?count=300&test=100' });
};

const density = (): Experiment => {
  const encoder = network('encoder', pipe(input(2), dense(8), tanh, dense(1)));
  const decoder = network('decoder', pipe(input(1), dense(8), tanh, dense(2)));
  return experiment({
    encoder,
    decoder,
    objective: rectangularExact(encoder, decoder),
    logDensity: rectangularDensity(encoder, decoder),
    ...training,
    data: 'circle?count=300&test=100',
  });
};

const specs: Readonly<Record<string, Experiment>> = {
  pictures: linear(8, 8),
  table: table(),
  part: part(),
  density: density(),
};

test.runIf(process.env['IMMERSION_REQUIRE_NATIVE'] === '1')('there is a browser to see pages in', () => {
  expect(chromiumPath).toBeDefined();
});

describe.skipIf(chromiumPath === undefined)(
  'in a browser (chromium on the path, or IMMERSION_CHROMIUM)',
  () => {
    let browser: Browser;
    const pages = new Map<string, string>();

    beforeAll(async () => {
      const rows = Array.from({ length: 120 }, (_, i) => {
        const kind = i % 3 === 0 ? 'red' : 'white';
        return `${13 + Math.cos(i)},${101_325 + 100 * Math.sin(i)},${kind}`;
      });
      writeFileSync(at('table.csv'), `alcohol,pressure,kind\n${rows.join('\n')}\n`);
      for (const [name, spec] of Object.entries(specs)) {
        writeFileSync(at(`${name}.json`), JSON.stringify(right(encodeExperiment(spec))));
        const words = ['train', at(`${name}.json`), '--report', '--backend', 'wasm', '--out', at(name)];
        const { code, stderr } = await run(...words);
        expect(code, stderr.join('\n')).toBe(0);
        pages.set(name, join(at(name), 'report.html'));
      }
      const other = ['--set', 'eta=0.3', '--backend', 'wasm', '--out', at('other')];
      expect((await run('train', at('table.json'), ...other)).code).toBe(0);
      const compared = ['--baseline', at('other'), '--out', at('compared.html'), '--backend', 'wasm'];
      expect((await run('report', at('table'), ...compared)).code).toBe(0);
      expect((await run('runs', at('table'), at('other'), '--page', at('runs.html'))).code).toBe(0);
      pages.set('compared', at('compared.html')).set('runs', at('runs.html'));
      browser = await openBrowser();
    }, 240_000);
    afterAll(() => browser.close());

    const windows = [
      { width: 1200, scheme: 'light' },
      { width: 1200, scheme: 'dark' },
      { width: 390, scheme: 'light' },
      { width: 390, scheme: 'dark' },
    ] as const;

    test.each([...Object.keys(specs), 'compared', 'runs'])(
      'the page %s is seen whole in every window',
      async (name) => {
        for (const window of windows) {
          const seen = await seenIn(browser, pages.get(name) ?? '', window);
          expect({ complaints: seen.complaints, blank: seen.blank, overhang: seen.overhang }).toEqual({
            complaints: [],
            blank: 0,
            overhang: 0,
          });
          const lightness = Math.max(...(seen.background.match(/\d+/g) ?? ['0']).map(Number));
          if (window.scheme === 'dark') expect(lightness).toBeLessThan(64);
          else expect(lightness).toBeGreaterThan(200);
        }
      },
    );

    const headings = async (name: string) =>
      seenIn(browser, pages.get(name) ?? '', { width: 1200, scheme: 'light' });

    test('pictures have samples of three priors, reconstructions, interpolations and a traversal of each latent', async () => {
      const { pictures, headings: found } = await headings('pictures');
      expect(found).toEqual(
        expect.arrayContaining(['Samples', 'Reconstructions', 'Interpolations', 'Latents']),
      );
      expect(pictures).toBe(3 * 36 + 2 * 20 + 4 * 9 + 3 * 9);
    });

    test('tables have rows of samples, their columns, interpolations and traversals', async () => {
      const { pictures, headings: found } = await headings('table');
      expect(found).toEqual(expect.arrayContaining(['Samples', 'Columns', 'Interpolations', 'Latents']));
      expect(pictures).toBe(0);
      expect((await headings('compared')).headings).toContain('Beside another run');
    });
  },
);
