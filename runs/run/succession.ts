/** The backends of a run: the one that it begins on and, where none was named, those that it goes on with when one fails. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Compiled } from '../../compiler/index.js';
import type { Problem } from '../../dsl/index.js';
import type { Backend } from '../../backends/backend.js';
import { memoryProblems } from '../../backends/memory.js';
import { startBackend } from '../../backends/choose.js';
import { patiently } from '../../backends/patience.js';

type Checked<A> = Either<readonly Problem[], A>;

/** How to start a backend for what was compiled; `failed` are those that it was given before and that failed. */
export type StartBackend = (compiled: Compiled, failed: readonly string[]) => Promise<Checked<Backend>>;

export type BackendChoice = {
  /** One that runs, how to start one for what was compiled, or a name: `auto`, the default, for the best that loads. */
  readonly backend?: Backend | StartBackend | string | undefined;
  /** `cpu` keeps a backend that is started here off a GPU. */
  readonly device?: string | undefined;
};

/** The choice where a run has one already: the backend that it was on first, and whatever `auto` takes where that fails. */
export const autoFrom =
  (first: string | undefined, device: string | undefined): StartBackend =>
  (compiled, failed) =>
    startBackend('auto', {
      device,
      work: { program: compiled.step, steps: compiled.experiment.steps },
      first,
      without: failed,
    });

/** Whether a run goes on with another backend where its own fails. One that was named is what is wanted, however long it takes to get it back. */
export const isOpenEnded = ({ backend = 'auto' }: BackendChoice): boolean =>
  typeof backend === 'function' || backend === 'auto';

export type Succession = {
  readonly first: () => Promise<Checked<Backend>>;
  /** After one that failed; undefined where there is none. */
  readonly next: (failed: string) => Promise<Backend | undefined>;
};

/** `onProgress` sees a line where a start takes long. */
export const successionOf = (
  compiled: Compiled,
  choice: BackendChoice,
  onProgress?: (line: string) => void,
): Succession => {
  const { backend = 'auto', device } = choice;
  const failed: string[] = [];
  const start = async (): Promise<Checked<Backend>> => {
    if (typeof backend === 'function') return backend(compiled, failed);
    if (backend === 'auto') return autoFrom(undefined, device)(compiled, failed);
    return typeof backend === 'string' ? startBackend(backend, { device }) : right(backend);
  };
  const fitting = async (): Promise<Checked<Backend>> => {
    const started = await patiently(start, () => onProgress?.('a backend is made ready'));
    if (isLeft(started)) return started;
    // TensorFlow's own allocator says what it cannot hold, and may hold it on a GPU.
    const tight = memoryProblems(compiled, { isOnHost: started.right.name !== 'native' });
    return tight.length > 0 ? left(tight) : started;
  };
  return {
    first: fitting,
    next: async (name) => {
      if (!isOpenEnded(choice)) return undefined;
      failed.push(name);
      const found = await fitting();
      return isLeft(found) || failed.includes(found.right.name) ? undefined : found.right;
    },
  };
};
