/** Which weights a part of an optimizer is for, by their paths. */
import { showPath } from '../../dsl/path.js';
import { didYouMean, type Problem, problem } from '../../dsl/problem.js';
import { everyUpdate, type Optimizer, type Update } from '../../dsl/update.js';

/** `decoder` and all below it; `*` is one part of a path, `**` any number of them. */
export const matches = (where: string): ((path: string) => boolean) => {
  const parts = where
    .split('/')
    .map((part) =>
      part === '**'
        ? '(?:.*/)?'
        : `${part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')}/`,
    );
  const pattern = new RegExp(`^${parts.join('')}`);
  return (path) => pattern.test(`${path}/`);
};

/** Whether a weight is trained: those that are frozen are not. */
export const isTrained = ({ chain }: Optimizer): ((name: string) => boolean) => {
  const frozen = everyUpdate(chain).flatMap((update) =>
    update.tag === 'freeze' ? [matches(update.where)] : [],
  );
  return (name) => !frozen.some((holds) => holds(name));
};

const places = (
  updates: readonly Update[],
  path: readonly (string | number)[],
): readonly { readonly path: readonly (string | number)[]; readonly where: string }[] =>
  updates.flatMap((update, i) =>
    update.tag === 'only' || update.tag === 'freeze'
      ? [
          { path: [...path, i, 'where'], where: update.where },
          ...(update.tag === 'only' ? places(update.chain, [...path, i, 'chain']) : []),
        ]
      : [],
  );

/** Patterns that no weight is at, most likely a slip, and an optimizer that leaves nothing to train. */
export const whereProblems = (optimizer: Optimizer, names: readonly string[]): readonly Problem[] => {
  const networks = [...new Set(names.flatMap((name) => name.split('/')[0] ?? []))];
  const nowhere = places(optimizer.chain, ['optimizer', 'chain'])
    .filter(({ where }) => !names.some(matches(where)))
    .map(({ path, where }) =>
      problem(
        showPath(path),
        JSON.stringify(where),
        `the path of weights, in ${networks.join(', ')}`,
        didYouMean(where, [...networks, ...names]),
      ),
    );
  if (nowhere.length > 0 || names.length === 0 || names.some(isTrained(optimizer))) return nowhere;
  return [problem('optimizer.chain', 'every weight frozen', 'weights that are trained')];
};
