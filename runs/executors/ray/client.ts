/** Ray's Jobs interface over HTTP: what is asked, what is answered, and every way in which it fails as a problem of one line. */
import { readFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { isRecord } from '../../../dsl/codec/codec.js';
import { type Problem, problem } from '../../../dsl/index.js';
import { errorText } from '../../../dsl/problem.js';

type Checked<A> = Either<readonly Problem[], A>;

export type Answer = { readonly status: number; readonly text: string };

export type RayClient = {
  /** `ray http://host:8265`, without credentials. */
  readonly name: string;
  readonly ask: (method: string, path: string, body?: unknown) => Promise<Checked<Answer>>;
};

const TIMEOUT = 30_000;
const LONGEST_ANSWER = 2 ** 26;
const EXPECTED = 'the dashboard of a Ray cluster, such as http://127.0.0.1:8265';

/** What lets one into the cluster. It is sent, and never shown or written. */
export type Credentials = Readonly<Record<string, string>>;

const tokenFile = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
};

/** Where Ray's own command looks: `RAY_AUTH_TOKEN`, the file of `RAY_AUTH_TOKEN_PATH` or `~/.ray/auth_token`; a name and password in the address. */
export const credentialsOf = (address: URL, environment: NodeJS.ProcessEnv): Credentials => {
  const { username, password } = address;
  if (username !== '' || password !== '') {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  }
  const path = environment['RAY_AUTH_TOKEN_PATH'] ?? join(homedir(), '.ray', 'auth_token');
  const token = environment['RAY_AUTH_TOKEN'] ?? tokenFile(path);
  return token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` };
};

/** A system's code says more than Node's words where it tries several addresses. */
const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && error.message === '' ? String(error.code) : errorText(error);

export const rayClient = (address: URL, credentials: Credentials): RayClient => {
  const name = `ray ${address.origin}${address.pathname.replace(/\/$/, '')}`;
  const request = address.protocol === 'https:' ? secureRequest : plainRequest;
  const bytesOf = (body: unknown): Uint8Array | undefined =>
    body === undefined || body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
  const ask: RayClient['ask'] = (method, path, body) =>
    new Promise((resolve) => {
      const failed = (found: string): void => resolve(left([problem(name, found, EXPECTED)]));
      const bytes = bytesOf(body);
      const type = body instanceof Uint8Array ? 'application/octet-stream' : 'application/json';
      try {
        const sent = request(
          new URL(`${address.pathname.replace(/\/$/, '')}${path}`, address.origin),
          {
            method,
            headers: {
              ...credentials,
              ...(bytes === undefined ? {} : { 'content-type': type, 'content-length': bytes.length }),
            },
            timeout: TIMEOUT,
          },
          (answer) => {
            const parts: Buffer[] = [];
            let length = 0;
            answer.on('data', (part: Buffer) => {
              length += part.length;
              if (length > LONGEST_ANSWER) sent.destroy(new Error('an answer without end'));
              else parts.push(part);
            });
            answer.on('error', (error) => failed(reasonOf(error)));
            answer.on('end', () =>
              resolve(right({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() })),
            );
          },
        );
        sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT / 1000} s`)));
        sent.on('error', (error) => failed(reasonOf(error)));
        sent.end(bytes);
      } catch (error) {
        failed(reasonOf(error));
      }
    });
  return { name, ask };
};

/** The line of an error that says what it is: the last one of a traceback. */
const lastLine = (text: string): string =>
  text
    .split('\n')
    .filter((line) => /\w/.test(line))
    .at(-1)
    ?.trim()
    .slice(0, 300) ?? '';

/** An answer that is none, in one line; what is refused for want of credentials is said so. */
export const refusedBy = (name: string, { status, text }: Answer): readonly Problem[] =>
  status === 401 || status === 403
    ? [
        problem(
          name,
          `a refusal (${status})`,
          'a cluster that lets you in',
          'RAY_AUTH_TOKEN, or the file that RAY_AUTH_TOKEN_PATH names, holds the token',
        ),
      ]
    : [problem(name, `an answer ${status}${text === '' ? '' : `: ${lastLine(text)}`}`, EXPECTED)];

export const notRays = (name: string): readonly Problem[] => [
  problem(name, "an answer that is not Ray's", EXPECTED),
];

/** The JSON object that was asked for. */
export const objectOf = (
  name: string,
  answer: Checked<Answer>,
): Checked<Readonly<Record<string, unknown>>> => {
  if (isLeft(answer)) return answer;
  if (answer.right.status !== 200) return left(refusedBy(name, answer.right));
  try {
    const json: unknown = JSON.parse(answer.right.text);
    if (isRecord(json)) return right(json);
  } catch {
    // Below.
  }
  return left(notRays(name));
};
