/** How many trials there can be: each is held as JSON with a specification of its own. */
import { freeBytes } from '../../backends/memory.js';
import { bytesText } from '../../dsl/bytes.js';
import { type Problem, problem } from '../../dsl/index.js';

/** An object takes about so many times the bytes of its text. */
const PER_BYTE = 10;

/** More trials than there is memory for, as the problem of `path`; nothing is made yet. */
export const trialCountProblems = (
  path: string,
  count: number,
  spec: unknown,
  free = freeBytes(),
): readonly Problem[] => {
  const each = PER_BYTE * JSON.stringify(spec).length;
  const most = Math.floor(free / 2 / each);
  return count <= most
    ? []
    : [
        problem(
          path,
          `${count} trials of ${bytesText(each)}`,
          `at most ${most}, which this machine has memory for`,
        ),
      ];
};
