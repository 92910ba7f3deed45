/** Outputs of any kind in one map, for tests that compare all of them: keys are made here and never read apart. */
import { interpret as run } from '../../compiler/ir/interpret.js';
import type { OutputKind, Program, Results } from '../../compiler/ir/program.js';

export type { Arrays } from '../../compiler/ir/interpret.js';

/** Terms, telemetry and values under their names; gradients and next values under names of their own. */
export const outputKey = (kind: OutputKind, name: string): string =>
  kind === 'next' || kind === 'gradient' ? `${kind} ${name}` : name;

export const gradientName = (parameter: string): string => outputKey('gradient', parameter);

const kinds = ['value', 'term', 'surrogate', 'guard', 'telemetry', 'gradient', 'next'] as const;

/** Throws where two outputs have one key. */
export const together = <A>(results: Results<A>): ReadonlyMap<string, A> => {
  const entries = kinds.flatMap((kind) =>
    [...results[kind]].map(([name, value]) => [outputKey(kind, name), value] as const),
  );
  const all = new Map(entries);
  if (all.size < entries.length)
    throw new Error(`two outputs of one name in ${entries.map(([key]) => key).join()}`);
  return all;
};

/** The reference interpreter, its outputs in one map. */
export const interpret = (
  program: Program,
  inputs: Parameters<typeof run>[1],
): ReadonlyMap<string, Float64Array> => together(run(program, inputs));
