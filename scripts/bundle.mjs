/**
 * The program as few files: one for each public folder and for the command, and chunks that they share, so that a module has one instance
 * whoever imports it. A command of its own is a chunk that is loaded when it is asked for. `dist/` is made so, and what a checkout runs.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Published folders. */
export const folders = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8')).include;

const entries = ['cli/main.ts', 'runs/user-modules.ts'];

/** Paths below a folder, from the root, in an order that does not depend on the file system. */
const filesIn = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .sort(({ name: a }, { name: b }) => (a < b ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesIn(path) : path.endsWith('.ts') ? [path] : [];
    });

const sources = () =>
  folders.flatMap((folder) => filesIn(folder).map((path) => [path, readFileSync(join(root, path))]));

/**
 * Writes the program to a folder. `addressOf` gives the expression of a source file's address, from which a module finds what lies
 * beside it. What is published has the examples too, and leaves packages to whoever installs it.
 */
export const bundle = async ({ outdir, addressOf, published = true }, files = sources()) => {
  const { build } = await import('esbuild');
  const faces = Object.values(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).exports)
    .map((one) => one['immersion-source'])
    .filter((path) => path !== undefined);
  const located = new Map(
    files
      .filter(([, bytes]) => bytes.includes('import.meta.url'))
      .map(([path, bytes]) => [join(root, path), [path, bytes]]),
  );
  await build({
    absWorkingDir: root,
    entryPoints: [...faces, ...entries, ...(published ? filesIn('examples') : [])],
    outdir,
    outbase: root,
    entryNames: '[dir]/[name]',
    chunkNames: 'chunks/[hash]',
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20' },
    ...(published ? { packages: 'external' } : { external: elsewhere }),
    ...{ charset: 'utf8', logLevel: 'silent' },
    plugins: [
      {
        name: 'addresses',
        setup: ({ onLoad }) => {
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const [name, bytes] = located.get(path) ?? [];
            return name === undefined
              ? undefined
              : { contents: bytes.toString().replaceAll('import.meta.url', addressOf(name)), loader: 'ts' };
          });
        },
      },
    ],
  });
};

const cache = join(root, 'node_modules', '.cache', 'immersion');

/** Programs that nobody has started for so long are thrown away; a long run loads parts of its own when it first needs them. */
const KEPT_MILLISECONDS = 90 * 86_400_000;

/** Others may do the same at the same time, so that what is missing or cannot be removed does not matter. */
const tidy = () => {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const { mtimeMs = Date.now() } = statSync(path, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > KEPT_MILLISECONDS)
      attempted(() => rmSync(path, { recursive: true, force: true }));
  }
};

/** Whether it went well. */
const attempted = (work) => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};

/** Says that it was started, where this user may. */
const renewed = (folder) => {
  const now = new Date();
  if (now - statSync(folder).mtimeMs > KEPT_MILLISECONDS / 8) attempted(() => utimesSync(folder, now, now));
};

const keyOf = (files) => {
  const hash = createHash('sha256')
    .update(root)
    .update(readFileSync(fileURLToPath(import.meta.url)));
  for (const [path, bytes] of [
    ...['package.json', 'package-lock.json'].map((path) => [path, readFileSync(join(root, path))]),
    ...files,
  ])
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  return hash.digest('hex').slice(0, 16);
};

/** Made for this machine alone, it holds what it depends on but these, which bring binaries, or are for users to have. */
const elsewhere = ['@tensorflow/*', 'sharp', 'webgpu', 'onnxruntime-node', 'fast-check', 'immersion/*'];

/** The folder of the program that the sources of this checkout make, which is made where it is not there yet; undefined where it cannot be. */
export const built = async () => {
  try {
    const files = sources();
    const key = keyOf(files);
    const folder = join(cache, key);
    const program = pathToFileURL(`${folder}/`);
    if (existsSync(folder)) {
      renewed(folder);
      return program;
    }
    mkdirSync(cache, { recursive: true });
    tidy();
    const partial = mkdtempSync(`${folder}.`);
    // Within it, since that one is for this user alone.
    const made = join(partial, key);
    await bundle(
      {
        published: false,
        outdir: made,
        addressOf: (path) => JSON.stringify(pathToFileURL(join(root, path)).href),
      },
      files,
    );
    // Sources that were changed meanwhile may be in it under the key of those before.
    if (keyOf(sources()) === key) attempted(() => renameSync(made, folder));
    rmSync(partial, { recursive: true, force: true });
    // Another process may have made the same.
    return existsSync(folder) ? program : undefined;
  } catch (error) {
    if (process.env['IMMERSION_DEBUG'] === '1')
      console.error(`immersion: runs its sources one by one: ${error}`);
    return undefined;
  }
};
