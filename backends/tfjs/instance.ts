/** Programs over a state, on a backend that runs them on arrays passed around. */
import { elementAt } from '../../dsl/lookup.js';
import { type Output, type Program, resultsOf } from '../../compiler/ir/program.js';
import { checkFeeds } from '../feeds.js';
import type { ArrayBackend, Executable, Handle, Instance } from '../backend.js';

/** An output of a run, which is the caller's. */
type Made = { readonly output: Output; readonly handle: Handle };

export const openOnArrays = (
  backend: Pick<ArrayBackend, 'load' | 'prepare' | 'upload' | 'download' | 'downloadAll' | 'dispose'>,
  programs: ReadonlyMap<string, Program>,
  initial: ReadonlyMap<string, Float32Array>,
): Instance => {
  const disposeAll = (handles: Iterable<Handle>): void => {
    for (const handle of handles) backend.dispose(handle);
  };
  /** All of them, or none where one fails. */
  const uploadAll = (arrays: ReadonlyMap<string, Float32Array>): Map<string, Handle> => {
    const handles = new Map<string, Handle>();
    try {
      for (const [name, values] of arrays) handles.set(name, backend.upload(values));
      return handles;
    } catch (error) {
      disposeAll(handles.values());
      throw error;
    }
  };

  const state = uploadAll(initial);
  // Programs are loaded when they are first run: a trainer never decodes, a sampler never trains.
  const loaded = new Map<string, Executable>();
  const programOf = (name: string): Program => {
    const program = programs.get(name);
    if (program === undefined) throw new Error(`no program ${name}`);
    return program;
  };
  const loadedNow = async (name: string): Promise<Executable> => {
    await backend.prepare?.(programOf(name));
    const made = loaded.get(name) ?? backend.load(programOf(name));
    loaded.set(name, made);
    return made;
  };

  const download = async (handles: readonly Handle[]): Promise<readonly Float32Array[]> =>
    backend.downloadAll?.(handles) ?? Promise.all(handles.map(backend.download));

  /** Frees what was fed, whether the work succeeds or not. */
  const attempted = <A>(fed: ReadonlyMap<string, Handle>, work: () => A): A => {
    try {
      return work();
    } finally {
      disposeAll(fed.values());
    }
  };

  const run: Instance['run'] = async (name, feeds, profile) => {
    checkFeeds(programOf(name), feeds, (binder) => state.has(binder));
    const ready = loaded.get(name) ?? (await loadedNow(name));
    const fed = uploadAll(feeds);
    const handles = attempted(fed, () => ready.run(new Map([...state, ...fed]), profile));
    const made = programOf(name).outputs.map((output, i): Made => ({
      output,
      handle: elementAt(handles, i),
    }));
    const values = made.filter(({ output }) => output.kind !== 'next');
    const arrays = await download(values.map(({ handle }) => handle)).catch((error: unknown) => {
      disposeAll(handles);
      throw error;
    });
    disposeAll(values.map(({ handle }) => handle));
    const results = resultsOf(
      values.map(({ output }) => output),
      (_, i) => elementAt(arrays, i),
    );
    const commit = results.telemetry.get('commit')?.[0] ?? 1;
    for (const { output, handle } of made) {
      if (output.kind !== 'next') continue;
      const old = state.get(output.name);
      if (commit !== 1 || old === undefined) backend.dispose(handle);
      else {
        state.set(output.name, handle);
        backend.dispose(old);
      }
    }
    return results;
  };

  return {
    run,
    read: async () => {
      const arrays = await download([...state.values()]);
      return new Map([...state.keys()].map((name, i) => [name, elementAt(arrays, i)]));
    },
    dispose: () => {
      disposeAll(state.values());
      for (const program of loaded.values()) program.dispose();
    },
  };
};
