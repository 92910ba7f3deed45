/** `immersion completion SHELL`: a script by which bash, zsh or fish complete commands, options, files and the values of some options. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { didYouMean, problem } from '../dsl/problem.js';
import { type Option, readArguments, wantsJson } from './options/arguments.js';
import { fail, printJson, printText } from './terminal/output.js';
import { type Usage, usage } from './options/usage.js';

/** What is completed: each command with its words. */
export type Completed = Readonly<Record<string, { readonly summary: string; readonly usage: Usage }>>;

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** Inside single quotes of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const flagsOf = ({ options }: Usage): readonly string[] =>
  options.flatMap(({ name, short }) => [...(short === undefined ? [] : [`-${short}`]), `--${name}`]);

const bash = (commands: Completed): string =>
  [
    '# immersion completion bash: source it, or put it into ~/.local/share/bash-completion/completions/immersion',
    '_immersion() {',
    '  local word="${COMP_WORDS[COMP_CWORD]}" words=""',
    `  if [ "$COMP_CWORD" -eq 1 ]; then words=${quoted(Object.keys(commands).join(' '))}`,
    '  else',
    '    case "${COMP_WORDS[1]}" in',
    ...Object.entries(commands).map(
      ([name, { usage: of }]) => `      ${name}) words=${quoted(wordsAfter(name, of, commands))} ;;`,
    ),
    '    esac',
    '  fi',
    '  case "$word" in',
    '    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;',
    '    *)',
    '      COMPREPLY=($(compgen -W "$(printf "%s\\n" $words | grep -v "^-")" -- "$word"))',
    '      if [ "$COMP_CWORD" -gt 1 ]; then COMPREPLY+=($(compgen -f -- "$word")); fi ;;',
    '  esac',
    '}',
    'complete -o filenames -F _immersion immersion',
  ].join('\n');

/** Options; after `help` commands, after `completion` shells. */
const wordsAfter = (name: string, of: Usage, commands: Completed): string =>
  [...(name === 'help' ? Object.keys(commands) : name === 'completion' ? shells : []), ...flagsOf(of)].join(
    ' ',
  );

/** A colon parts a word from its description. */
const described = (word: string, summary: string): string =>
  quoted(`${word.replaceAll(':', '\\:')}:${summary}`);

const zshOption = ({ name, short, value, summary }: Option): string => {
  const text = summary.replaceAll(/[[\]:]/g, (c) => `\\${c}`);
  const argument = value === undefined ? '' : `:${value.replaceAll(/[[\]:]/g, (c) => `\\${c}`)}:_files`;
  const long = quoted(`*--${name}${value === undefined ? '' : '='}[${text}]${argument}`);
  return short === undefined ? long : `${long} ${quoted(`*-${short}[${text}]${argument}`)}`;
};

const zsh = (commands: Completed): string =>
  [
    '#compdef immersion',
    '# immersion completion zsh: put it into a folder of $fpath as _immersion',
    '_immersion() {',
    '  local -a commands',
    '  commands=(',
    ...Object.entries(commands).map(([name, { summary }]) => `    ${described(name, summary)}`),
    '  )',
    '  if (( CURRENT == 2 )); then _describe command commands; return; fi',
    '  local command="${words[2]}"',
    '  shift words; (( CURRENT-- ))',
    '  case "$command" in',
    ...Object.entries(commands).map(([name, { usage: of }]) => {
      const word =
        name === 'help'
          ? quoted(`*:command:(${Object.keys(commands).join(' ')})`)
          : name === 'completion'
            ? quoted(`*:shell:(${shells.join(' ')})`)
            : quoted('*:file:_files');
      return `    ${name}) _arguments ${[...of.options.map(zshOption), word].join(' ')} ;;`;
    }),
    '  esac',
    '}',
    'if [ "$funcstack[1]" = "_immersion" ]; then _immersion "$@"; else compdef _immersion immersion; fi',
  ].join('\n');

const fish = (commands: Completed): string =>
  [
    '# immersion completion fish: put it into ~/.config/fish/completions/immersion.fish',
    ...Object.entries(commands).map(
      ([name, { summary }]) =>
        `complete -c immersion -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ),
    ...Object.entries(commands).flatMap(([name, { usage: of }]) => [
      ...of.options.map(
        ({ name: option, short, value, summary }) =>
          `complete -c immersion -n '__fish_seen_subcommand_from ${name}' -l ${option}${short === undefined ? '' : ` -s ${short}`}${value === undefined ? '' : ' -r'} -d ${quoted(summary)}`,
      ),
      ...(name === 'help' || name === 'completion'
        ? [
            `complete -c immersion -n '__fish_seen_subcommand_from ${name}' -f -a ${quoted((name === 'help' ? Object.keys(commands) : shells).join(' '))}`,
          ]
        : []),
    ]),
  ].join('\n');

const scripts: Readonly<Record<Shell, (commands: Completed) => string>> = { bash, zsh, fish };

/** The command over all commands, itself among them. */
export const completion =
  (commands: () => Promise<Completed>) =>
  async (args: readonly string[]): Promise<number> => {
    const json = wantsJson(args);
    const given = readArguments(args, [], ['SHELL']);
    if (isLeft(given)) return fail(given.left, json);
    const [asked = ''] = given.right.positionals;
    const shell = shells.find((one) => one === asked);
    if (shell === undefined) {
      const wrong = problem(
        'SHELL',
        JSON.stringify(asked),
        `one of ${shells.join(', ')}`,
        didYouMean(asked, shells),
      );
      return fail([wrong], json);
    }
    const script = scripts[shell](await commands());
    if (json) printJson({ ok: true, script });
    else printText(script);
    return 0;
  };

export const completionUsage = usage(
  'completion SHELL',
  'Prints a script that completes commands, options and files in bash, zsh or fish: source <(immersion completion bash).',
  [],
);
