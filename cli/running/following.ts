/** Whoever follows a run from the command line: its progress, its history, TensorBoard, and Ctrl-C. */
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { type Problem, showProblem } from '../../dsl/index.js';
import { shellPath } from '../../dsl/printing/shell.js';
import { openTensorBoard, type TensorBoard } from '../../evaluation/index.js';
import { createHistory, type Started, type TrainEvent } from '../../runs/index.js';
import { createProgress } from '../../runs/records/progress.js';
import { interruption } from '../terminal/interrupt.js';
import { say, screen } from '../terminal/output.js';

/** Lets progress, history and TensorBoard, where it is asked for, see a run, and Ctrl-C end it from its start on. */
export const following = ({ tensorboard = false }: { readonly tensorboard?: boolean } = {}) => {
  const history = createHistory();
  const interrupt = interruption();
  let progress: ReturnType<typeof createProgress> | undefined;
  let board: TensorBoard | undefined;
  /** Training is worth more than a second record of it. */
  const withoutBoard = (problems: readonly Problem[]): void => {
    say(`nothing more for TensorBoard: ${problems.map(showProblem).join('; ')}`);
    board?.close();
    board = undefined;
  };
  return {
    history,
    signal: interrupt.signal,
    onStart: async ({ prepared, folder }: Started): Promise<void> => {
      interrupt.listen();
      say(`backend ${prepared.backend.description}`);
      progress = createProgress(screen(), prepared.experiment, prepared.settledAt);
      if (!tensorboard || folder === undefined) return;
      const opened = openTensorBoard(folder, prepared, prepared.session.taken());
      if (isLeft(opened)) return withoutBoard(opened.left);
      board = opened.right;
      say(`TensorBoard: tensorboard --logdir ${shellPath(join(folder, 'tensorboard'))}`);
    },
    onProgress: (line: string): void => (progress === undefined ? say(line) : progress.line(line)),
    onEvent: async (event: TrainEvent): Promise<void> => {
      history.add(event);
      progress?.onEvent(event);
      const written = await board?.onEvent(event);
      if (written !== undefined && isLeft(written)) withoutBoard(written.left);
    },
    stop: (): void => {
      interrupt.stop();
      progress?.end();
      board?.close();
      board = undefined;
    },
  };
};
