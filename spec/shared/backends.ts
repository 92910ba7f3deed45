/** The real backends, started once, and one run of a program on one of them. */
import { elementAt } from '../../dsl/lookup.js';
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { firstFree, type Output, type Program, type Var } from '../../compiler/ir/program.js';
import type { Problem } from '../../dsl/problem.js';
import type { ArrayBackend, Backend } from '../../backends/backend.js';
import { createCcBackend } from '../../backends/cc/cc.js';
import { createCpuBackend } from '../../backends/tfjs/cpu.js';
import { createNativeBackend } from '../../backends/tensorflow/tensorflow.js';
import { createKernelBackend } from '../../backends/tfjs/wasm-kernels.js';
import { createWebgpuBackend } from '../../backends/webgpu/webgpu.js';
import { createWasmBackend } from '../../backends/wasm/wasm.js';
import { type Arrays, outputKey } from './outputs.js';

/** `kernels` is tfjs's wasm with one kernel an equation; it starts after cpu and so stays tfjs's active backend. */
export const backends = {
  cpu: await createCpuBackend(),
  kernels: await createKernelBackend(),
  wasm: await createWasmBackend({ threads: 1 }),
};

export type BackendName = keyof typeof backends;

/** The backend of the machine's C compiler on two threads, or why there is none. */
export const ccBackend: Either<readonly Problem[], ArrayBackend> = createCcBackend({ threads: 2 });

/** Where there is no compiler its laws are skipped; spec/backends/cc/ fails then if IMMERSION_REQUIRE_CC=1. */
export const hasCc = (): boolean => !isLeft(ccBackend);

/** The backend of the GPU, or why there is none. */
export const webgpuBackend: Either<readonly Problem[], ArrayBackend> = await createWebgpuBackend();

/** Where there is no GPU its laws are skipped; spec/backends/webgpu/ fails then if IMMERSION_REQUIRE_WEBGPU=1. */
export const hasWebgpu = (): boolean => !isLeft(webgpuBackend);

export const arrayBackend = (name: BackendName | 'cc' | 'webgpu'): ArrayBackend => {
  if (name === 'webgpu') {
    if (isLeft(webgpuBackend)) throw new Error('there is no GPU');
    return webgpuBackend.right;
  }
  if (name !== 'cc') return backends[name];
  if (isLeft(ccBackend)) throw new Error('there is no C compiler');
  return ccBackend.right;
};

/** Loads, uploads, runs, downloads and frees everything; throws where an array stays behind. */
export const runOn = async (backend: ArrayBackend, program: Program, inputs: Arrays): Promise<Arrays> => {
  const before = backend.liveCount();
  const executable = backend.load(program);
  const handles = new Map(
    program.binders.map(({ name }) => {
      const values = inputs.get(name);
      if (values === undefined) throw new Error(`no value for ${name}`);
      return [name, backend.upload(Float32Array.from(values))] as const;
    }),
  );
  const outputs = executable.run(handles);
  const results = new Map<string, Float64Array>();
  for (const [i, { kind, name }] of program.outputs.entries())
    results.set(outputKey(kind, name), Float64Array.from(await backend.download(elementAt(outputs, i))));
  [...outputs, ...handles.values()].forEach(backend.dispose);
  executable.dispose();
  const leaked = backend.liveCount() - before;
  if (leaked !== 0) throw new Error(`${leaked} arrays of ${backend.name} outlive the run`);
  return results;
};

let started: Either<readonly Problem[], Backend> | undefined;

/** The native backend, loaded at most once a process, or why it does not load. */
export const nativeBackend = (): Either<readonly Problem[], Backend> => (started ??= createNativeBackend());

/** Where it does not load its laws are skipped; spec/backends/tensorflow/native.test.ts fails then if IMMERSION_REQUIRE_NATIVE=1. */
export const hasNative = (): boolean => !isLeft(nativeBackend());

/** The next state as values, so that a program is a function of what it is fed. */
const withoutState = (program: Program, name: string): Program => ({
  ...program,
  name,
  outputs: program.outputs.map((o) => ({ kind: 'value', name: outputKey(o.kind, o.name), var: o.var })),
});

