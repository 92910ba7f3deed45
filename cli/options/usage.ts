/** What a command is called with, as data: the words of `help` and what shells complete are made of it. */
import { helpOption, jsonOption, type Option } from './arguments.js';

export type Usage = {
  /** `train SPEC`. */
  readonly call: string;
  readonly sentence: string;
  readonly options: readonly Option[];
};

/** With the options that every command has. */
export const usage = (call: string, sentence: string, options: readonly Option[]): Usage => ({
  call,
  sentence,
  options: [...options, jsonOption, helpOption],
});

const optionText = ({ name, short, value }: Option): string =>
  `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;

/** The words of `help`. */
export const usageText = ({ call, sentence, options }: Usage): string => {
  const rows = options.map((option) => ({ left: optionText(option), summary: option.summary }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  return [
    `immersion ${call} [options]`,
    '',
    sentence,
    '',
    ...rows.map(({ left, summary }) => `  ${left.padEnd(width)}  ${summary}`),
  ].join('\n');
};
