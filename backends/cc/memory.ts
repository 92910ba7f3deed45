/** Where a plan's own buffers lie in one array: a place is used again once nothing reads what it held. */
import { elementAt } from '../../dsl/lookup.js';
import type { Plan } from '../../compiler/loops/plan.js';

/** Numbers in a line of the cache, at which every buffer begins. */
const line = 16;

export const inLines = (size: number): number => Math.ceil(Math.max(1, size) / line) * line;

export type Layout = {
  /** Of each buffer that lies here, in numbers. */
  readonly offsets: ReadonlyMap<number, number>;
  /** Of what a step needs beside its buffers. */
  readonly beside: ReadonlyMap<number, number>;
  readonly size: number;
};

type Gap = { readonly start: number; readonly size: number };

/** `elsewhere`: buffers that lie in other memory; `extra`: what steps need beside their buffers, in numbers. */
export const layoutOf = (
  plan: Plan,
  elsewhere: ReadonlySet<number>,
  extra: (step: number) => number,
): Layout => {
  const offsets = new Map<number, number>();
  const beside = new Map<number, number>();
  let gaps: readonly Gap[] = [];
  let end = 0;
  const take = (wanted: number): number => {
    const size = inLines(wanted);
    const fitting = gaps.filter((gap) => gap.size >= size);
    if (fitting.length === 0) {
      const start = end;
      end += size;
      return start;
    }
    const best = fitting.reduce((a, b) => (b.size < a.size ? b : a));
    gaps = gaps.flatMap((gap) =>
      gap !== best ? [gap] : gap.size === size ? [] : [{ start: gap.start + size, size: gap.size - size }],
    );
    return best.start;
  };
  const give = (start: number, wanted: number): void => {
    const size = inLines(wanted);
    const before = gaps.find((gap) => gap.start + gap.size === start);
    const after = gaps.find((gap) => gap.start === start + size);
    const joined = {
      start: before?.start ?? start,
      size: (before?.size ?? 0) + size + (after?.size ?? 0),
    };
    gaps = [...gaps.filter((gap) => gap !== before && gap !== after), joined];
  };
  plan.steps.forEach((step, i) => {
    const outputs = step.tag === 'kernel' ? [step.output.buffer] : step.outputs;
    for (const buffer of outputs) {
      if (!elsewhere.has(buffer)) offsets.set(buffer, take(elementAt(plan.buffers, buffer)));
    }
    const more = extra(i);
    if (more > 0) {
      const start = take(more);
      beside.set(i, start);
      give(start, more);
    }
    for (const buffer of plan.release[i] ?? []) {
      const start = offsets.get(buffer);
      if (start !== undefined) give(start, elementAt(plan.buffers, buffer));
    }
  });
  return { offsets, beside, size: end };
};
