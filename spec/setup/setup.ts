/** Gives every property the seed of this run and has a failure list its counterexamples. */
import fc from 'fast-check';
import { inject } from 'vitest';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: inject('seed'), verbose: 1 });
