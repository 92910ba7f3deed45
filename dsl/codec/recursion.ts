/** Networks that apply themselves, found before anything is decoded: a function is its body, written out. */
import { problem, type Problem } from '../problem.js';
import { showPath } from '../path.js';
import { isRecord } from './codec.js';

/** The names of the networks that a JSON value applies. */
const referencesIn = (json: unknown): readonly string[] => {
  if (Array.isArray(json)) return json.flatMap(referencesIn);
  if (!isRecord(json)) return [];
  const { network, ...rest } = json;
  const name = isRecord(network) ? network.inverse : network;
  return [...(typeof name === 'string' ? [name] : []), ...Object.values(rest).flatMap(referencesIn)];
};

/** The way from a network back to itself, if there is one. */
const wayBack = (
  graph: ReadonlyMap<string, readonly string[]>,
  to: string,
  path: readonly string[],
): readonly string[] | undefined => {
  const next = graph.get(path.at(-1) ?? '') ?? [];
  return next.includes(to)
    ? [...path, to]
    : next
        .filter((name) => !path.includes(name))
        .map((name) => wayBack(graph, to, [...path, name]))
        .find((found) => found !== undefined);
};

/** A problem for each network of a table that comes back to itself. */
export const recursionProblems = (table: unknown): readonly Problem[] => {
  if (!isRecord(table)) return [];
  const graph = new Map(
    Object.entries(table).map(([name, body]) => [name, [...new Set(referencesIn(body))]] as const),
  );
  return [...graph.keys()].flatMap((name) => {
    const way = wayBack(graph, name, [name]);
    return way === undefined
      ? []
      : [problem(showPath(['networks', name]), `itself in its body (${way.join(' → ')})`, 'no recursion')];
  });
};
