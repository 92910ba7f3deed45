/** What is fed to a program must have the size of its binders: generated loops read without looking. */
import type { Program } from '../compiler/ir/program.js';
import { elementCount } from '../compiler/ir/type.js';
import { problem } from '../dsl/problem.js';
import { BackendFailure } from './failure.js';

/** Throws for the first binder that is not state and is fed nothing, or too much or too little. */
export const checkFeeds = (
  { name, batch, binders }: Program,
  feeds: ReadonlyMap<string, Float32Array>,
  isState: (name: string) => boolean,
): void => {
  for (const binder of binders) {
    if (isState(binder.name)) continue;
    const expected = elementCount(binder.var.type, batch);
    const found = feeds.get(binder.name)?.length;
    if (found === expected) continue;
    const what = found === undefined ? 'nothing' : `${found} values`;
    throw new BackendFailure(
      problem(`${name}.${binder.name}`, what, `${expected} values for a batch of ${batch}`),
    );
  }
};
