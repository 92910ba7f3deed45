/** Opens mutated files one after the other, as it is told, in a process of its own: what hangs or takes too much ends with it. */
import { elementAt, entryOf } from '../../dsl/lookup.js';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { dice, mutated } from './mutate.js';
import { peakMemory } from '../../backends/memory.js';
import { openers } from './openers.js';

/** One mutated file: the opener and the seed of everything about it. */
export type Case = { readonly opener: string; readonly seed: number };

/** How it ended; `fault` says what must not be. */
export type Ending = Case & {
  readonly done: readonly string[];
  readonly outcome: 'right' | 'problem' | 'fault';
  readonly text: string;
  readonly bytes: number;
  /** Of the processor's work. */
  readonly seconds: number;
};

/** A problem is one line of some length, with all its parts. */
const problemFault = (problems: unknown): string | undefined => {
  if (!Array.isArray(problems) || problems.length === 0) return 'no problem on the left';
  const words: readonly unknown[] = problems.flatMap(({ path, found, expected }) => [path, found, expected]);
  if (words.some((word) => typeof word !== 'string' || word === '')) return 'a problem without words';
  return problems.some((one) => JSON.stringify(one).length > 5000)
    ? 'a problem of more than 5,000 letters'
    : undefined;
};

const workSince = (start: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
};

/** In place of a file: a link to itself, to a device, or to the folder around it. */
const links = ['self', '/dev/zero', '..'];

const run = async ({ opener: name, seed }: Case): Promise<Ending> => {
  const opener = entryOf(openers, name);
  const folder = mkdtempSync(join(tmpdir(), 'immersion-fuzz-'));
  const rolls = dice(seed, `fuzz/${name}`);
  const corpus = opener.corpus();
  const chosen = rolls.below(corpus.length);
  const started = process.cpuUsage();
  const base = { opener: name, seed };
  const end = (outcome: Ending['outcome'], text: string, done: readonly string[]): Ending => ({
    ...base,
    done,
    outcome,
    text,
    bytes: peakMemory(),
    seconds: workSince(started),
  });
  let done: readonly string[] = [];
  try {
    for (const [i, { name: at, bytes }] of corpus.entries()) {
      const path = join(folder, at);
      mkdirSync(dirname(path), { recursive: true });
      if (i !== chosen) writeFileSync(path, bytes);
      else if (rolls.next() < 0.03) {
        const to = elementAt(links, rolls.below(links.length));
        done = [`a link to ${to}`];
        symlinkSync(to === 'self' ? path : to, path);
      } else {
        const changed = mutated(bytes, rolls);
        done = changed.done;
        writeFileSync(path, changed.bytes);
      }
    }
    const found = await opener.open(folder, elementAt(corpus, chosen).name);
    if (!isLeft(found)) return end('right', '', done);
    const fault = problemFault(found.left);
    return fault === undefined
      ? end('problem', JSON.stringify(found.left[0]), done)
      : end('fault', `${fault}: ${JSON.stringify(found.left).slice(0, 2000)}`, done);
  } catch (error) {
    return end('fault', error instanceof Error ? (error.stack ?? error.message) : String(error), done);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const isCase = (value: unknown): value is Case =>
  typeof value === 'object' && value !== null && 'opener' in value && 'seed' in value;

process.on('message', (value) => {
  if (isCase(value)) void run(value).then((ending) => process.send?.(ending));
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
