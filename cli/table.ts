/** `immersion table`: the comparison of the paper's table 1 on any data set, as a sweep of trials and their aggregation. */
import { elementAt } from '../dsl/lookup.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Either, isLeft, isRight, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../dsl/index.js';
import { readFigureName } from '../evaluation/index.js';
import { isPicture, mosaicUri } from '../evaluation/picture.js';
import {
  type Plan,
  planTable,
  type RowPictures,
  type Table,
  type TableFacts,
  tableMarkdown,
  tableOf,
  tablePage,
  type TablePictures,
} from '../studies/paper/index.js';
import { decodeSafetensors } from '../backends/safetensors.js';
import { type Provenance, trialFiles } from '../runs/index.js';
import { writeWhole } from '../runs/records/whole-file.js';
import { type Option, readArguments, wantsJson } from './options/arguments.js';
import { fail, printText, printJson, say } from './terminal/output.js';
import { clusterOptionNames } from './options/cluster-options.js';
import { tableOptions, tableRequestOf } from './options/table-options.js';
import { runOptions } from './train.js';
import { type Performed, performTrials, requestOf, sayFailures, trialsOptions } from './running/trials.js';
import { shellWord } from '../dsl/printing/shell.js';
import { usage } from './options/usage.js';

const options: readonly Option[] = [
  ...tableOptions,
  ...runOptions.filter(({ name }) => name === 'backend' || name === 'device'),
  ...trialsOptions,
];

type Checked<A> = Either<readonly Problem[], A>;

const PICTURES_ACROSS = 8;

/** The same command for anybody: without where its files are and how many trials run at once. */
const commandOf = (args: readonly string[]): string => {
  const withValue = ['out', 'jobs', 'checkpoints', ...clusterOptionNames].map((name) => `--${name}`);
  const local = ['--json', '--retry', ...withValue];
  const kept = args.filter(
    (word, i) => !local.includes(word.replace(/=.*$/s, '')) && !withValue.includes(args[i - 1] ?? ''),
  );
  return ['immersion table', ...kept.map(shellWord)].join(' ');
};

const labelOf = ({ row, trial }: Plan['trials'][number]): string =>
  [
    row,
    ...Object.entries(trial.settings).map(([name, value]) => `${name}=${value}`),
    `seed=${trial.seed}`,
  ].join(' ');

const resultsOf = (trials: readonly Performed[]) =>
  trials.flatMap(({ outcome }) => (outcome !== undefined && isRight(outcome) ? [outcome.right] : []));

const eachOnce = (words: readonly string[], between = ', '): string => [...new Set(words)].join(between);

/** Of trials that were run at different times or places, all that there are. */
const provenanceOf = (all: readonly Provenance[]): Provenance => {
  const dates = all.map(({ date }) => date).sort();
  const names = [...new Set(all.flatMap(({ versions }) => Object.keys(versions)))];
  return {
    date: eachOnce([...dates.slice(0, 1), ...dates.slice(-1)], ' to '),
    processor: eachOnce(all.map(({ processor }) => processor)),
    versions: Object.fromEntries(
      names.map((name) => [name, eachOnce(all.flatMap(({ versions }) => versions[name] ?? []))]),
    ),
  };
};

const factsOf = (plan: Plan, trials: readonly Performed[], args: readonly string[]): TableFacts => {
  const results = resultsOf(trials);
  return {
    ...plan.facts,
    ...provenanceOf(results.map(({ provenance }) => provenance)),
    command: commandOf(args),
    backend: eachOnce(results.map(({ backend }) => backend)),
    trainingSeconds: results.reduce((total, { seconds }) => total + seconds, 0),
  };
};

/** What samples of a mixture were scored by, in the order of the trial that was measured first. */
const scoresOf = (trials: readonly Performed[]): readonly string[] =>
  Object.keys(resultsOf(trials).at(0)?.measures ?? {}).flatMap((name) => {
    const { part, of, score } = readFigureName(name) ?? {};
    return part === 'test' && of === 'mixture' && score !== undefined ? [score] : [];
  });

