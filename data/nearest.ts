/** The known name that fewest single-letter edits turn a misspelt one into (Levenshtein distance). */

const distance = (a: string, b: string): number =>
  [...a].reduce<readonly number[]>(
    (above, letter, i) =>
      [...b].reduce<readonly number[]>(
        (row, other, j) => [
          ...row,
          Math.min(above[j + 1] + 1, row[j] + 1, above[j] + (letter === other ? 0 : 1)),
        ],
        [i + 1],
      ),
    Array.from({ length: [...b].length + 1 }, (_, j) => j),
  )[[...b].length];

/** None where even the nearest is more than half of its own letters away. */
export const nearest = (name: string, known: readonly string[]): string | undefined =>
  known
    .filter((candidate) => Math.abs(candidate.length - name.length) <= candidate.length / 2)
    .map((candidate) => ({ candidate, edits: distance(name.toLowerCase(), candidate) }))
    .filter(({ candidate, edits }) => edits <= candidate.length / 2)
    .sort((a, b) => a.edits - b.edits)
    .at(0)?.candidate;
