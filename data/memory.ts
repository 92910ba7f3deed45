/** What may be brought into memory, checked against what is free before anything is allocated. */
import { constants } from 'node:buffer';
import { bytesText } from '../dsl/bytes.js';
import { type Problem, problem } from '../dsl/problem.js';

/** Of the free memory, the part that data may take: training needs some as well. */
const PART = 0.8;

/** Bytes that may be brought into memory now. */
export const freeMemory = (): number => PART * process.availableMemory();

/** Why so many bytes are too many; `what` says what they would be. */
export const memoryProblem = (
  path: string,
  bytes: number,
  what: string,
  { limit = freeMemory(), hint }: { readonly limit?: number | undefined; readonly hint?: string } = {},
): Problem | undefined =>
  bytes <= limit
    ? undefined
    : problem(
        path,
        `${what}: ${bytesText(bytes)}`,
        `at most ${bytesText(Math.floor(limit))}, which are free`,
        hint,
      );

/** Bytes that one array may have. */
export const MOST_IN_ARRAY = constants.MAX_LENGTH;
