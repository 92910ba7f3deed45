/** Opening programs on a backend with what goes wrong later said by name: arrays of another size, and use after everything was given back. */
import type { Program } from '../compiler/ir/program.js';
import { type Problem, problem } from '../dsl/problem.js';
import type { Backend, Instance } from './backend.js';
import { BackendFailure } from './failure.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What programs hold and was not given, or in another size. */
const stateProblems = (
  programs: ReadonlyMap<string, Program>,
  initial: ReadonlyMap<string, Float32Array>,
): readonly Problem[] => {
  const held = [...programs.values()].flatMap(({ binders }) =>
    binders.filter(({ kind }) => kind === 'parameter' || kind === 'state'),
  );
  const shapes = new Map(held.map((binder) => [binder.name, binder.var.type.shape]));
  return [...shapes].flatMap(([name, shape]) => {
    const found = initial.get(name)?.length;
    if (found === sizeOf(shape)) return [];
    return [
      problem(
        `state of ${name}`,
        found === undefined ? 'nothing' : `${found} numbers`,
        `${sizeOf(shape)}, an array of shape [${shape.join(', ')}]`,
      ),
    ];
  });
};

/** As the backend opens them; rejects with a `BackendFailure` where the state does not fit, and on any use after `dispose`. */
export const openPrograms = async (
  backend: Pick<Backend, 'open'>,
  programs: ReadonlyMap<string, Program>,
  initial: ReadonlyMap<string, Float32Array>,
): Promise<Instance> => {
  const [wrong] = stateProblems(programs, initial);
  if (wrong !== undefined) throw new BackendFailure(wrong);
  const instance = await backend.open(programs, initial);
  let isOpen = true;
  const open = (): Instance => {
    if (isOpen) return instance;
    throw new BackendFailure(
      problem('model', 'a model that was disposed', 'one that was not', 'call dispose last'),
    );
  };
  return {
    run: async (program, feeds) => open().run(program, feeds),
    read: async () => open().read(),
    dispose: () => {
      if (isOpen) instance.dispose();
      isOpen = false;
    },
  };
};
