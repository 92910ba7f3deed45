/**
 * `npm run bench -- codes TABLE.csv PYTHON`: codes of a table by the flow of examples/table.ts, and the mixtures that scikit-learn
 * fits to them, as JSON: the fixture of the law on expectation-maximization. TABLE is made by bench/peers/tables.py.
 */
import { atLeast } from '../dsl/lookup.js';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isLeft } from 'fp-ts/lib/Either.js';
import { loadData } from 'immersion/data';
import { showProblem } from 'immersion/dsl';
import { fit, startBackend } from 'immersion/runs';
import { wordsOf } from './options.js';
import { densityExperiment, parts } from '../examples/flows.js';

const [table, python] = wordsOf('TABLE.csv', 'PYTHON');
const [d, components, seeds] = [5, 5, 6];

const data = await loadData(`${table}?standardize`)();
const backend = await startBackend('wasm');
if (isLeft(data)) throw new Error(data.left.map(showProblem).join('\n'));
if (isLeft(backend)) throw new Error(backend.left.map(showProblem).join('\n'));
const [D] = atLeast(1, data.right.train.shape);
const spec = densityExperiment(
  { ...parts({ d, D, width: 32, couplings: 2 }), data: table, steps: 600, beta: 50, rate: 2e-3, batch: 50 },
  'exact',
);
const fitted = await fit(spec, { data: data.right, backend: backend.right, seed: 0, heldOut: 0 });
if (isLeft(fitted)) throw new Error(fitted.left.map(showProblem).join('\n'));
// Six digits: codes that JSON gives back as they were.
const codes = [...(await fitted.right.encode(data.right.train.examples))].map((x) =>
  Number(x.toPrecision(6)),
);
fitted.right.dispose();

const peer = fileURLToPath(new URL('./peers/mixture.py', import.meta.url));
const found: unknown = JSON.parse(
  execFileSync(python, [peer], { input: JSON.stringify({ d, codes, components, seeds }), encoding: 'utf8' }),
);
console.log(JSON.stringify({ d, components, peer: found, codes }));
