/** Where checkpoints go while a run trains: into its folder beside the next steps, or, without a folder, no further than memory. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { problem, type Problem } from '../../dsl/index.js';
import { BackendFailure } from '../../backends/failure.js';
import { type Checkpoint, checkpointPath, checkpointSteps, readCheckpoint } from './checkpoint.js';
import type { Keeper } from './keeper.js';
import type { Shelf } from './loop.js';

export type Kept = Shelf & {
  /** Waits for what is being written. */
  readonly settled: () => Promise<void>;
  /** The checkpoint of a step. */
  readonly at: (step: number) => Promise<Checkpoint | undefined>;
};

const failed = (problems: readonly Problem[]): BackendFailure =>
  new BackendFailure(problems[0] ?? problem('checkpoint', 'nothing', 'a checkpoint'));

/** One at a time: a disk that cannot keep up slows training down, and holds no second copy of the state. */
export const shelfIn = (folder: string, keeper: Keeper): Kept => {
  let writing: Promise<void> = Promise.resolve();
  const read = async (step: number | undefined): Promise<Checkpoint | undefined> => {
    await writing;
    if (step === undefined) return undefined;
    const found = readCheckpoint(checkpointPath(folder, step));
    if (isLeft(found)) throw failed(found.left);
    return found.right;
  };
  return {
    save: async (checkpoint) => {
      await writing;
      writing = keeper.save(checkpoint).then((written) => {
        if (isLeft(written)) throw failed(written.left);
      });
      // What went wrong is told at the next checkpoint, or at the end.
      writing.catch(() => undefined);
    },
    recorded: keeper.record.length,
    last: async () => {
      await writing;
      return read(checkpointSteps(folder).at(-1));
    },
    settled: () => writing,
    at: read,
  };
};

/** The last checkpoint, and that of the best validation. */
export const shelfInMemory = (): Kept => {
  let last: Checkpoint | undefined;
  let best: Checkpoint | undefined;
  return {
    save: async (checkpoint) => {
      last = checkpoint;
      if (checkpoint.loop.best?.step === checkpoint.state.step) best = checkpoint;
    },
    recorded: () => 0,
    last: async () => last,
    settled: async () => undefined,
    at: async (step) => [best, last].find((one) => one?.state.step === step),
  };
};
