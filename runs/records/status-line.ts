/** A line that is kept in place on a terminal, with other lines above it; elsewhere there are lines alone. */
import { visible } from '../../dsl/printing/visible.js';

/** What lines are written to; `process.stderr` is one. */
export type Screen = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly write: (text: string) => unknown;
};

export type StatusLine = {
  /** Whether the line can be kept in place. */
  readonly inPlace: boolean;
  /** Writes a line that stays. */
  readonly line: (text: string) => void;
  /** Redraws the line that is kept in place, cut to the width of the screen. */
  readonly draw: (text: string) => void;
  /** Leaves the line that was kept in place; tells whether there was one. */
  readonly end: () => boolean;
};

const START = '\r\x1b[K';

export const createStatusLine = (screen: Screen): StatusLine => {
  let kept = false;
  return {
    inPlace: screen.isTTY === true,
    line: (text) => {
      screen.write(`${kept ? START : ''}${visible(text)}\n`);
      kept = false;
    },
    draw: (text) => {
      screen.write(`${START}${visible(text).slice(0, Math.max(20, (screen.columns || 80) - 1))}`);
      kept = true;
    },
    end: () => {
      const was = kept;
      if (was) screen.write('\n');
      kept = false;
      return was;
    },
  };
};
