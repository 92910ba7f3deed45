/** A generator: the name and the settings under which a reference asks for a manifold. */
import { type Either, map } from 'fp-ts/lib/Either.js';
import type { Problem } from '../../dsl/problem.js';
import type { Manifold } from './manifold.js';
import { type Reference, readSettings, type Settings, type ValuesOf, withDefaults } from '../settings.js';

export type Generator = {
  readonly name: string;
  readonly settings: Settings;
  readonly fromReference: (reference: Reference) => Either<readonly Problem[], Manifold>;
};

/** What a manifold's file exports: settings as an object, or those of a reference. */
export type GeneratorOf<S extends Settings> = Generator & {
  readonly make: (values?: Partial<ValuesOf<S>>) => Either<readonly Problem[], Manifold>;
};

export const generator = <const S extends Settings>(
  name: string,
  settings: S,
  manifold: (values: ValuesOf<S>) => Omit<Manifold, 'name'>,
): GeneratorOf<S> => {
  const named = map((values: ValuesOf<S>): Manifold => ({ name, ...manifold(values) }));
  return {
    name,
    settings,
    fromReference: (reference) => named(readSettings(reference, settings)),
    make: (values = {}) => named(withDefaults(name, settings, values)),
  };
};
