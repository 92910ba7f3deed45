/**
 * The recipe for tables does not diverge, in a form that is short: the benign rows of scikit-learn's breast cancer table (bundled), batches of 50, the
 * first 500 of 2,000 steps, from the seed from which the pair of conjugate gradients reaches norms of 10¹¹. The whole of it is `npm run bench -- stability`.
 */
import { describe, expect, test } from 'vitest';
import { fileURLToPath } from 'node:url';
import { loadData } from '../../data/index.js';
import { densityExperiment, parts } from '../../examples/flows.js';
import { fit, isStep, type StepEvent } from '../../runs/index.js';
import { hasNative, nativeBackend, backends } from '../shared/backends.js';
import { right } from '../shared/either.js';

const table = `${fileURLToPath(new URL('./fixtures/benign.csv.gz', import.meta.url))}?standardize`;
const data = right(await loadData(table)());
const backend = hasNative() ? right(nativeBackend()) : backends.wasm;

/** The exact volume and the surrogate, and how many steps of each there is time for. */
describe.each([
  ['stochastic', 500],
  ['auto', 100],
] as const)('by the volume that is %s', (method, steps) => {
  test('no gradient leaves what is usual, and every row has a density', async () => {
    const spec = densityExperiment(
      {
        ...parts({ d: 6, D: 30, width: 64, couplings: 4 }),
        data: table,
        steps: 2000,
        beta: 50,
        rate: 2e-3,
        batch: 50,
      },
      method,
    );
    const events: StepEvent[] = [];
    const controller = new AbortController();
    const fitted = right(
      await fit(spec, {
        data,
        backend,
        seed: 2,
        heldOut: 0,
        signal: controller.signal,
        onEvent: (event) => {
          if (!isStep(event)) return;
          events.push(event);
          if (events.length === steps) controller.abort();
        },
      }),
    );
    expect(events.filter(({ committed, guards }) => !committed || guards !== undefined)).toEqual([]);
    // Of batches of 50 norms reach 2,000, of 200 they reach 700; a run that diverges passes this within a few steps.
    expect(Math.max(...events.slice(50).map(({ gradientNorm }) => gradientNorm))).toBeLessThan(1e4);
    const { logDensity } = await fitted.values(
      { logDensity: spec.logDensity ?? { tag: 'step' } },
      data.test.examples,
    );
    expect(logDensity.values.every(Number.isFinite)).toBe(true);
    fitted.dispose();
  }, 120_000);
});
