/** A peer as a child process that speaks JSON lines. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

export type Command = {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

export type Peer = {
  /** The answer, parsed; throws with the peer's last words when it dies or takes longer than `seconds`. */
  readonly ask: (request: object, seconds: number) => Promise<unknown>;
  readonly end: () => void;
};

/** Threads for every peer, in all the ways that libraries read them. */
const threads = (count: number): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [
      'OMP_NUM_THREADS',
      'MKL_NUM_THREADS',
      'OPENBLAS_NUM_THREADS',
      'TF_NUM_INTRAOP_THREADS',
      'TF_NUM_INTEROP_THREADS',
    ].map((name) => [name, String(count)]),
  );

const quiet = { TF_CPP_MIN_LOG_LEVEL: '2', CUDA_VISIBLE_DEVICES: '', PYTHONUNBUFFERED: '1' };

const nextLine = (
  lines: Interface,
  child: ChildProcess,
  seconds: number,
  lastWords: () => string,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      lines.off('line', line);
      child.off('exit', exit);
      act();
    };
    const line = (text: string): void => settle(() => resolve(text));
    const exit = (): void => settle(() => reject(new Error(lastWords())));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      settle(() => reject(new Error(`no answer in ${seconds} s`)));
    }, seconds * 1000);
    lines.on('line', line);
    child.on('exit', exit);
  });

export const startPeer = ({ program, args, env }: Command, threadCount: number): Peer => {
  const child = spawn(program, [...args], {
    env: { ...process.env, ...quiet, ...threads(threadCount), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors = (errors + text.toString()).slice(-4000)));
  child.on('error', (error) => (errors += error.message));
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout });
  const lastWords = (): string => {
    const words = errors.trim().split('\n');
    return (
      words.findLast((line) => /^[\w.]*(Error|Exception|Unsupported)\b/.test(line)) ??
      words.findLast((line) => /error/i.test(line)) ??
      words.at(-1) ??
      ''
    );
  };
  return {
    ask: async (request, seconds) => {
      if (child.exitCode !== null) throw new Error(lastWords());
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return JSON.parse(await nextLine(lines, child, seconds, lastWords));
    },
    end: () => {
      child.stdin.end(`${JSON.stringify({ op: 'end' })}\n`);
      // Some libraries hang in their exit handlers.
      setTimeout(() => child.kill('SIGKILL'), 2000).unref();
    },
  };
};
