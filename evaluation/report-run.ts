/** The report page of a run that was opened: from its record, and from what it kept of its data unless data is given. */
import type { Dataset, Source, Split } from '../data/index.js';
import { type OpenedRun, versions } from '../runs/index.js';
import { type Facts, reportPage } from './report.js';

/** The examples that a run has kept, as a data set. */
export const keptSplit = ({ kept: { examples } }: OpenedRun): Split => {
  const [size = 0, ...shape] = examples.shape;
  const set: Dataset = { name: 'kept examples', shape, size, examples: examples.data };
  return { train: set, test: set };
};

/** One self-contained HTML text; `facts` are what was found besides, such as the decoder's geometry. */
export const reportRun = async (
  run: OpenedRun,
  { data = keptSplit(run), ...facts }: Partial<Facts> & { readonly data?: Split<Source> } = {},
): Promise<string> => {
  const { settings, folder } = run.note;
  return reportPage(run, data, await run.events(), {
    name: settings?.name ?? folder,
    seed: settings?.seed ?? 0,
    backend: run.backend.name,
    versions: versions(),
    kept: run.kept,
    settledAt: run.loop.settledAt,
    ...facts,
  });
};
