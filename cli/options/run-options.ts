/** The options that say which weights of a run are used and on what, and opening the run. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { openData, type Source, type Split } from '../../data/index.js';
import { type Problem, problem } from '../../dsl/index.js';
import {
  type At,
  backendNames,
  openRun,
  type OpenedRun,
  type Precision,
  type RunNote,
} from '../../runs/index.js';
import type { Arguments, Option } from './arguments.js';
import { say } from '../terminal/output.js';

type Checked<A> = Either<readonly Problem[], A>;

export const backendOptions: readonly Option[] = [
  {
    name: 'backend',
    value: 'NAME',
    summary: `${backendNames.join(', ')}, or auto for the one expected to end first (auto)`,
  },
  { name: 'device', value: 'NAME', summary: 'cpu keeps native off a GPU (auto)' },
];

export const openOptions: readonly Option[] = [
  {
    name: 'at',
    value: 'WHICH',
    summary: 'which weights: model, those that the run leaves, last, best, or those of a step (model)',
  },
  ...backendOptions,
];

export const unitsOption: Option = {
  name: 'units',
  value: 'WHICH',
  summary: "data: the data's own; model: what training saw (data)",
};

export const precisionOption: Option = {
  name: 'precision',
  value: 'WHICH',
  summary: 'single, or double: computed on the host without a backend, and slower (single)',
};

export const precisionOf = (given: Arguments): Checked<Precision> => {
  const text = given.last('precision') ?? 'single';
  return text === 'single' || text === 'double'
    ? right(text)
    : left([problem('--precision', JSON.stringify(text), 'single or double')]);
};

const names = ['model', 'last', 'best'] as const;

const atOf = (text: string | undefined): Checked<At> => {
  const name = names.find((one) => one === (text ?? 'model'));
  if (name !== undefined) return right(name);
  return /^\d+$/.test(text ?? '')
    ? right(Number(text))
    : left([problem('--at', JSON.stringify(text), `one of ${names.join(', ')}, or the number of a step`)]);
};

export const unitsOf = (given: Arguments): Checked<'data' | 'model'> => {
  const text = given.last('units') ?? 'data';
  return text === 'data' || text === 'model'
    ? right(text)
    : left([problem('--units', JSON.stringify(text), 'data or model')]);
};

/** The run of a folder with the weights that are asked for. */
export const openedRun = async (given: Arguments, folder: string): Promise<Checked<OpenedRun>> => {
  const at = atOf(given.last('at'));
  if (isLeft(at)) return at;
  const opened = await openRun(folder, {
    at: at.right,
    backend: given.last('backend'),
    device: given.last('device'),
    onProgress: say,
  });
  if (!isLeft(opened) && opened.right.broken !== undefined) say(opened.right.broken);
  return opened;
};

/** New data, made into examples as the run's own was; nothing of it is held out unless its reference asks for it. */
export const newData = (
  reference: string,
  { preprocessing }: Pick<OpenedRun, 'preprocessing'>,
): Promise<Checked<Split<Source>>> =>
  openData(reference, process.cwd(), {
    onProgress: say,
    ...(preprocessing === undefined ? {} : { preprocessing }),
  })();

/** The data that a run was trained on, where it still is. */
export const ownData = async ({
  folder,
  settings,
  preprocessing,
}: RunNote): Promise<Checked<Split<Source>>> => {
  if (settings?.data.root === undefined)
    return left([problem(folder, 'no place of its data', 'data that is named', 'name some with --data')]);
  const { reference, root, fitted } = settings.data;
  const by = fitted && preprocessing !== undefined ? { preprocessing, holdOut: true } : {};
  return openData(reference, root, { onProgress: say, ...by })();
};
