/**
 * The files that a node needs to run a trial: this package with what it depends on, laid out so that each package finds what it found here,
 * whoever installed it.
 */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isRecord } from '../../../dsl/codec/codec.js';

/** A file on this machine and where it goes. */
export type Traveller = { readonly from: string; readonly to: string };

/** Bound to a machine and a library: an installation on the nodes has it, see `command`. */
const STAYS = /^(@tensorflow\/tfjs-node(-gpu)?|webgpu|@types\/.*)$/;

/** For people, editors and debuggers. */
const IDLE = /\.(map|md|markdown|flow|[cm]?ts|tsbuildinfo)$/i;

const manifestOf = (folder: string): Readonly<Record<string, unknown>> => {
  const json: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return isRecord(json) ? json : {};
};

const namesIn = (manifest: Readonly<Record<string, unknown>>, field: string): readonly string[] => {
  const value = manifest[field];
  return isRecord(value) ? Object.keys(value) : [];
};

const dependenciesOf = (folder: string): readonly string[] => {
  const manifest = manifestOf(folder);
  const fields = ['dependencies', 'optionalDependencies', 'peerDependencies'];
  return [...new Set(fields.flatMap((field) => namesIn(manifest, field)))].filter(
    (name) => !STAYS.test(name),
  );
};

/** Where Node finds a package from a folder; undefined for an optional one that is not installed. */
const resolved = (from: string, name: string): string | undefined => {
  const path = join(from, 'node_modules', name);
  if (existsSync(join(path, 'package.json'))) return realpathSync(path);
  const above = dirname(from);
  return above === from ? undefined : resolved(above, name);
};

/** All files below a folder, links followed, hidden ones and those of other packages left out. */
export const filesIn = (folder: string, below = ''): readonly string[] =>
  readdirSync(join(folder, below))
    .filter((name) => !name.startsWith('.') && name !== 'node_modules')
    .sort()
    .flatMap((name) => {
      const path = below === '' ? name : `${below}/${name}`;
      return statSync(join(folder, path)).isDirectory() ? filesIn(folder, path) : [path];
    });

type Placed = { readonly folder: string; readonly at: string };

/** The folder above one in the layout that may hold packages; undefined above the first. */
const above = (at: string): string | undefined => {
  const cut = at.lastIndexOf('/node_modules/');
  return cut < 0 ? undefined : at.slice(0, cut);
};

/** A copy of the package is placed as far out as no other version of it is. All that one needs is placed before what those need. */
const dependencies = (root: string, at: string): readonly Placed[] => {
  const layout = new Map<string, string>();
  const found = (place: string | undefined, name: string): string | undefined =>
    place === undefined
      ? undefined
      : (layout.get(`${place}/node_modules/${name}`) ?? found(above(place), name));
  const waiting: Placed[] = [{ folder: root, at }];
  const placed: Placed[] = [];
  for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
    for (const name of dependenciesOf(one.folder)) {
      const folder = resolved(one.folder, name);
      const known = found(one.at, name);
      if (folder === undefined || known === folder) continue;
      const place = `${known === undefined ? at : one.at}/node_modules/${name}`;
      layout.set(place, folder);
      const next = { folder, at: place };
      placed.push(next);
      waiting.push(next);
    }
  }
  return placed;
};

/** In a checkout the folders that are published, as sources; in an installation their compiled form. */
const ownFolders = (root: string): readonly string[] => {
  if (!existsSync(join(root, 'cli', 'main.ts'))) return ['bin', 'dist'];
  const config: unknown = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8'));
  const folders: unknown = isRecord(config) ? config.include : [];
  return ['bin', ...(Array.isArray(folders) ? folders.map(String) : [])];
};

/** The package at `root` under the folder `at`. */
export const packageFiles = (root: string, at: string): readonly Traveller[] => {
  const own = ownFolders(root).flatMap((folder) => filesIn(root, folder));
  return [
    ...['package.json', ...own].map((path) => ({ from: join(root, path), to: `${at}/${path}` })),
    ...dependencies(realpathSync(root), at).flatMap(({ folder, at: place }) =>
      filesIn(folder)
        .filter((path) => !IDLE.test(basename(path)))
        .map((path) => ({ from: join(folder, path), to: `${place}/${path}` })),
    ),
  ];
};
