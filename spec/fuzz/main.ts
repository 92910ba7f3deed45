/** `npm run test:fuzz [-- --count 2000 --seed N --opener NAME]`: opens mutated files of every format; prints the seed, the faults and how often each opener answered what. */
import { parseArgs } from 'node:util';
import type { Ending } from './child.js';
import { counterexamples } from './counterexamples.js';
import { casesOf, fuzz } from './fuzz.js';
import { openers } from './openers.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string' },
    opener: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const count = Number(values.count);
const names = values.opener === undefined ? Object.keys(openers) : [values.opener];
console.log(`${count} mutated files with seed ${seed}, and ${counterexamples.length} counterexamples`);

const cases = [
  ...counterexamples.filter(({ opener }) => names.includes(opener)),
  ...casesOf(seed, count, names),
];
const tally = new Map<string, Record<Ending['outcome'], number>>();
let [slowest, largest] = [0, 0];
const endings = await fuzz(cases, ({ opener, outcome, seconds, bytes, seed: own, done, text }) => {
  const of = tally.get(opener) ?? { right: 0, problem: 0, fault: 0 };
  of[outcome]++;
  tally.set(opener, of);
  [slowest, largest] = [Math.max(slowest, seconds), Math.max(largest, bytes)];
  if (outcome === 'fault')
    console.log(`✗ { opener: '${opener}', seed: ${own} } (${done.join(', ')}): ${text}`);
});
console.table(Object.fromEntries(tally));
console.log(`slowest ${slowest.toFixed(2)} s, most memory ${Math.round(largest / 2 ** 20)} MiB`);
const faults = endings.filter(({ outcome }) => outcome === 'fault').length;
console.log(`${endings.length - faults} passed, ${faults} failed (seed ${seed})`);
process.exitCode = faults === 0 ? 0 : 1;
