/** The report page of a run that was opened: from its record, and from what it kept of its data unless data is given. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Dataset, Source, Split } from '../data/index.js';
import { type OpenedRun, versions } from '../runs/index.js';
import type { ShownPrior } from './gallery/gallery.js';
import { priorKinds } from './priors/kinds.js';
import { priorOfRun, trainedPriorsOf } from './priors/of-run.js';
import { type Facts, reportPage } from './report.js';

/** The examples that a run has kept, as a data set. */
export const keptSplit = ({ kept: { examples } }: OpenedRun): Split => {
  const [size = 0, ...shape] = examples.shape;
  const set: Dataset = { name: 'kept examples', shape, size, examples: examples.data };
  return { train: set, test: set };
};

/** The trained priors that a run has. */
const keptPriors = async (run: OpenedRun): Promise<readonly ShownPrior[]> => {
  const shown: ShownPrior[] = [];
  for (const name of trainedPriorsOf(run)) {
    const prior = await priorOfRun(run, name);
    if (!isLeft(prior)) shown.push({ ...prior.right, label: priorKinds[name].label({ components: 0 }) });
  }
  return shown;
};

/** One self-contained HTML text; `facts` are what was found besides, such as the decoder's geometry. */
export const reportRun = async (
  run: OpenedRun,
  { data = keptSplit(run), ...facts }: Partial<Facts> & { readonly data?: Split<Source> } = {},
): Promise<string> => {
  const { settings, folder } = run.note;
  const priors = facts.priors ?? (await keptPriors(run));
  return reportPage(run, data, await run.events(), {
    name: settings?.name ?? folder,
    seed: settings?.seed ?? 0,
    backend: run.backend.name,
    versions: versions(),
    kept: run.kept,
    settledAt: run.loop.settledAt,
    ...facts,
    priors,
  });
};
