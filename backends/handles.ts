/** Arrays of a backend under handles that no other backend can use. */
import type { Plan } from '../compiler/loops/plan.js';
import type { Handle } from './backend.js';

export type Handles<Own extends Handle> = {
  /** A new array, alive from now on. */
  readonly add: (own: Own) => Own;
  readonly of: (handle: Handle) => Own;
  /** Those that a plan reads, in its order. */
  readonly read: (plan: Plan, inputs: ReadonlyMap<string, Handle>) => readonly Own[];
  /** Gives an array back; one that was given back is nothing to it. */
  readonly dispose: (handle: Handle) => void;
  /** Arrays alive. */
  readonly live: () => number;
};

/** `free` takes back what an array is made of, when it is no longer alive. */
export const createHandles = <Own extends Handle>(
  backend: string,
  free: (own: Own) => void,
): Handles<Own> => {
  let live = 0;
  const known = new WeakMap<Handle, Own>();
  const of = (handle: Handle): Own => {
    const own = known.get(handle);
    if (own === undefined) throw new Error(`an array that is not ${backend}'s`);
    return own;
  };
  return {
    add: (own) => {
      known.set(own, own);
      live += 1;
      return own;
    },
    of,
    read: (plan, inputs) =>
      plan.inputs.map(({ name }) => {
        const handle = inputs.get(name);
        if (handle === undefined) throw new Error(`no array for ${name}`);
        return of(handle);
      }),
    dispose: (handle) => {
      const own = known.get(handle);
      if (own === undefined) return;
      known.delete(handle);
      live -= 1;
      free(own);
    },
    live: () => live,
  };
};