export type Case = { readonly program: Program; readonly inputs: Arrays };

/** Runs programs on the native backend, many in one session, since a session costs more than most programs. */
export const runOnNative = async (cases: readonly Case[]): Promise<readonly Arrays[]> => {
  const backend = nativeBackend();
  if (isLeft(backend)) throw new Error('the native backend does not load');
  const { open, liveCount } = backend.right;
  const before = liveCount();
  const programs = cases.map(({ program }, i) => withoutState(program, `program ${i}`));
  const instance = await open(new Map(programs.map((program) => [program.name, program])), new Map());
  const results: Arrays[] = [];
  for (const [i, { name }] of programs.entries()) {
    const feeds = new Map(
      [...elementAt(cases, i).inputs].map(([binder, values]) => [binder, Float32Array.from(values)]),
    );
    const outputs = await instance.run(name, feeds);
    results.push(new Map([...outputs.value].map(([key, values]) => [key, Float64Array.from(values)])));
  }
  instance.dispose();
  if (liveCount() !== before) throw new Error(`${liveCount() - before} arrays of native outlive the run`);
  return results;
};

export type RunnerName = BackendName | 'native' | 'cc' | 'webgpu';

/** One run of a program on any backend. */
export const runBy = async (name: RunnerName, program: Program, inputs: Arrays): Promise<Arrays> =>
  name === 'native'
    ? elementAt(await runOnNative([{ program, inputs }]), 0)
    : runOn(arrayBackend(name), program, inputs);

/** Programs of one batch side by side in one, each with its names under a number: a compiler is called once for all. */
const together = (programs: readonly Program[]): Program => {
  let next = 0;
  const parts = programs.map((program, i) => {
    const start = next;
    next += firstFree(program);
    const moved = (x: Var): Var => ({ ...x, id: x.id + start });
    return {
      binders: program.binders.map((b) => ({ ...b, name: `${i} ${b.name}`, var: moved(b.var) })),
      equations: program.equations.map((eq) => ({ ...eq, inputs: eq.inputs.map(moved), out: moved(eq.out) })),
      outputs: program.outputs.map((o): Output => ({
        kind: 'value',
        name: `${i} ${outputKey(o.kind, o.name)}`,
        var: moved(o.var),
      })),
    };
  });
  return {
    name: 'together',
    batch: programs[0]?.batch ?? 1,
    binders: parts.flatMap(({ binders }) => binders),
    equations: parts.flatMap(({ equations }) => equations),
    outputs: parts.flatMap(({ outputs }) => outputs),
  };
};

/** Runs programs of one batch on a backend that compiles them, all as one program. */
export const runTogether = async (
  name: 'cc' | 'webgpu',
  cases: readonly Case[],
): Promise<readonly Arrays[]> => {
  const program = together(cases.map((one) => one.program));
  const inputs = new Map(
    cases.flatMap((one, i) => [...one.inputs].map(([name, values]) => [`${i} ${name}`, values] as const)),
  );
  const all = await runOn(arrayBackend(name), program, inputs);
  return cases.map((_, i) => {
    const own = `${i} `;
    return new Map(
      [...all].flatMap(([name, values]) =>
        name.startsWith(own) ? [[name.slice(own.length), values] as const] : [],
      ),
    );
  });
};

/** One program on everything that is here, by name. */
export const everywhere = async (
  program: Program,
  inputs: Arrays,
): Promise<readonly (readonly [string, Arrays])[]> => {
  const runs: (readonly [string, Arrays])[] = [];
  for (const [name, backend] of Object.entries(backends))
    runs.push([name, await runOn(backend, program, inputs)]);
  if (hasCc()) runs.push(['cc', await runBy('cc', program, inputs)]);
  if (hasWebgpu()) runs.push(['webgpu', await runBy('webgpu', program, inputs)]);
  const native = hasNative() ? await runOnNative([{ program, inputs }]) : [];
  return [...runs, ...native.map((arrays) => ['native', arrays] as const)];
};
