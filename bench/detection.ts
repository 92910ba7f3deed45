/**
 * `npm run bench -- detection INSIDE.csv OUTSIDE.csv`: a rectangular flow by the recipe for tables on one class of a table, and −ln p
 * and ‖x − x̂‖ of its training and test examples and of another class, as JSON: the fixture of the law on thresholds. The tables
 * are made by bench/peers/tables.py.
 */
import { elementAt } from '../dsl/lookup.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { loadData } from 'immersion/data';
import { fit, startBackend } from 'immersion/runs';
import { wordsOf } from './options.js';
import { densityExperiment, parts } from '../examples/flows.js';

const [inside, outside] = wordsOf('INSIDE.csv', 'OUTSIDE.csv');

const [own, other, backend] = [
  await loadData(`${inside}?standardize`)(),
  await loadData(outside)(),
  await startBackend('auto'),
];
if (isLeft(own) || isLeft(other) || isLeft(backend)) throw new Error('no data or no backend');
const { train, test, preprocessing } = own.right;
const scaling = preprocessing?.scaling;
if (scaling === undefined) throw new Error('not standardised');
const spec = densityExperiment(
  { ...parts({ d: 6, D: 30, width: 64, couplings: 4 }), data: inside, steps: 800, beta: 50, rate: 2e-3 },
  'exact',
);
const fitted = await fit(spec, { data: own.right, backend: backend.right, seed: 0, heldOut: 0 });
if (isLeft(fitted)) throw new Error('not trained');

const scoresOf = async (examples: Float32Array) => {
  const found = await fitted.right.logProb?.(examples);
  const digits = (values: Float32Array | undefined) =>
    [...(values ?? [])].map((x) => Number(x.toPrecision(6)));
  return { likelihood: digits(found?.logDensity).map((x) => -x), distance: digits(found?.distance) };
};
const inUnits = (examples: Float32Array): Float32Array =>
  examples.map((x, at) => (x - elementAt(scaling.mean, at % 30)) / elementAt(scaling.deviation, at % 30));
console.log(
  JSON.stringify({
    inside: { train: await scoresOf(train.examples), test: await scoresOf(test.examples) },
    outside: {
      train: await scoresOf(inUnits(other.right.train.examples)),
      test: await scoresOf(inUnits(other.right.test.examples)),
    },
  }),
);
process.exit(0);
