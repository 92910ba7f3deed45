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

/** Where an array says whose it is while it is alive. */
const owner = Symbol('owner');
type Marked = Handle & { [owner]?: object | undefined };

/** `free` takes back what an array is made of, when it is no longer alive. */
export const createHandles = <Own extends Handle>(
  backend: string,
  free: (own: Own) => void,
): Handles<Own> => {
  let live = 0;
  // A mark on the array itself: a map of them all would cost a step more than its arithmetic in a small network.
  const mark = {};
  const isOwn = (handle: Marked): handle is Own => handle[owner] === mark;
  const of = (handle: Handle): Own => {
    if (!isOwn(handle)) throw new Error(`an array that is not ${backend}'s`);
    return handle;
  };
  return {
    add: (own) => {
      live += 1;
      const marked: Marked = own;
      marked[owner] = mark;
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
      if (!isOwn(handle)) return;
      const marked: Marked = handle;
      marked[owner] = undefined;
      live -= 1;
      free(handle);
    },
    live: () => live,
  };
};
