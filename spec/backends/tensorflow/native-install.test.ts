/** Whatever is wrong with the native backend, its library or its build is one line that says what to do, and leaves nothing behind. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Problem, showProblem } from '../../../dsl/problem.js';
import { loadBinding } from '../../../backends/tensorflow/install/binding.js';
import { build, type Source } from '../../../backends/tensorflow/install/build.js';
import { ownDownload } from '../../../backends/tensorflow/install/download.js';
import { loadProblem, versionProblem } from '../../../backends/tensorflow/install/probe.js';
import { left } from '../../shared/either.js';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'immersion-doctor-'));
  vi.stubEnv('IMMERSION_CACHE', join(home, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

const write = (path: string, content: string | Buffer = ''): string => {
  const full = join(home, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, content);
  return full;
};

/** A program made of a few lines of shell. */
const program = (name: string, ...lines: readonly string[]): string => {
  const path = write(name, ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(path, 0o755);
  return path;
};

const line = (problems: readonly Problem[]): string => problems.map(showProblem).join('\n');

const bindingName = join('lib', 'napi-v8', 'tfjs_binding.node');
const compiler = ['c++', 'g++', 'clang++'].find((name) => spawnSync(name, ['--version']).status === 0);

describe('the loader', () => {
  const load = (folder: string | undefined): string => line(left(loadBinding({ folder })));

  test('no package', () => {
    expect(load(undefined)).toMatch(
      /found no package .*expected .*npm install --ignore-scripts .*doctor --build/,
    );
  });

  test('no binding', () => {
    expect(load(home)).toMatch(
      /found no built binding, expected .*`immersion doctor --build`.*--backend wasm/,
    );
  });

  test('a binding that is no library', () => {
    write(bindingName, 'not a library, but long enough to be looked at as if it were one, byte for byte');
    expect(load(home)).toMatch(/^native: found .+, expected .+doctor --build[^\n]+$/);
  });

  const links = process.platform === 'linux' && compiler !== undefined;
  const compileTo = (path: string, code: string, ...more: readonly string[]): void => {
    const source = write('fake.cc', code);
    write(path);
    const args = ['-shared', '-fPIC', source, '-o', join(home, path), ...more];
    const { status, stderr } = spawnSync(compiler ?? '', args, { encoding: 'utf8', cwd: home });
    if (status !== 0) throw new Error(stderr);
  };

  test.runIf(links)('a library that is gone', () => {
    compileTo('libtensorflow_cc.so.2', 'int there;', '-Wl,-soname,libtensorflow_cc.so.2');
    compileTo(
      bindingName,
      'extern int there; int f() { return there; }',
      join(home, 'libtensorflow_cc.so.2'),
    );
    rmSync(join(home, 'libtensorflow_cc.so.2'));
    expect(load(home)).toMatch(/found no library libtensorflow_cc\.so\.2, expected .*doctor --build/);
  });

  test.runIf(links)('a library without a symbol', () => {
    compileTo(bindingName, 'extern "C" int TF_Missing(); int f() { return TF_Missing(); }');
    expect(load(home)).toMatch(
      /found a libtensorflow without TF_Missing, expected TensorFlow 2\.\d+ or newer/,
    );
  });

  test.runIf(links)('a library that ends the process', () => {
    compileTo(bindingName, '#include <cstdlib>\nstruct A { A() { abort(); } } a;');
    expect(load(home)).toMatch(/found a process that ended \(SIGABRT\) while it loaded the binding/);
  });

  test.each(['1.15.0', '2.8.4', '3.0.0', 'unknown'])('version %s is not taken', (version) => {
    expect(versionProblem(version)?.found).toBe(`TensorFlow ${version}`);
  });

  test.each(['2.9.1', '2.15.0', '2.21.0'])('version %s is', (version) => {
    expect(versionProblem(version)).toBeUndefined();
  });

  test.each([
    [
      'libcudart.so.11.0: cannot open shared object file: No such file or directory',
      /no library libcudart\.so\.11\.0/,
    ],
    ['/a/b.node: undefined symbol: TF_NewStatus, version X', /without TF_NewStatus/],
    ['/a/libtensorflow.so.2: wrong ELF class: ELFCLASS32', /wrong ELF class/],
    ["dlopen(/a/b.node, 0x0001): symbol not found in flat namespace '_TF_NewStatus'", /without TF_NewStatus/],
    ["/lib/libm.so.6: version `GLIBC_2.38' not found", /GLIBC_2\.38/],
  ])('says of %s what is missing', (message, expected) => {
    expect(showProblem(loadProblem(message))).toMatch(expected);
  });
});

describe('a build that fails', () => {
  const files =
    process.platform === 'darwin'
      ? ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib']
      : ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

  /** The first bytes of an ELF file for a processor. */
  const elf = (machine: number): Buffer => {
    const bytes = Buffer.alloc(64);
    bytes.write('\x7fELF\x02\x01\x01', 'latin1');
    bytes.writeUInt16LE(machine, 18);
    return bytes;
  };
  const here = elf(process.arch === 'arm64' ? 183 : 62);

  const library = (content: string | Buffer, headers = true): string => {
    for (const file of files) write(join('tf', file), content);
    if (headers) write(join('tf', 'include', 'tensorflow', 'c', 'c_api.h'));
    return join(home, 'tf');
  };

  const said: string[] = [];
  const contents = (folder: string): readonly string[] =>
    existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort() : [];

  /** The problem of a build of a package that has a working binding, which must still be there afterwards. */
  const problemOf = async (source: Source): Promise<string> => {
    for (const name of ['tfjs_binding.cc', 'tfjs_backend.cc']) write(join('package', 'binding', name));
    write(join('package', bindingName), 'the old one');
    const folder = join(home, 'package');
    const before = contents(folder);
    const problems = left(await build(source, (text) => said.push(text), folder));
    expect(contents(folder)).toEqual(before);
    expect(readFileSync(join(folder, bindingName), 'utf8')).toBe('the old one');
    expect(contents(join(home, 'cache'))).toEqual([]);
    expect(problems).toHaveLength(1);
    return line(problems);
  };

  test('a folder without a library', async () => {
    expect(await problemOf({ library: home })).toMatch(
      /^--library .*: found no libtensorflow_cc.*, expected a folder/,
    );
  });

  test('a library without headers', async () => {
    expect(await problemOf({ library: library(here, false) })).toMatch(/found no headers, expected include/);
  });

  test.runIf(process.platform === 'linux').each([
    ['a library for another processor', elf(8)],
    ['a file that is no Linux library', 'text that is longer than twenty bytes'],
  ])('%s', async (found, content) => {
    expect(await problemOf({ library: library(content) })).toContain(`found ${found}`);
  });

  test('no compiler', async () => {
    vi.stubEnv('CXX', 'no-such-compiler');
    expect(await problemOf({ library: library(here) })).toMatch(
      /^compiler: found no no-such-compiler, .*(install|xcode)/,
    );
  });

  /** Answers to `--version`, and does something else than compiling. */
  const compilerThat = (...lines: readonly string[]): void => {
    vi.stubEnv('CXX', program('cxx', '[ "$1" = --version ] && exit 0', ...lines));
    write(join('node', 'include', 'node', 'node_api.h'));
    vi.stubEnv('npm_config_nodedir', join(home, 'node'));
  };

  test('a compiler that refuses', async () => {
    compilerThat('echo "x.cc: In function f:" >&2', 'echo "x.cc:1:2: error: no such type" >&2', 'exit 1');
    expect(await problemOf({ library: library(here) })).toMatch(
      /^compiler: found x\.cc:1:2: error: no such type/,
    );
  });

  test('a binding that does not load', async () => {
    compilerThat('for last; do :; done', 'echo not a library >"$last"');
    expect(await problemOf({ library: library(here) })).toMatch(/^native: found .*, expected /);
  });

  test('no such Python', async () => {
    expect(await problemOf({ python: join(home, 'none') })).toMatch(
      /found no program .*, expected a Python that runs/,
    );
  });

  test('a Python without TensorFlow', async () => {
    expect(await problemOf({ python: program('python', 'echo') })).toMatch(/found no TensorFlow in it/);
  });

  test.each([
    ['no pip', 'python: No module named pip', /found no pip in .*install python3-pip/],
    [
      'no network',
      'ERROR: No matching distribution found for tensorflow-cpu==2.15.0',
      /found nothing on PyPI, or no network/,
    ],
    [
      'a full disk',
      'ERROR: Could not install: [Errno 28] No space left on device',
      /found .*No space left.*IMMERSION_CACHE/,
    ],
  ])('%s', async (_, words, expected) => {
    const python = program('python', `echo "${words}" >&2`, 'exit 1');
    expect(await problemOf({ python, version: '2.15.0' })).toMatch(expected);
  });

  test.each([
    [
      'tensorflow_cpu-2.15.0-cp311-cp311-macosx_12_0_riscv64.whl',
      /found a wheel for macosx_12_0_riscv64, expected one for/,
    ],
    ['numpy-2.0.0-cp311-cp311-manylinux2014_x86_64.whl', /found no wheel of TensorFlow/],
  ])('the wheel %s', async (name, expected) => {
    expect(await problemOf({ wheel: write(name), python: 'python3' })).toMatch(expected);
  });

  test('a wheel that is not there', async () => {
    expect(await problemOf({ wheel: join(home, 'none.whl'), python: 'python3' })).toMatch(
      /found no such file/,
    );
  });

  test("the package's own download", async () => {
    const scope = join('node_modules', '@tensorflow');
    write(join('node_modules', '@mapbox', 'node-pre-gyp', 'bin', 'node-pre-gyp'));
    write(join(scope, 'tfjs-node-gpu', 'package.json'), '{}');
    write(
      join(scope, 'tfjs-node-gpu', 'scripts', 'install.js'),
      "require('fs').mkdirSync('deps'); throw new Error('no way');",
    );
    const before = contents(join(home, scope));
    expect(line(left(await ownDownload(join(home, scope, 'tfjs-node-gpu'), () => undefined)))).toMatch(
      /own download: found no way/,
    );
    expect(contents(join(home, scope))).toEqual(before);
  });
});
