/** Where a command's words go: results to stdout, everything else to stderr. Nothing else here writes to either, and no name in a text steers a terminal. */
import { type Problem, showProblem } from '../../dsl/index.js';
import { visible } from '../../dsl/printing/visible.js';
import type { Screen } from '../../runs/records/status-line.js';

/** Whether what goes to a stream may have colours: a terminal, and nobody said NO_COLOR (no-color.org). */
const isColoured = (stream: { readonly isTTY?: boolean }): boolean =>
  stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';

const styles = { strong: [1, 22], faint: [2, 22], red: [31, 39], green: [32, 39], blue: [34, 39] } as const;

export type Style = keyof typeof styles;

const styled = (stream: { readonly isTTY?: boolean }, text: string, style: Style | undefined): string => {
  if (style === undefined || !isColoured(stream)) return visible(text);
  const [on, off] = styles[style];
  return `\x1b[${on}m${visible(text)}\x1b[${off}m`;
};

/** A line for people. */
export const say = (line: string, style?: Style): void => {
  process.stderr.write(`${styled(process.stderr, line, style)}\n`);
};

/** A result for people: text on stdout, its first line in a style of its own where one is named. */
export const printText = (text: string, heading?: Style): void => {
  const end = text.indexOf('\n');
  const first = end < 0 ? text : text.slice(0, end);
  process.stdout.write(`${styled(process.stdout, first, heading)}${visible(text.slice(first.length))}\n`);
};

/** Lines of a table, which end with a line feed. */
export const printCsv = (text: string): void => {
  process.stdout.write(process.stdout.isTTY ? visible(text) : text);
};

/** Where progress is drawn. */
export const screen = (): Screen => process.stderr;

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ');

/** JSON writes most control characters out by itself; the rest are written the same way. */
const jsonText = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[\p{Cc}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The one machine-readable result of `--json`. */
export const printJson = (value: unknown): void => {
  process.stdout.write(`${jsonText(value)}\n`);
};

/** One line for each problem, and with `--json` the same as data; answers with the exit code. */
export const fail = (problems: readonly Problem[], json: boolean): number => {
  if (json) printJson({ ok: false, problems });
  problems
    .map(showProblem)
    .map(oneLine)
    .forEach((line) => say(line, 'red'));
  return 1;
};
