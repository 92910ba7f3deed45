/** Every generator there is, by the name that a reference calls it: data whose density is known. How a set is opened and split is its parent's. */
import { circle } from './circle.js';
import type { Generator } from './generator.js';
import { linear } from './linear.js';
import { sine } from './sine.js';
import { sphere } from './sphere.js';
import { sprites } from './sprites.js';
import { swissRoll } from './swiss-roll.js';
import { torus } from './torus.js';

export { circle, linear, sine, sphere, sprites, swissRoll, torus };

/** Every generator, by whose name a reference calls it. */
export const generators: readonly Generator[] = [circle, linear, sine, sphere, sprites, swissRoll, torus];
