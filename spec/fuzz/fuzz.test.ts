/** Two hundred mutated files end in a clear problem or a right result; `npm run test:fuzz` opens two thousand. */
import { expect, inject, test } from 'vitest';
import { counterexamples } from './counterexamples.js';
import { casesOf, fuzz } from './fuzz.js';
import { openers } from './openers.js';

test('mutated files end in a clear problem or a right result', async () => {
  const cases = [...counterexamples, ...casesOf(inject('seed'), 200, Object.keys(openers))];
  const endings = await fuzz(cases);
  expect(endings.filter(({ outcome }) => outcome === 'fault')).toEqual([]);
  // The mutations leave some files whole, and harm most.
  expect(new Set(endings.map(({ outcome }) => outcome))).toEqual(new Set(['right', 'problem']));
}, 300_000);
