/** What may be asked of opening data besides what its reference says. */
import type { Preprocessing } from './preprocessing/preprocessing.js';

export type OpenOptions = {
  /** One that was fitted before: rows become the examples that a model was trained on, and nothing is held out unless asked. */
  readonly preprocessing?: Preprocessing;
  /** Holds test examples out as of new data, also where a preprocessing is given. */
  readonly holdOut?: boolean;
  /** Bytes that may be brought into memory; most of what is free unless given. */
  readonly memory?: number;
  /** Only to look at: missing values are read as NaN, even where they are refused. */
  readonly look?: boolean;
  /** All of it is read next, and looked through as it comes. */
  readonly isLoaded?: boolean;
  /** Sees a line now and then while a pass takes long. */
  readonly onProgress?: (line: string) => void;
};
