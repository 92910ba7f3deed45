/** Calls of the C compiler: one that is waited for, groups of them one by one, or side by side while Node goes on. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { errorText, type Problem, problem } from '../../dsl/problem.js';

type Checked<A> = Either<readonly Problem[], A>;

/** A program and its arguments. */
export type Call = readonly string[];

/** Work that asks for groups of calls and goes on with the last answer of each, or the first problem. */
type Calling<A> = Generator<readonly Call[], Checked<A>, Checked<unknown>>;

/** A compiler that says nothing for so many milliseconds hangs: when it compiles, and when it is asked what it is. */
const patience = { compiling: 120_000, asking: 10_000 };

export const compilerHint =
  process.platform === 'darwin'
    ? 'run `xcode-select --install`, or use --backend wasm'
    : 'install gcc or clang, or set CC, or use --backend wasm';

/** The first line that says error, or else the last. */
const telling = (text: string): string => {
  const lines = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  return lines.find((line) => /\berror\b/i.test(line)) ?? lines.at(-1) ?? '';
};

type Ended = {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
  readonly error?: Error | undefined;
  /** Milliseconds after which it was ended, if it was. */
  readonly late?: number | undefined;
  readonly interrupted?: boolean;
};

/** Ends a call with what it started. */
const endGroup = ({ pid }: ChildProcess): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
};

const judged = (
  program: string,
  { status, signal, output, errors, error, late, interrupted = false }: Ended,
): Checked<string> => {
  if (status === 0) return right(output);
  const said = (): string => telling(errors) || telling(output) || `exit ${status ?? signal}`;
  const ended = late === undefined ? 'an interrupt' : `no end after ${late / 1000} s`;
  const why = late !== undefined || interrupted ? ended : error === undefined ? said() : errorText(error);
  return left([problem('C compiler', `${program}: ${why}`, 'a compiler that works', compilerHint)]);
};

/** Waits for a call, whose input is empty; answers with what it printed. */
export const called = ([program = 'cc', ...args]: Call, timeout = patience.compiling): Checked<string> => {
  const options = { input: '', encoding: 'utf8', maxBuffer: 1 << 26 } as const;
  const done = spawnSync(program, args, { ...options, timeout, killSignal: 'SIGKILL' });
  const isLate = done.signal === 'SIGKILL' && done.error !== undefined;
  return judged(program, {
    ...done,
    output: done.stdout ?? '',
    errors: done.stderr ?? '',
    late: isLate ? timeout : undefined,
  });
};

/** The same, of what is answered at once. */
export const asked = (call: Call): Checked<string> => called(call, patience.asking);

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** In a process group of its own, which ends with us, when we are told to end, or when it is late: what a compiler starts ends with it. */
const calledAside = ([program = 'cc', ...args]: Call): Promise<Checked<string>> =>
  new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const end = (): void => endGroup(child);
    let late: number | undefined;
    const timer = setTimeout(() => {
      late = patience.compiling;
      end();
    }, patience.compiling);
    process.once('exit', end);
    /** The signal that ends us once what was begun is put away; nobody else does anything about it. */
    let last: NodeJS.Signals | undefined;
    let interrupted = false;
    const stop = (signal: NodeJS.Signals): void => {
      interrupted = true;
      if (process.listenerCount(signal) === 0) last = signal;
      end();
    };
    signals.forEach((signal) => process.once(signal, stop));
    const [output, errors]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    let error: Error | undefined;
    const done = (status: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(timer);
      process.removeListener('exit', end);
      signals.forEach((signal) => process.removeListener(signal, stop));
      const { pid } = process;
      if (last !== undefined) setImmediate(process.kill.bind(process, pid, last));
      const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString();
      const said = { output: text(output), errors: text(errors) };
      resolve(judged(program, { status, signal, ...said, error, late, interrupted }));
    };
    child.once('error', (cause) => {
      error = cause;
      if (child.pid === undefined) done(null, null);
    });
    child.once('close', done);
  });

export const oneByOne = <A>(work: Calling<A>): Checked<A> => {
  let state = work.next();
  while (state.done !== true) {
    let answer: Checked<unknown> = right(undefined);
    for (const call of state.value) if (!isLeft(answer)) answer = called(call);
    state = work.next(answer);
  }
  return state.value;
};

/** As many at once as there are cores. */
export const atOnce = async <A>(work: Calling<A>): Promise<Checked<A>> => {
  let state = work.next();
  while (state.done !== true) {
    let answer: Checked<unknown> = right(undefined);
    const waiting = [...state.value];
    const worker = async (): Promise<void> => {
      for (let call = waiting.shift(); call !== undefined && !isLeft(answer); call = waiting.shift()) {
        const one = await calledAside(call);
        if (!isLeft(answer)) answer = one;
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, worker));
    state = work.next(answer);
  }
  return state.value;
};
