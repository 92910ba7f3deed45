/** Places of a memory that ends where it is needed to: the smallest gap that fits, or more at the end. */

/** Numbers in a line of the cache, at which every place begins. */
const line = 16;

export const inLines = (size: number): number => Math.ceil(Math.max(1, size) / line) * line;

type Gap = { readonly start: number; readonly size: number };

export type Gaps = {
  /** Where so many numbers lie from now on. */
  readonly take: (size: number) => number;
  /** Gives a place back, with the size that it was taken with. */
  readonly give: (start: number, size: number) => void;
  /** The most that was needed so far, in numbers. */
  readonly end: () => number;
};

export const createGaps = (): Gaps => {
  let gaps: readonly Gap[] = [];
  let end = 0;
  return {
    take: (wanted) => {
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
    },
    give: (start, wanted) => {
      const size = inLines(wanted);
      const before = gaps.find((gap) => gap.start + gap.size === start);
      const after = gaps.find((gap) => gap.start === start + size);
      const joined = {
        start: before?.start ?? start,
        size: (before?.size ?? 0) + size + (after?.size ?? 0),
      };
      gaps = [...gaps.filter((gap) => gap !== before && gap !== after), joined];
    },
    end: () => end,
  };
};
