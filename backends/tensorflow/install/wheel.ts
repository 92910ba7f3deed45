/** TensorFlow's library out of its Python wheel, unpacked once for all checkouts into the user's cache. */
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../../dsl/problem.js';
import { type Finished, run } from './command.js';
import { type Library, libraryIn } from './library.js';
import { inScratch } from './scratch.js';
import { makeFolder } from '../../places.js';

type Checked<A> = Either<readonly Problem[], A>;
export type Say = (line: string) => void;

/** Where unpacked libraries lie: `$IMMERSION_CACHE`, or `immersion` in the user's cache folder. */
export const cacheFolder = (): string =>
  process.env['IMMERSION_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'immersion');

/** What is unpacked of a wheel: the libraries, and the headers that the binding's sources include. */
const wanted = String.raw`tensorflow(\.libs/|/libtensorflow_|/include/(tensorflow/(c|core/platform|tsl)|tsl|xla)/)`;

const unpackScript = `
import re, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if re.match(sys.argv[3], name)])`;

const machine = process.arch === 'arm64' ? (process.platform === 'darwin' ? 'arm64' : 'aarch64') : 'x86_64';

/** What pip calls this machine, one word for each level of the C library that a wheel may ask for. */
const platforms: readonly string[] =
  process.platform === 'darwin'
    ? [11, 12, 13, 14].map((version) => `macosx_${version}_0_${machine}`)
    : [
        `manylinux2014_${machine}`,
        ...[12, 17, 24, 27, 28, 31, 34, 35].map((minor) => `manylinux_2_${minor}_${machine}`),
      ];

/** The library's own package is processor-only and small; on Arm the plain one is. */
const distribution = process.arch === 'x64' && process.platform === 'linux' ? 'tensorflow-cpu' : 'tensorflow';

/** Tried here, on Linux x64: 2.15.0 and 2.21.0, which is 5 % faster on convolutions and wrong on one (docs/decisions/0008). The first plain wheels for Arm are 2.16's. */
export const defaultVersion = distribution === 'tensorflow-cpu' ? '2.15.0' : '2.16.2';

const failed = (what: string, { missing, reason, stderr }: Finished, python: string): Checked<never> => {
  const because = (found: string, expected: string, hint?: string): Checked<never> =>
    left([problem(what, found, expected, hint)]);
  if (missing) return because(reason, 'Python 3.7 or newer', 'install python3, or give --python EXE');
  if (/No module named '?pip/.test(stderr)) {
    return because(`no pip in ${python}`, 'pip', 'install python3-pip, or give --python EXE');
  }
  if (/No space left|Errno 28/.test(stderr)) {
    return because(reason, '1 GB of room', `IMMERSION_CACHE=DIR puts it elsewhere than ${cacheFolder()}`);
  }
  if (/No matching distribution/.test(stderr)) {
    return /from versions: \d/.test(stderr)
      ? because(
          'no such wheel for this machine',
          `a version from 2.12 on that PyPI has, such as ${defaultVersion}`,
        )
      : because('nothing on PyPI, or no network', 'a connection', 'or give --wheel FILE or --library DIR');
  }
  return because(reason, 'a wheel that can be fetched and unpacked', 'or give --wheel FILE or --library DIR');
};

/** Works in a folder of the cache that is gone afterwards; `make` answers with what is kept under `name`. */
const intoCache = async (
  name: string,
  what: string,
  make: (folder: string) => Promise<Checked<string>>,
): Promise<Checked<Library>> => {
  const kept = join(cacheFolder(), name);
  const cache = makeFolder(cacheFolder());
  if (isLeft(cache)) return cache;
  try {
    return await inScratch(join(cacheFolder(), '.part-'), async (folder) => {
      const made = await make(folder);
      if (isLeft(made)) return made;
      const library = libraryIn(made.right, what);
      if (isLeft(library)) return library;
      await rm(kept, { recursive: true, force: true });
      await rename(made.right, kept);
      return libraryIn(kept, what);
    });
  } catch (error) {
    return left([
      problem(
        what,
        error instanceof Error ? error.message : String(error),
        `a cache that can be written`,
        'IMMERSION_CACHE=DIR puts it elsewhere',
      ),
    ]);
  }
};

const unpack = async (
  python: string,
  wheel: string,
  into: string,
  what: string,
): Promise<Checked<string>> => {
  const done = await run(python, ['-c', unpackScript, wheel, into, wanted]);
  return done.ok ? right(into) : failed(what, done, python);
};

/** The platform of a wheel is the last part of its name. */
const wheelProblem = (path: string): Problem | undefined => {
  const what = `--wheel ${path}`;
  if (!existsSync(path)) return problem(what, 'no such file', 'a wheel of TensorFlow');
  const platform = /^tensorflow.*-([^-]+)\.whl$/.exec(basename(path))?.[1];
  if (platform === undefined) return problem(what, 'no wheel of TensorFlow', 'tensorflow_cpu-2.…whl');
  const system = process.platform === 'darwin' ? 'macosx' : 'linux';
  return platform.includes(system) && platform.endsWith(machine)
    ? undefined
    : problem(what, `a wheel for ${platform}`, `one for ${process.platform} ${process.arch}`);
};

/** The library of a wheel on the disk. */
export const libraryOfWheel = async (path: string, python: string, say: Say): Promise<Checked<Library>> => {
  const wrong = wheelProblem(path);
  if (wrong !== undefined) return left([wrong]);
  const name = `${basename(path, '.whl')}-${(await stat(path)).size}`;
  const known = libraryIn(join(cacheFolder(), name), name);
  if (!isLeft(known)) return known;
  say(`unpacking ${basename(path)}`);
  const what = `--wheel ${path}`;
  return intoCache(name, what, (folder) => unpack(python, path, join(folder, 'unpacked'), what));
};

/** The library of a version on PyPI; nothing is fetched twice. */
export const libraryOfVersion = async (
  version: string,
  python: string,
  say: Say,
): Promise<Checked<Library>> => {
  const name = `${distribution}-${version}-${process.platform}-${process.arch}`;
  const known = libraryIn(join(cacheFolder(), name), name);
  if (!isLeft(known)) {
    say(`${distribution} ${version} is in the cache`);
    return known;
  }
  const what = `${distribution} ${version}`;
  say(`fetching ${what} with pip (about 210 MB, 600 MB unpacked)`);
  return intoCache(name, what, async (folder) => {
    // The wheel is never imported, so its Python need not be the one at hand.
    const target = [
      '--implementation=cp',
      '--python-version=3.11',
      ...platforms.map((one) => `--platform=${one}`),
    ];
    const args = [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--only-binary=:all:',
      ...target,
      '--dest',
      folder,
    ];
    const done = await run(python, [...args, `${distribution}==${version}`]);
    if (!done.ok) return failed(what, done, python);
    const wheel = (await readdir(folder)).find((file) => file.endsWith('.whl'));
    if (wheel === undefined) return left([problem(what, 'no wheel from pip', 'a wheel')]);
    say(`unpacking ${wheel}`);
    return unpack(python, join(folder, wheel), join(folder, 'unpacked'), what);
  });
};
