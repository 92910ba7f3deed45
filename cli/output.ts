/** Where a command's words go: results to stdout, everything else to stderr. */
import { type Problem, showProblem } from '../dsl/index.js';

/** A line for people. */
export const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ');

/** The one machine-readable result of `--json`. */
export const printJson = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

/** One line for each problem, and with `--json` the same as data; answers with the exit code. */
export const fail = (problems: readonly Problem[], json: boolean): number => {
  if (json) printJson({ ok: false, problems });
  problems.map(showProblem).map(oneLine).forEach(say);
  return 1;
};
