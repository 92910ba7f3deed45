/** `npm run bench -- [WHAT] [options]`: runs one measurement; `--help` says what there is. */
import { measurements, overview, usageOf } from './measurements.js';

const [first, ...rest] = process.argv.slice(2);
const [name, words] =
  first === undefined || first.startsWith('-') ? ['wasm', process.argv.slice(2)] : [first, rest];
const isKnown = Object.hasOwn(measurements, name);

if (words.includes('--help') || words.includes('-h')) {
  console.log(isKnown && first === name ? usageOf(name) : overview());
  process.exit(0);
}
if (!isKnown) {
  console.error(`bench: found ${JSON.stringify(name)}, expected ${Object.keys(measurements).join(', ')}`);
  process.exit(1);
}
await import(`./${name}.js`);
