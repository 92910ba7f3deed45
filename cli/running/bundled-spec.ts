/** The bundled example: what `immersion start` trains, and what `immersion doctor` takes for a run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSpec } from '../../runs/load-spec.js';

/** The source in a checkout, its compiled form in an installed package. */
const example = ['ts', 'js']
  .map((extension) => fileURLToPath(new URL(`../../examples/digits.${extension}`, import.meta.url)))
  .find((path) => existsSync(path));

export const bundledSpec = () => loadSpec(example ?? join('examples', 'digits.ts'));
