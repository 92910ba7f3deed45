/** Where a plan's own buffers lie in one array: a place is used again once nothing reads what it held. */
import { elementAt } from '../../dsl/lookup.js';
import { createGaps } from './gaps.js';
import type { Plan } from './plan.js';

export type Layout = {
  /** Of each buffer that lies here, in numbers. */
  readonly offsets: ReadonlyMap<number, number>;
  /** Of what a step needs beside its buffers. */
  readonly beside: ReadonlyMap<number, number>;
  readonly size: number;
};

/** `elsewhere`: buffers that lie in other memory; `extra`: what steps need beside their buffers, in numbers. */
export const layoutOf = (
  plan: Plan,
  elsewhere: ReadonlySet<number>,
  extra: (step: number) => number,
): Layout => {
  const offsets = new Map<number, number>();
  const beside = new Map<number, number>();
  const { take, give, end } = createGaps();
  /** Each buffer ends with a number that nobody uses, so that to run past its end is never to write into another. */
  const withEnd = (buffer: number): number => elementAt(plan.buffers, buffer) + 1;
  plan.steps.forEach((step, i) => {
    const outputs = step.tag === 'kernel' ? [step.output.buffer] : step.outputs;
    for (const buffer of outputs) {
      if (!elsewhere.has(buffer)) offsets.set(buffer, take(withEnd(buffer)));
    }
    const more = extra(i);
    if (more > 0) {
      const start = take(more);
      beside.set(i, start);
      give(start, more);
    }
    for (const buffer of plan.release[i] ?? []) {
      const start = offsets.get(buffer);
      if (start !== undefined) give(start, withEnd(buffer));
    }
  });
  return { offsets, beside, size: end() };
};