/** The pictures of a trial as mosaics by name; none where its arrays cannot be read. */
const mosaicsOf = (folder: string): Readonly<Record<string, string>> => {
  const path = join(folder, trialFiles.arrays);
  try {
    const arrays = decodeSafetensors(path, readFileSync(path));
    return isLeft(arrays)
      ? {}
      : Object.fromEntries(
          [...arrays.right].map(([name, { shape, data }]) => [
            name,
            mosaicUri(data, shape.slice(1), PICTURES_ACROSS),
          ]),
        );
  } catch {
    return {};
  }
};

/** Of the first seed of each chosen configuration. */
const picturesOf = ({ rows, facts }: Table): TablePictures | undefined => {
  if (!isPicture(facts.shape)) return undefined;
  const all = rows.flatMap(({ name, chosen }) =>
    chosen === undefined ? [] : [{ name, mosaics: mosaicsOf(elementAt(chosen.folders, 0)) }],
  );
  const pictures = all.flatMap(
    ({ name, mosaics: { mixture, gaussian, reconstructions } }): readonly RowPictures[] =>
      mixture !== undefined && gaussian !== undefined && reconstructions !== undefined
        ? [{ row: name, mixture, gaussian, reconstructions }]
        : [],
  );
  const originals = all.flatMap(({ mosaics }) => mosaics['originals'] ?? []).at(0);
  return originals === undefined ? undefined : { originals, rows: pictures };
};

const writeFiles = (folder: string, table: Table): Checked<Readonly<Record<string, string>>> => {
  const contents = [
    ['markdown', 'table.md', tableMarkdown(table)],
    ['json', 'table.json', `${JSON.stringify(table, null, 2)}\n`],
    ['page', 'table.html', tablePage(table, picturesOf(table))],
  ] as const;
  const written = contents.map(([kind, name, text]) => ({
    kind,
    path: writeWhole(join(folder, name), text),
  }));
  const problems = written.flatMap(({ path }) => (isLeft(path) ? path.left : []));
  return problems.length > 0
    ? left(problems)
    : right(
        Object.fromEntries(written.flatMap(({ kind, path }) => (isLeft(path) ? [] : [[kind, path.right]]))),
      );
};

export const table = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, []);
  if (isLeft(given)) return fail(given.left, json);
  const asked = await tableRequestOf(given.right);
  if (isLeft(asked)) return fail(asked.left, json);
  const plan = await planTable(asked.right);
  if (isLeft(plan)) return fail(plan.left, json);
  const labelled = plan.right.trials.map((one) => ({ label: labelOf(one), trial: one.trial }));
  const name = `table-${plan.right.facts.data.replaceAll(/[^\w.-]+/g, '-')}`;
  const request = await requestOf(given.right, name, labelled);
  if (isLeft(request)) return fail(request.left, json);
  const performed = await performTrials(request.right);
  if (isLeft(performed)) return fail(performed.left, json);

  const { trials, interrupted } = performed.right;
  const { folder } = request.right;
  sayFailures(trials);
  if (interrupted) {
    say(`interrupted; the same command goes on in ${folder}`);
    if (json) printJson({ ok: false, interrupted, folder });
    return 130;
  }
  const scores = scoresOf(trials);
  if (scores.length === 0) {
    return fail([problem(folder, 'no trial that ended well', 'at least one', 'its log.txt says more')], json);
  }
  const rowed = trials.map((one, i) => ({
    row: elementAt(plan.right.trials, i).row,
    settings: one.trial.settings,
    seed: one.trial.seed,
    folder: one.folder,
    outcome: one.outcome,
  }));
  const made = tableOf(rowed, scores, factsOf(plan.right, trials, args));
  const files = writeFiles(folder, made);
  if (isLeft(files)) return fail(files.left, json);
  const ok = made.rows.every(({ chosen }) => chosen !== undefined);
  if (json) printJson({ ok, interrupted, folder, files: files.right, table: made });
  else printText(tableMarkdown(made).trimEnd());
  say(`the table is in ${folder}; open ${files.right['page']} in a browser`);
  return ok ? 0 : 1;
};

export const tableUsage = usage(
  'table',
  'Compares the eight models of Kumar, Poole and Murphy 2020 by their protocol on any data set. Trials that are done are not run again.',
  options,
);
