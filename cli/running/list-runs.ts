/** The runs below a folder, a line for each: what it is, how far it came and how well. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import {
  type Evaluated,
  eventsOf,
  figureOf,
  fileNames,
  isStep,
  isValidation,
  readRun,
  type RunNote,
} from '../../runs/index.js';

export type ListedRun = {
  readonly folder: string;
  readonly name: string;
  readonly data: string;
  readonly state: 'running' | 'ended' | 'interrupted';
  /** Taken and asked for. */
  readonly steps: number;
  readonly of: number;
  readonly seconds: number;
  readonly loss: number | null;
  /** Of the last validation and of the best one; where weights are schedules, with those of the last step. */
  readonly validation: number | null;
  readonly best: { readonly step: number; readonly loss: number } | null;
  readonly started: string | null;
};

const subfolders = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(folder, name))
      .sort();
  } catch {
    return [];
  }
};

const hasFile = (folder: string, name: string): boolean =>
  statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true;

/** A specification beside what came of it; alone it is a file of a user's. */
const isRun = (folder: string): boolean =>
  hasFile(folder, fileNames.spec) &&
  [fileNames.settings, fileNames.weights].some((name) => hasFile(folder, name));

const DEPTH = 3;

/** Folders of runs at or below a folder: of a sweep those of its trials. */
export const runFoldersIn = (folder: string, depth = DEPTH): readonly string[] =>
  isRun(folder)
    ? [folder]
    : depth === 0
      ? []
      : subfolders(folder).flatMap((below) => runFoldersIn(below, depth - 1));

const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;

const lastOf = (validations: readonly Evaluated[]): number | undefined => {
  const last = validations.at(-1);
  return last && figureOf(last, 'loss');
};

export const listedOf = async (note: RunNote): Promise<ListedRun> => {
  const { folder, experiment, settings, holder } = note;
  const events = await eventsOf(folder);
  const last = events.filter(isStep).at(-1);
  const validations = events.filter(isValidation);
  const best = validations.reduce<(typeof validations)[number] | undefined>(
    (least, one) => (least === undefined || figureOf(one, 'loss') < figureOf(least, 'loss') ? one : least),
    undefined,
  );
  const steps = last === undefined ? 0 : last.step + 1;
  const hasEnded = events.some(({ tag }) => tag === 'test') || steps >= experiment.steps;
  return {
    folder,
    name: settings?.name ?? folder,
    data: experiment.data,
    state: holder !== undefined ? 'running' : hasEnded ? 'ended' : 'interrupted',
    steps,
    of: experiment.steps,
    seconds: last?.seconds ?? 0,
    loss: finite(last?.loss),
    validation: finite(lastOf(validations)),
    best: best === undefined ? null : { step: best.step, loss: figureOf(best, 'loss') },
    started: settings?.started ?? null,
  };
};

/** All runs below some folders; a folder whose files are broken is left out. */
export const listRuns = async (folders: readonly string[]): Promise<readonly ListedRun[]> => {
  const listed: ListedRun[] = [];
  for (const folder of folders.flatMap((one) => runFoldersIn(one))) {
    const note = readRun(folder);
    if (!isLeft(note)) listed.push(await listedOf(note.right));
  }
  return listed;
};
