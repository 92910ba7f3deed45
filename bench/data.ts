/**
 * `npm run bench -- data [--python PATH] [--rounds 5] [--json]`: how fast files are read, beside numpy's `load` with a copy, pandas' `read_csv`,
 * csv-parse alone and sharp alone, by turns in one run. The files are made first, in a folder that is removed.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse/sync';
import { encode } from 'fast-png';
import { isLeft } from 'fp-ts/lib/Either.js';
import { loadData } from 'immersion/data';
import { showProblem } from 'immersion/dsl';
import sharp from 'sharp';
import { clocks, quotients, summary } from './measure.js';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'immersion-bench-'));

/** A repeatable number in [0, 1). */
const noise = (i: number): number => Math.abs(Math.sin(i * 12.9898) * 43758.5453) % 1;

const writeNpy = (path: string, rows: number, width: number): void => {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`.padEnd(117) + '\n';
  const data = Float32Array.from({ length: rows * width }, (_, i) => noise(i));
  const head = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'), Buffer.from(text)]);
  writeFileSync(path, Buffer.concat([head, Buffer.from(data.buffer)]));
};

const writeCsv = (path: string, rows: number, width: number): void => {
  const line = (row: number): string =>
    Array.from({ length: width }, (_, i) => noise(row * width + i).toFixed(9)).join();
  const header = Array.from({ length: width }, (_, i) => `c${i}`).join();
  writeFileSync(path, `${header}\n${Array.from({ length: rows }, (_, row) => line(row)).join('\n')}\n`);
};

const writePictures = (count: number, side: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => {
    const path = join(folder, 'pictures', `${String(i).padStart(5, '0')}.png`);
    const data = Uint8Array.from({ length: side * side * 3 }, (_, at) => 255 * noise(Math.floor(at / 9) + i));
    writeFileSync(path, encode({ width: side, height: side, channels: 3, data }));
    return path;
  });

const paths = { npy: join(folder, 'x.npy'), csv: join(folder, 'x.csv'), pictures: join(folder, 'pictures') };
writeNpy(paths.npy, 200_000, 100);
writeCsv(paths.csv, 60_000, 10);
mkdirSync(paths.pictures);
const pictures = writePictures(1500, 64);

const ours = async (path: string): Promise<void> => {
  const data = await loadData(`${path}?holdOut=0`)();
  if (isLeft(data)) throw new Error(data.left.map(showProblem).join('\n'));
};

/** Seconds by the clock, and of the processor's work on all cores: the ones to trust where others share the machine. */
type Taken = { readonly seconds: number; readonly work: number };

/** numpy and pandas in one process that waits for paths; undefined where Python or numpy is not there. */
const python = async () => {
  const script = fileURLToPath(new URL('./peers/read.py', import.meta.url));
  const child = spawn(values.python, [script], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done === true) return undefined;
  const versions: { readonly numpy: string; readonly pandas: string | null } = JSON.parse(first.value);
  return {
    versions,
    seconds: async (kind: 'npy' | 'csv', path: string): Promise<Taken> => {
      child.stdin.write(`${kind} ${path}\n`);
      return JSON.parse(String((await lines.next()).value));
    },
    end: () => child.stdin.end(),
  };
};

const sharpAlone = async (): Promise<void> => {
  for (let first = 0; first < pictures.length; first += 256)
    await Promise.all(
      pictures.slice(first, first + 256).map((path) => sharp(readFileSync(path)).raw().toBuffer()),
    );
};

const timed = async (run: () => unknown): Promise<Taken> => {
  const [start, work] = [clocks.wall(), clocks.cpu()];
  await run();
  return { seconds: (clocks.wall() - start) / 1000, work: (clocks.cpu() - work) / 1000 };
};

const peer = await python();
type Reader = { readonly what: string; readonly bytes: number; readonly seconds: () => Promise<Taken> };
const bytesOf = (path: string): number => statSync(path).size;
const pictureBytes = pictures.reduce((sum, path) => sum + bytesOf(path), 0);
const readers: readonly Reader[] = [
  { what: 'npy, ours', bytes: bytesOf(paths.npy), seconds: () => timed(() => ours(paths.npy)) },
  ...(peer === undefined
    ? []
    : [{ what: 'npy, numpy', bytes: bytesOf(paths.npy), seconds: () => peer.seconds('npy', paths.npy) }]),
  { what: 'csv, ours', bytes: bytesOf(paths.csv), seconds: () => timed(() => ours(paths.csv)) },
  {
    what: 'csv, csv-parse',
    bytes: bytesOf(paths.csv),
    seconds: () => timed(() => parse(readFileSync(paths.csv))),
  },
  ...(peer === undefined || peer.versions.pandas === null
    ? []
    : [{ what: 'csv, pandas', bytes: bytesOf(paths.csv), seconds: () => peer.seconds('csv', paths.csv) }]),
  { what: 'png, ours', bytes: pictureBytes, seconds: () => timed(() => ours(paths.pictures)) },
  { what: 'png, sharp', bytes: pictureBytes, seconds: () => timed(sharpAlone) },
];

try {
  const found = new Map<string, Taken[]>(readers.map(({ what }) => [what, []]));
  for (let round = -1; round < Number(values.rounds); round++)
    for (const { what, seconds } of readers) {
      const taken = await seconds();
      // The first round warms up.
      if (round >= 0) found.get(what)?.push(taken);
    }
  const results = readers.map(({ what, bytes }) => {
    const taken = found.get(what) ?? [];
    const { median, least, most } = summary(taken.map(({ seconds }) => seconds));
    const work = summary(taken.map((one) => one.work)).median;
    return { what, megabytes: bytes / 1e6, median, least, most, work, rate: bytes / 1e6 / median };
  });
  /** The median over the rounds of how many times as fast ours is. */
  const ratio = (ours: string, theirs: string) => {
    const [a, b] = [found.get(ours) ?? [], found.get(theirs) ?? []];
    if (a.length === 0 || b.length === 0) return undefined;
    const of = (by: keyof Taken): number =>
      summary(
        quotients(
          b.map((one) => one[by]),
          a.map((one) => one[by]),
        ),
      ).median;
    return { seconds: of('seconds'), work: of('work') };
  };
  const ratios = {
    'npy, of numpy': ratio('npy, ours', 'npy, numpy'),
    'csv, of csv-parse': ratio('csv, ours', 'csv, csv-parse'),
    'csv, of pandas': ratio('csv, ours', 'csv, pandas'),
    'png, of sharp': ratio('png, ours', 'png, sharp'),
  };
  if (values.json) console.log(JSON.stringify({ versions: peer?.versions ?? null, results, ratios }));
  else {
    for (const { what, megabytes, median, least, most, work, rate } of results)
      console.log(
        `${what.padEnd(16)} ${megabytes.toFixed(1).padStart(7)} MB  ${median.toFixed(3)} s (${least.toFixed(3)} … ${most.toFixed(3)}), ${work.toFixed(3)} s of work  ${rate.toFixed(1).padStart(7)} MB/s`,
      );
    if (peer === undefined) console.log(`${values.python} has no numpy: --python names one that has`);
    for (const [what, value] of Object.entries(ratios))
      if (value !== undefined)
        console.log(
          `${what.padEnd(20)} ${value.seconds.toFixed(2)} by the clock, ${value.work.toFixed(2)} by work`,
        );
  }
} finally {
  peer?.end();
  rmSync(folder, { recursive: true });
}
