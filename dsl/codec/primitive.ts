/** Numbers and names, each with what it expects in words. */
import type { Codec } from './codec.js';
import { such } from './codec.js';

const numberSuch = (name: string, holds: (n: number) => boolean): Codec<number> =>
  such(name, (u): u is number => typeof u === 'number' && Number.isFinite(u) && holds(u));

export const finite = numberSuch('a finite number', () => true);
/** What is added to a root that may be 0 must not vanish in single precision. */
export const positiveSingle = numberSuch('a positive number in single precision', (n) => Math.fround(n) > 0);
export const positiveNumber = numberSuch('a positive number', (n) => n > 0);
export const nonNegative = numberSuch('a non-negative number', (n) => n >= 0);
export const positiveInteger = numberSuch('a positive integer', (n) => Number.isSafeInteger(n) && n > 0);
export const atLeastTwo = numberSuch('an integer of at least 2', (n) => Number.isSafeInteger(n) && n >= 2);
export const nonNegativeInteger = numberSuch(
  'a non-negative integer',
  (n) => Number.isSafeInteger(n) && n >= 0,
);
/** Dropout rates, momenta, the β of Adam: below 1 in single precision too, so that 1 − n is not 0 there. */
export const fraction = numberSuch('a number in [0, 1)', (n) => n >= 0 && Math.fround(n) < 1);

export const truth = such('true or false', (u): u is boolean => typeof u === 'boolean');

export const nonEmptyString = such(
  'a non-empty string',
  (u): u is string => typeof u === 'string' && u !== '',
);

/** Names are parts of parameter paths such as `decoder/2/kernel`. */
export const name = such(
  'a non-empty name without "/"',
  (u): u is string => typeof u === 'string' && u !== '' && !u.includes('/') && u !== '__proto__',
);

export const anyString = such('a string', (u): u is string => typeof u === 'string');
