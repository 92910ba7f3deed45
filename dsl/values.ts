/** Numbers that cannot work whatever the data: a division by zero, and a learning rate that is not positive. */
import type { Experiment } from './experiment.js';
import type { Node } from './expressions/expression.js';
import { showPath } from './path.js';
import type { Problem } from './problem.js';
import { problem } from './problem.js';
import { once } from './expressions/once.js';
import { everyNode, nodesOf } from './expressions/rewrite.js';

/** Says whether an expression is zero for its constants and hyper-parameters alone; sums are not looked into. */
const zeroTest = (): ((node: Node) => boolean) => {
  const go: (node: Node) => boolean = once((node) => {
    switch (node.tag) {
      case 'constant':
      case 'hyper':
        return node.value === 0;
      case 'scale':
        return go(node.by) || go(node.of);
      case 'binary':
        return (
          (node.op === 'mul' && (go(node.left) || go(node.right))) || (node.op === 'div' && go(node.left))
        );
      case 'fill':
      case 'stop':
      case 'reshape':
        return go(node.of);
      case 'unary':
        return ['neg', 'sqrt', 'square', 'abs'].includes(node.op) && go(node.of);
      default:
        return false;
    }
  });
  return go;
};

const divisionProblems = (experiment: Experiment): readonly Problem[] => {
  const isZero = zeroTest();
  return everyNode(nodesOf(experiment)).flatMap(({ path, node }) =>
    node.tag === 'binary' && node.op === 'div' && isZero(node.right)
      ? [problem(showPath([...path, 'right']), '0', 'a divisor that is not zero')]
      : [],
  );
};

/** Of a rate that is one number; a schedule may begin or end at 0. */
const rateProblems = ({ optimizer: { rate } }: Experiment): readonly Problem[] =>
  (rate.tag === 'constant' || rate.tag === 'hyper') && rate.value <= 0
    ? [problem('optimizer.rate.value', String(rate.value), 'a positive number')]
    : [];

/** Divisions by a constant or hyper-parameter that is 0, and a constant learning rate that is not positive. */
export const valueProblems = (experiment: Experiment): readonly Problem[] => [
  ...divisionProblems(experiment),
  ...rateProblems(experiment),
];
