/** The arrows of the house as data, and the laws a set of source files breaks. */
import { posix } from 'node:path';
import ts from 'typescript';

/** Path from the root of the repository → text. */
export type Sources = ReadonlyMap<string, string>;

/**
 * What the files of a folder may import besides each other. `dsl/` is a folder of ours, `npm:fp-ts/` a package,
 * `npm:` any package but tfjs, `node:` what Node brings, `immersion/` our public modules.
 */
export const arrows: Readonly<Record<string, readonly string[]>> = {
  dsl: ['npm:fp-ts/', 'npm:io-ts/'],
  objectives: ['dsl/', 'npm:fp-ts/'],
  compiler: ['dsl/', 'npm:fp-ts/'],
  laws: ['compiler/', 'backends/draws.ts', 'dsl/', 'npm:fast-check', 'npm:fp-ts/'],
  data: [
    'dsl/bytes.ts',
    'dsl/lookup.ts',
    'dsl/problem.ts',
    'dsl/random.ts',
    'dsl/shape.ts',
    'dsl/codec/',
    'npm:',
    'node:',
  ],
  backends: [
    'compiler/',
    'dsl/bytes.ts',
    'dsl/lookup.ts',
    'dsl/problem.ts',
    'dsl/random.ts',
    'dsl/expressions/draw.ts',
    'dsl/layers/initializer.ts',
    'npm:',
    'npm:@tensorflow/',
    'node:',
  ],
  runs: ['backends/', 'data/', 'compiler/', 'dsl/', 'npm:', 'node:'],
  evaluation: ['runs/', 'backends/', 'data/', 'compiler/', 'objectives/', 'dsl/', 'npm:', 'node:'],
  studies: ['evaluation/', 'runs/', 'data/', 'objectives/', 'examples/', 'dsl/', 'npm:', 'node:'],
  cli: [
    'studies/',
    'evaluation/',
    'runs/',
    'backends/',
    'data/',
    'compiler/',
    'objectives/',
    'dsl/',
    'npm:',
    'node:',
  ],
  examples: ['immersion/'],
  // A cluster that is measured is one that the laws start.
  bench: ['dsl/lookup.ts', 'spec/shared/', 'immersion/', 'studies/', 'examples/', 'npm:', 'node:'],
};

/**
 * What a room inside a folder may import of the same folder besides itself; files at the folder's root may import every room.
 * Rooms that are not named here are free.
 */
export const rooms: Readonly<Record<string, readonly string[]>> = {
  'compiler/ir': [],
  'compiler/derivatives': ['compiler/ir'],
  'compiler/passes': ['compiler/ir'],
  'compiler/costs': ['compiler/ir', 'compiler/passes', 'compiler/derivatives'],
  'compiler/elaborate': ['compiler/ir', 'compiler/derivatives', 'compiler/passes', 'compiler/costs'],
  'compiler/optimizers': ['compiler/ir', 'compiler/derivatives', 'compiler/elaborate'],
  'compiler/loops': ['compiler/ir', 'compiler/passes'],
  'runs/records': [],
};

/** Folders under no arrow: the laws may look anywhere. */
export const unbound = ['spec'];

const tfjs = 'npm:@tensorflow/';
const lineLimit = 400;

const folderOf = (path: string): string => path.slice(0, path.indexOf('/'));

/** Where a specifier leads: `dsl/shape.ts`, `node:fs`, `immersion/dsl` or `npm:fp-ts/lib/Either.js`. */
const target = (from: string, specifier: string): string => {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
  return /^(node:|immersion\/)/.test(specifier) ? specifier : `npm:${specifier}`;
};

/** The imports of a file, those of types included. */
export const targets = (path: string, text: string): readonly string[] =>
  ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => target(path, fileName));

export const isAllowed = (from: string, to: string): boolean => {
  const folder = folderOf(from);
  if (unbound.includes(folder)) return true;
  if (to.startsWith(`${folder}/`)) {
    const room = Object.keys(rooms).find((name) => from.startsWith(`${name}/`));
    return room === undefined || [room, ...(rooms[room] ?? [])].some((name) => to.startsWith(`${name}/`));
  }
  const rules = arrows[folder] ?? [];
  if (to.startsWith(tfjs)) return rules.includes(tfjs);
  return rules.some((rule) => (/[:/]$/.test(rule) ? `${to}/`.startsWith(rule) : to === rule));
};

const forbidden = (path: string, text: string): readonly string[] =>
  targets(path, text)
    .filter((to) => !isAllowed(path, to))
    .map(
      (to) =>
        `${path} imports ${to}; ${folderOf(path)}/ may import ${arrows[folderOf(path)]?.join(', ') || 'nothing'}, and of its own rooms what \`rooms\` says`,
    );

const opening = (path: string, text: string): readonly string[] => {
  const comment = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '';
  return /\w[\s\S]*[.:?]/.test(comment) ? [] : [`${path} does not open with a sentence in /** … */`];
};

const size = (path: string, text: string): readonly string[] => {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return lines > lineLimit ? [`${path} has ${lines} lines; the limit is ${lineLimit}`] : [];
};

/** A cycle of a graph, its first node repeated at the end; empty where there is none. */
export const cycle = (graph: ReadonlyMap<string, readonly string[]>): readonly string[] => {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): readonly string[] => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return [];
    done.add(node);
    for (const next of graph.get(node) ?? []) {
      const found = visit(next, [...path, node]);
      if (found.length > 0) return found;
    }
    return [];
  };
  for (const node of graph.keys()) {
    const found = visit(node, []);
    if (found.length > 0) return found;
  }
  return [];
};

/** Every way in which the files break the laws of the house, one line each. */
export const violations = (sources: Sources): readonly string[] => {
  const graph = new Map([...sources].map(([path, text]) => [path, targets(path, text)]));
  const ring = cycle(graph);
  return [
    ...[...sources].flatMap(([path, text]) => [
      ...forbidden(path, text),
      ...opening(path, text),
      ...size(path, text),
    ]),
    ...(ring.length > 0 ? [`a cycle of imports: ${ring.join(' → ')}`] : []),
  ];
};
