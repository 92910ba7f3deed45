/** The small interface that every backend fits: open programs over a state that stays with the backend, then feed and run them. */
import type { Plan, Step } from '../compiler/loops/plan.js';
import type { Program, Results } from '../compiler/ir/program.js';

/** An array that lives with the backend until it is disposed. */
export type Handle = { readonly size: number };

/**
 * Sees each step of a program's plan, in order, with the milliseconds that its work took and whether threads share it. Backends that run a
 * program as a whole, native and webgpu, have nothing to tell it.
 */
export type Profile = (step: Step, milliseconds: number, isShared: boolean) => void;

export type Executable = {
  /** Runs once. Inputs by binder name, outputs in the program's order; the caller owns the outputs, inputs stay its own. */
  readonly run: (inputs: ReadonlyMap<string, Handle>, profile?: Profile) => readonly Handle[];
  readonly dispose: () => void;
};

/** Programs over one state. */
export type Instance = {
  /**
   * Runs a program on the state and what is fed, by binder name; gives its outputs, but not those of kind `next`: they replace the
   * state, all of them or, where the program's `commit` is not 1, none. Where it rejects, the state is what it was, or `read` rejects too.
   */
  readonly run: (
    program: string,
    feeds: ReadonlyMap<string, Float32Array>,
    /** Hears nothing where a program runs as a whole, such as a session's. */
    profile?: Profile,
  ) => Promise<Results<Float32Array>>;
  /** The state, copied to the host. */
  readonly read: () => Promise<ReadonlyMap<string, Float32Array>>;
  readonly dispose: () => void;
};

export type Backend = {
  readonly name: string;
  /** What its bits depend on beside its name and the machine, such as relaxed SIMD. */
  readonly variant?: string;
  /** Its name, what runs it and on what, in one line; where it is a second choice, why. */
  readonly description: string;
  /** Parameters, moments and statistics by name; the arrays are copied. */
  readonly open: (
    programs: ReadonlyMap<string, Program>,
    state: ReadonlyMap<string, Float32Array>,
  ) => Promise<Instance>;
  /** Does what takes long before a program first runs, while Node goes on; rejects with a `BackendFailure`. */
  readonly prepare?: (program: Program) => Promise<void>;
  /** What it runs for a program, where that is a plan. */
  readonly plan?: (program: Program) => Plan;
  /** Arrays alive, for leak tests. */
  readonly liveCount: () => number;
};

/** A backend that runs programs on arrays which the caller passes around; `open` is made of these. */
export type ArrayBackend = Backend & {
  readonly load: (program: Program) => Executable;
  readonly upload: (values: Float32Array) => Handle;
  /** Asynchronous, since a GPU's memory is. */
  readonly download: (handle: Handle) => Promise<Float32Array>;
  /** Several in one go, where each would be a wait of its own. */
  readonly downloadAll?: (handles: readonly Handle[]) => Promise<readonly Float32Array[]>;
  readonly dispose: (handle: Handle) => void;
};
