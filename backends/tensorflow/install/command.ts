/** Runs other programs: Python, pip, npm and a C++ compiler. */
import { execFile } from 'node:child_process';

export type Finished = {
  readonly ok: boolean;
  /** The program could not be started at all. */
  readonly missing: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it failed, in one line: its first line that says error, or its last. */
  readonly reason: string;
};

export type CommandOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly seconds?: number;
};

/** Of many lines the one that tells most. */
const tellingLine = (text: string): string => {
  const lines = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  return lines.find((line) => /\berror\b/i.test(line)) ?? lines.at(-1) ?? '';
};

/** Never rejects; `error` goes to no one else. */
export const run = (
  program: string,
  args: readonly string[],
  { cwd, env = process.env, seconds = 900 }: CommandOptions = {},
): Promise<Finished> =>
  new Promise((resolve) => {
    const options = { cwd, env, timeout: seconds * 1000, maxBuffer: 1 << 26, encoding: 'utf8' as const };
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      const missing = error?.code === 'ENOENT';
      const stopped = error?.killed === true ? `no end after ${seconds} s` : undefined;
      const ended =
        typeof error?.signal === 'string' ? `ended by ${error.signal}` : `exit ${error?.code ?? 0}`;
      const said = tellingLine(stderr) || tellingLine(stdout);
      const reason = missing ? `no program ${program}` : (stopped ?? (said || ended));
      process.off('exit', stop);
      resolve({ ok: error === null, missing, stdout, stderr, reason });
    });
    const stop = (): void => void child.kill('SIGKILL');
    process.on('exit', stop);
  });
