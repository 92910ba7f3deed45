/** Composition of functions, from fp-ts; its `flow` is called `compose` here, where flows are something else. */
export { flow as compose, pipe } from 'fp-ts/lib/function.js';
