/** Mutated files that once ended in a fault: they are opened first, for ever. */
import type { Case } from './child.js';

export const counterexamples: readonly Case[] = [
  // A list of pictures that names none.
  { opener: 'celeba', seed: 929421343 },
  { opener: 'celeba', seed: 1707494634 },
  // A name of ten thousand letters, all in the problem.
  { opener: 'celeba', seed: 123752379 },
  // csv-parse's own words about a quote, with the whole cell.
  { opener: 'csv of words', seed: 148182459 },
  // A link to itself in place of the settings.
  { opener: 'run folder', seed: 1350825311 },
];
