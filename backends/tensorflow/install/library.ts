/** A libtensorflow on this machine: in a folder, or in a Python environment that has TensorFlow. */
import { elementAt } from '../../../dsl/lookup.js';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../../dsl/problem.js';
import { run } from './command.js';

export type Library = {
  readonly folder: string;
  /** File names, as the linker is given them. */
  readonly files: readonly string[];
  /** Holds `tensorflow/c/c_api.h`. */
  readonly include: string;
};

type Found = Either<readonly Problem[], Library>;

/** Names in a Python wheel, then those in the C library's own archive. */
const names: readonly (readonly string[])[] =
  process.platform === 'darwin'
    ? [
        ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'],
        ['libtensorflow.2.dylib', 'libtensorflow_framework.2.dylib'],
      ]
    : [
        ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
        ['libtensorflow.so.2', 'libtensorflow_framework.so.2'],
      ];

/** Machine numbers of ELF files. */
const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

/** Why a file is no library of this machine's, from its first bytes; ELF only. */
const misfit = (path: string): string | undefined => {
  if (process.platform !== 'linux') return undefined;
  const start = Buffer.alloc(20);
  const file = openSync(path, 'r');
  readSync(file, start, 0, 20, 0);
  closeSync(file);
  if (start.toString('latin1', 0, 4) !== '\x7fELF') return 'a file that is no Linux library';
  return start.readUInt16LE(18) === machines[process.arch] ? undefined : 'a library for another processor';
};

/** The library in a folder, its `lib/` or its `tensorflow/`, with the headers beside it or one up. */
export const libraryIn = (given: string, option: string): Found => {
  const top = resolve(given);
  for (const folder of [top, join(top, 'lib'), join(top, 'tensorflow')]) {
    const files = names.find((pair) => pair.every((name) => existsSync(join(folder, name))));
    if (files === undefined) continue;
    const wrong = misfit(join(folder, elementAt(files, 0)));
    if (wrong !== undefined) {
      return left([problem(`${option} ${given}`, wrong, `one for ${process.platform} ${process.arch}`)]);
    }
    const include = [join(folder, 'include'), join(dirname(folder), 'include')].find((path) =>
      existsSync(join(path, 'tensorflow', 'c', 'c_api.h')),
    );
    return include === undefined
      ? left([problem(`${option} ${given}`, 'no headers', 'include/tensorflow/c/c_api.h beside the library')])
      : right({ folder, files, include });
  }
  return left([
    problem(
      `${option} ${given}`,
      `no ${elementAt(names, 0)[0]}`,
      `a folder with ${elementAt(names, 0).join(' and ')}`,
    ),
  ]);
};

/** Where Python would import TensorFlow from, without the seconds that importing it takes. */
const locate = `
import importlib.util
spec = importlib.util.find_spec('tensorflow')
print(list(spec.submodule_search_locations)[0] if spec and spec.submodule_search_locations else '')`;

export const libraryOfPython = async (python: string): Promise<Found> => {
  const option = `--python ${python}`;
  const { ok, stdout, reason } = await run(python, ['-c', locate], { seconds: 60 });
  if (!ok) return left([problem(option, reason, 'a Python that runs')]);
  const folder = stdout.trim().split('\n').at(-1) ?? '';
  return folder === ''
    ? left([
        problem(
          option,
          'no TensorFlow in it',
          'an environment with TensorFlow 2.9 or newer',
          'or leave --python out: pip then fetches the library',
        ),
      ])
    : libraryIn(folder, option);
};

/** The first Python 3 on the PATH. */
export const findPython = async (): Promise<Either<readonly Problem[], string>> => {
  for (const name of ['python3', 'python']) {
    const { ok } = await run(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 7))'], {
      seconds: 60,
    });
    if (ok) return right(name);
  }
  return left([
    problem(
      'python3',
      'none on the PATH',
      'Python 3.7 or newer, with pip',
      'install python3 and python3-pip, or give --python EXE',
    ),
  ]);
};
