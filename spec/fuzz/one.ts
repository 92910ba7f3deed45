/** Opens one mutated file here, to look at it: `node --conditions=immersion-source --import tsx spec/fuzz/one.ts OPENER SEED`. */
import { atLeast, elementAt, entryOf } from '../../dsl/lookup.js';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { dice, mutated } from './mutate.js';
import { openers } from './openers.js';

const [name, seed] = atLeast(2, process.argv.slice(2));
const opener = entryOf(openers, name);
const rolls = dice(Number(seed), `fuzz/${name}`);
const corpus = opener.corpus();
const chosen = rolls.below(corpus.length);
const picked = elementAt(corpus, chosen);
if (rolls.next() < 0.03) console.log('this one is a link; here it is mutated');
const { bytes, done } = mutated(picked.bytes, rolls);
const folder = mkdtempSync(join(tmpdir(), 'immersion-fuzz-one-'));
corpus.forEach((one, i) => {
  const path = join(folder, one.name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, i === chosen ? bytes : one.bytes);
});
console.log(`${join(folder, picked.name)}: ${done.join(', ')}; ${bytes.length} bytes`);
const started = performance.now();
const found = await opener.open(folder, picked.name);
console.log(JSON.stringify(found).slice(0, 2000), `${Math.round(performance.now() - started)} ms`);
