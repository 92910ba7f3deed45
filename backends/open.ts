/** Opening programs on a backend with what goes wrong later said by name: arrays of another size, use after everything was given back, a backend that fails. */
import type { Program } from '../compiler/ir/program.js';
import { errorText, type Problem, problem } from '../dsl/problem.js';
import type { Backend, Instance } from './backend.js';
import { BackendFailure, BackendLost } from './failure.js';
import { checkFeeds } from './feeds.js';
import { patiently } from './patience.js';

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

/** What a backend says when it fails; where memory for an array is not to be had, JavaScript's own error. */
const lost = (name: string, error: unknown): unknown => {
  if (error instanceof BackendFailure) return new BackendLost(error.problem);
  return error instanceof RangeError && /allocation/i.test(error.message)
    ? new BackendLost(problem(name, errorText(error), 'enough memory', 'use a smaller batch'))
    : error;
};

const firstText = (backend: string, program: string): string =>
  `${backend} compiles ${JSON.stringify(program)} for its first run, which takes longest`;

/**
 * As the backend opens them; rejects with a `BackendFailure` where the state or what is fed does not fit, and on any use after `dispose`, and
 * with a `BackendLost` where the backend fails. `onProgress` sees a line where the first run of a program takes long.
 */
export const openPrograms = async (
  backend: Pick<Backend, 'open' | 'name'>,
  programs: ReadonlyMap<string, Program>,
  initial: ReadonlyMap<string, Float32Array>,
  onProgress?: (line: string) => void,
): Promise<Instance> => {
  const [wrong] = stateProblems(programs, initial);
  if (wrong !== undefined) throw new BackendFailure(wrong);
  /** What the backend is given is looked at once it has failed. */
  const guarded = async <A>(work: () => Promise<A>, check: () => void = () => undefined): Promise<A> => {
    try {
      return await work();
    } catch (error) {
      check();
      throw lost(backend.name, error);
    }
  };
  const instance = await guarded(() => backend.open(programs, initial));
  let isOpen = true;
  const begun = new Set<string>();
  const open = (): Instance => {
    if (isOpen) return instance;
    throw new BackendFailure(
      problem('model', 'a model that was disposed', 'one that was not', 'call dispose last'),
    );
  };
  return {
    run: async (program, feeds, profile) => {
      const at = open();
      const known = programs.get(program);
      const run = () => at.run(program, feeds, profile);
      const isFirst = !begun.has(program);
      begun.add(program);
      return guarded(
        isFirst ? () => patiently(run, () => onProgress?.(firstText(backend.name, program))) : run,
        () => known && checkFeeds(known, feeds, (name) => initial.has(name)),
      );
    },
    read: async () => {
      const at = open();
      return guarded(() => at.read());
    },
    dispose: () => {
      if (isOpen) instance.dispose();
      isOpen = false;
    },
  };
};
