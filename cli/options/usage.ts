/** What a command is called with, as data: the words of `help` and what shells complete are made of it. */
import { USUAL_COLUMNS, wrapped } from '../terminal/width.js';
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

/** The part of a line that names may take; what a longer one means stands below it. */
const NAMES = 1 / 3;
const GAP = 2;

/** The words of `help`, for a terminal of so many columns. */
export const usageText = ({ call, sentence, options }: Usage, columns = USUAL_COLUMNS): string => {
  const rows = options.map((option) => ({ name: optionText(option), summary: option.summary }));
  const most = Math.floor(columns * NAMES);
  const names = Math.max(...rows.map(({ name }) => name.length).filter((length) => length <= most));
  const beside = GAP + names + GAP;
  return [
    `immersion ${call} [options]`,
    '',
    ...wrapped(sentence, columns),
    '',
    ...rows.flatMap(({ name, summary }) => {
      const lines = wrapped(summary, columns - beside).map((line) => `${' '.repeat(beside)}${line}`);
      const left = `${' '.repeat(GAP)}${name}`;
      const [first = '', ...others] = lines;
      return name.length > names ? [left, ...lines] : [`${left}${first.slice(left.length)}`, ...others];
    }),
  ].join('\n');
};
