/** `immersion runs`: lists the runs below folders, or compares two and more: what differs in their settings, and what they came to. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { comparisonOf, comparisonPage } from '../evaluation/index.js';
import { readRun, type RunNote } from '../runs/index.js';
import { duration, short } from '../runs/records/progress.js';
import { writeWhole } from '../runs/records/whole-file.js';
import { dirname } from 'node:path';
import { writableFolder } from '../backends/places.js';
import { type Option, readArguments, wantsJson } from './options/arguments.js';
import { type ListedRun, listRuns, runFoldersIn } from './running/list-runs.js';
import { fail, printJson, printText, say } from './terminal/output.js';
import { aligned } from './terminal/width.js';
import { usage } from './options/usage.js';

const options: readonly Option[] = [
  { name: 'page', value: 'FILE', summary: 'writes a page with the curves of the runs that are compared' },
];

const figure = (value: number | null): string => (value === null ? '' : short(value));

const listText = (runs: readonly ListedRun[]): string =>
  aligned(
    [
      ['run', 'state', 'data', 'steps', 'time', 'loss', 'validation', 'best', 'at step'],
      ...runs.map(({ folder, state, data, steps, of, seconds, loss, validation, best }) => [
        folder,
        state,
        data,
        `${steps}/${of}`,
        duration(seconds),
        figure(loss),
        figure(validation),
        figure(best?.loss ?? null),
        best === null ? '' : String(best.step),
      ]),
    ],
    { isRight: (i) => i >= 3 },
  ).join('\n');

const list = async (folders: readonly string[], json: boolean): Promise<number> => {
  const runs = await listRuns(folders);
  if (json) printJson({ ok: true, runs });
  else if (runs.length > 0) printText(listText(runs), 'strong');
  else say(`no runs in ${folders.join(', ')}`);
  return 0;
};

const compare = async (
  notes: readonly RunNote[],
  page: string | undefined,
  json: boolean,
): Promise<number> => {
  if (page !== undefined) {
    const place = writableFolder(dirname(page));
    if (isLeft(place)) return fail(place.left, json);
  }
  const comparison = await comparisonOf(notes);
  if (page !== undefined) {
    const written = writeWhole(page, comparisonPage(comparison));
    if (isLeft(written)) return fail(written.left, json);
  }
  const { names, differences, figures } = comparison;
  if (json) {
    printJson({
      ok: true,
      runs: notes.map(({ folder }) => folder),
      differences,
      figures,
      page: page ?? null,
    });
    return 0;
  }
  const compared = (heading: string, rows: readonly (readonly [string, readonly string[]])[]): string =>
    aligned([[heading, ...names], ...rows.map(([name, cells]) => [name, ...cells])], {
      isRight: (i) => i > 0,
    }).join('\n');
  printText(
    differences.length === 0
      ? 'no setting differs'
      : compared(
          'settings that differ',
          differences.map(({ name, values }) => [name, values]),
        ),
    'strong',
  );
  printText('');
  printText(
    compared(
      'figures',
      figures.map(({ name, values }) => [name, values.map((value) => figure(value))]),
    ),
    'strong',
  );
  if (page !== undefined) say(`open ${page} in a browser`);
  return 0;
};

export const runs = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['[RUN…]']);
  if (isLeft(given)) return fail(given.left, json);
  const folders = given.right.positionals.length > 0 ? given.right.positionals : ['outputs'];
  const areRuns = folders.every((folder) => runFoldersIn(folder, 0).length > 0);
  if (!areRuns || folders.length < 2) return list(folders, json);
  const notes = folders.map((folder) => readRun(folder));
  const problems = notes.flatMap((note) => (isLeft(note) ? note.left : []));
  if (problems.length > 0) return fail(problems, json);
  return compare(
    notes.flatMap((note) => (isLeft(note) ? [] : [note.right])),
    given.right.last('page'),
    json,
  );
};

export const runsUsage = usage(
  'runs [RUN…]',
  'Lists the runs below folders (outputs/), trials of sweeps among them; two and more runs are compared.',
  options,
);
