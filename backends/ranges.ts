/** Ranges of one array that are taken and given back: the smallest gap that is wide enough is used again first. */

/** Numbers in a line of the cache, at which every range begins. */
const line = 16;

export const inLines = (size: number): number => Math.ceil(Math.max(1, size) / line) * line;

type Gap = { readonly start: number; readonly size: number };

export type Ranges = {
  /** Where a range of so many numbers begins. */
  readonly take: (size: number) => number;
  readonly give: (start: number, size: number) => void;
  /** Where the last range that was ever taken ended. */
  readonly end: () => number;
};

export const createRanges = (): Ranges => {
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
