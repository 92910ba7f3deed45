/** What travels with a job: this package and the small files that trials read, as one archive that is known by its content. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, normalize } from 'node:path';
import { type Either, isLeft, left, right, tryCatch } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../../dsl/index.js';
import { thrownAt } from '../../../dsl/problem.js';
import { type RayClient, refusedBy } from './client.js';
import { filesIn, packageFiles, type Traveller } from './package-files.js';
import { zip } from './zip.js';

type Checked<A> = Either<readonly Problem[], A>;

/** The folder of this package within that of a job. */
export const PACKAGE_FOLDER = '.immersion';

/** What Ray takes, and what might shrink to it. */
const LARGEST = 100 * 2 ** 20;
const LARGEST_UNPACKED = 10 * LARGEST;

/** Names within the current folder, where a job finds them under the same; others are for the nodes to see. */
const travels = (path: string): boolean => !isAbsolute(path) && !normalize(path).startsWith('..');

const inputFiles = (path: string): readonly Traveller[] => {
  const place = normalize(path).replace(/\/$/, '');
  return statSync(path).isDirectory()
    ? filesIn(path).map((name) => ({ from: join(path, name), to: `${place}/${name}` }))
    : [{ from: path, to: place }];
};

/** Of the package at `root`, unless nodes have their own, and of the inputs; what is not there is for the trial to report. */
const travellersOf = (root: string | undefined, inputs: readonly string[]): readonly Traveller[] => [
  ...(root === undefined ? [] : packageFiles(root, PACKAGE_FOLDER)),
  ...[...new Set(inputs)]
    .filter((path) => travels(path) && statSync(path, { throwIfNoEntry: false }) !== undefined)
    .flatMap(inputFiles),
];

type Loaded = { readonly name: string; readonly bytes: Uint8Array; readonly executable: boolean };

const load = ({ from, to }: Traveller): Loaded => ({
  name: to,
  bytes: readFileSync(from),
  executable: (statSync(from).mode & 0o111) !== 0,
});

const digestOf = (files: readonly Loaded[]): string => {
  const hash = createHash('sha256');
  for (const { name, bytes, executable } of files)
    hash.update(`${name}\0${bytes.length}\0${executable ? 'x' : ''}\0`).update(bytes);
  return hash.digest('hex').slice(0, 32);
};

const tooLarge = (bytes: number, inputs: readonly string[]): readonly Problem[] => [
  problem(
    inputs.filter(travels).join(', ') || 'the package',
    `${Math.ceil(bytes / 2 ** 20)} MiB to send to each node`,
    `${LARGEST / 2 ** 20} MiB at most`,
    'put large data where all nodes see it, and name it by its whole path',
  ),
];

/** Uploads what is not there yet; answers with the address that jobs get it by, undefined where nothing has to travel. */
export const uploaded = async (
  client: RayClient,
  root: string | undefined,
  inputs: readonly string[],
): Promise<Checked<string | undefined>> => {
  const readable = thrownAt(root ?? '.', 'files of the package and of the data that can be read');
  const travellers = tryCatch(() => travellersOf(root, inputs), readable);
  if (isLeft(travellers)) return travellers;
  if (travellers.right.length === 0) return right(undefined);
  const total = travellers.right.reduce((sum, { from }) => sum + statSync(from).size, 0);
  if (total > LARGEST_UNPACKED) return left(tooLarge(total, inputs));
  const files = tryCatch(() => travellers.right.map(load), readable);
  if (isLeft(files)) return files;
  const name = `_ray_pkg_${digestOf(files.right)}.zip`;
  const there = await client.ask('GET', `/api/packages/gcs/${name}`);
  if (isLeft(there)) return there;
  if (there.right.status !== 200) {
    if (there.right.status !== 404) return left(refusedBy(client.name, there.right));
    const archive = zip(files.right);
    if (archive.length > LARGEST) return left(tooLarge(archive.length, inputs));
    const sent = await client.ask('PUT', `/api/packages/gcs/${name}`, archive);
    if (isLeft(sent)) return sent;
    if (sent.right.status !== 200) return left(refusedBy(client.name, sent.right));
  }
  return right(`gcs://${name}`);
};
