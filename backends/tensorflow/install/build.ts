/** Builds the native binding: where the library may come from, in order, until one of them works. */
import { elementAt } from '../../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../../dsl/problem.js';
import { bindingPath, missingPackage, packageFolder } from './binding.js';
import { buildBinding } from './compile.js';
import { hasNvidia, ownDownload } from './download.js';
import { probe, type Probe } from './probe.js';
import { findPython, type Library, libraryIn, libraryOfPython } from './library.js';
import { defaultVersion, libraryOfVersion, libraryOfWheel, type Say } from './wheel.js';

type Checked<A> = Either<readonly Problem[], A>;

/** Where to take the library from; without any, every place is tried. */
export type Source = {
  /** A folder that holds it. */
  readonly library?: string | undefined;
  /** A Python that has TensorFlow; with `wheel` or `version` the one whose pip is used. */
  readonly python?: string | undefined;
  /** A wheel on the disk. */
  readonly wheel?: string | undefined;
  /** A version on PyPI. */
  readonly version?: string | undefined;
};

/** The library that was asked for. */
const askedFor = async ({ library, python, wheel, version }: Source, say: Say): Promise<Checked<Library>> => {
  if (library !== undefined) return libraryIn(library, '--library');
  if (python !== undefined && wheel === undefined && version === undefined) return libraryOfPython(python);
  const found = python === undefined ? await findPython() : right(python);
  if (isLeft(found)) return found;
  return wheel === undefined
    ? libraryOfVersion(version ?? defaultVersion, found.right, say)
    : libraryOfWheel(wheel, found.right, say);
};

/** A library on this machine, else one from PyPI. */
const anyLibrary = async (say: Say): Promise<Checked<Library>> => {
  const python = await findPython();
  if (isLeft(python)) return python;
  const present = await libraryOfPython(python.right);
  if (!isLeft(present)) {
    say(`${python.right} has TensorFlow`);
    return present;
  }
  say(`${python.right} has no TensorFlow`);
  return libraryOfVersion(defaultVersion, python.right, say);
};

const isGiven = (source: Source): boolean => Object.values(source).some((value) => value !== undefined);

/** What pip fetches here knows no GPU. */
const mentionGpu = (say: Say): void => {
  if (!hasNvidia()) return;
  say(
    'there is an NVIDIA GPU: for a library that uses it, give --python EXE, one with `tensorflow[and-cuda]`',
  );
};

/** Every place in turn, the package's own download first. */
const fromAnywhere = async (folder: string, say: Say): Promise<Checked<Probe>> => {
  const present = bindingPath(folder);
  const loads = present === undefined ? left([]) : probe(present);
  if (!isLeft(loads)) {
    say('the binding loads; nothing to build');
    return loads;
  }
  say("trying the package's own download");
  const own = await ownDownload(folder, say);
  if (!isLeft(own)) return own;
  say(`no: ${elementAt(own.left, 0).found}`);
  mentionGpu(say);
  const library = await anyLibrary(say);
  return isLeft(library) ? library : buildBinding(folder, library.right, say);
};

/** Builds, with a line for each step. Without a source, a binding that loads is left as it is. */
export const build = async (
  source: Source,
  say: Say,
  folder: string | undefined = packageFolder(),
): Promise<Checked<Probe>> => {
  if (folder === undefined) return left([missingPackage]);
  if (process.platform === 'win32') {
    const hint = "run `npm rebuild @tensorflow/tfjs-node-gpu` for the package's own download";
    return left([problem('doctor --build', 'Windows', 'Linux or macOS', hint)]);
  }
  if (!isGiven(source)) return fromAnywhere(folder, say);
  const library = await askedFor(source, say);
  return isLeft(library) ? library : buildBinding(folder, library.right, say);
};
