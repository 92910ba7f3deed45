/** `immersion report RUN`: writes the report page of a run, from its record and what it has kept where its data is gone. */
import { dirname, join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Source, Split } from '../data/index.js';
import { type Problem, problem, showProblem } from '../dsl/index.js';
import { baselineOf, keptSplit, reportRun } from '../evaluation/index.js';
import { writableFolder } from '../backends/places.js';
import { attempt } from '../backends/failure.js';
import { fileNames, type OpenedRun, readRun } from '../runs/index.js';
import { writeWhole } from '../runs/records/whole-file.js';
import { type Option, readArguments, wantsJson } from './options/arguments.js';
import { namedPrior, priorNameOf } from './options/code-priors.js';
import { findingsOf } from './running/findings.js';
import { fail, printJson, say } from './terminal/output.js';
import { newData, openedRun, openOptions, ownData } from './options/run-options.js';
import { usage } from './options/usage.js';

const options: readonly Option[] = [
  { name: 'baseline', value: 'RUN', summary: 'another run, to compare this one with' },
  {
    name: 'data',
    value: 'REF',
    summary: 'data to look at (that of the run, or the examples that it has kept)',
  },
  {
    name: 'prior',
    value: 'NAME',
    summary: 'trains a prior on the codes first, and shows its samples: flow or matching',
  },
  { name: 'out', value: 'FILE', summary: `the page (${fileNames.report} in the run folder)` },
  ...openOptions,
];

type Checked<A> = Either<readonly Problem[], A>;

const keptData = (run: OpenedRun): Checked<Split<Source>> =>
  run.kept.examples.data.length === 0
    ? left([problem(run.note.folder, 'no data and no examples', 'a run that ended', 'name data with --data')])
    : right(keptSplit(run));

/** What the page looks at: data that is named, the run's own, or what it has kept of that. */
const dataOf = async (reference: string | undefined, run: OpenedRun): Promise<Checked<Split<Source>>> => {
  if (reference !== undefined) return newData(reference, run);
  const own = await ownData(run.note);
  if (!isLeft(own)) return own;
  say(`${own.left.map(showProblem).join('; ')}: the examples that the run has kept are shown`);
  return keptData(run);
};

export const report = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['RUN']);
  if (isLeft(given)) return fail(given.left, json);
  const [folder = ''] = given.right.positionals;
  const path = given.right.last('out') ?? join(folder, fileNames.report);
  const name = priorNameOf(given.right);
  if (isLeft(name)) return fail(name.left, json);
  const other = given.right.last('baseline');
  const note = other === undefined ? undefined : readRun(other);
  if (note !== undefined && isLeft(note)) return fail(note.left, json);
  const run = await openedRun(given.right, folder);
  if (isLeft(run)) return fail(run.left, json);
  const model = run.right;
  try {
    const place = writableFolder(dirname(path));
    if (isLeft(place)) return fail(place.left, json);
    const data = await dataOf(given.right.last('data'), model);
    if (isLeft(data)) return fail(data.left, json);
    const prior = name.right === undefined ? undefined : await namedPrior(model, name.right);
    if (prior !== undefined && isLeft(prior)) return fail(prior.left, json);
    prior?.right.prior.dispose();
    const seed = model.note.settings?.seed ?? 0;
    const findings = await findingsOf(model, data.right, [], { seed, report: true });
    const baseline = note === undefined ? undefined : await baselineOf(model.note, note.right);
    const html = await attempt(() => reportRun(model, { ...findings, baseline, data: data.right }));
    if (isLeft(html)) return fail(html.left, json);
    const written = writeWhole(path, html.right);
    if (isLeft(written)) return fail(written.left, json);
    if (json) printJson({ ok: true, report: path });
    else say(`open ${path} in a browser`);
    return 0;
  } finally {
    model.dispose();
  }
};

export const reportUsage = usage(
  'report RUN',
  'Writes the report page of a run from its record; where its data is gone, from the examples and codes that it has kept.',
  options,
);
