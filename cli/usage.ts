/** The words that `help` prints for a command. */
import { helpOption, jsonOption, type Option } from './arguments.js';

export const usage = (call: string, sentence: string, options: readonly Option[]): string => {
  const rows = [...options, jsonOption, helpOption].map(({ name, value, summary }) => ({
    left: `--${name}${value === undefined ? '' : ` ${value}`}`,
    summary,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  return [
    `immersion ${call} [options]`,
    '',
    sentence,
    '',
    ...rows.map(({ left, summary }) => `  ${left.padEnd(width)}  ${summary}`),
  ].join('\n');
};
