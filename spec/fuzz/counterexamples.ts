/** Mutated files that once ended in a fault: they are opened first, for ever. */
import type { Case } from './child.js';

export const counterexamples: readonly Case[] = [];
