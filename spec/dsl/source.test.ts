/** Specifications as TypeScript: the text makes the value that it was made of, and type-checks. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import { experimentSource } from '../../dsl/index.js';
import type { Experiment } from '../../dsl/experiment.js';
import type { Node } from '../../dsl/expressions/expression.js';
import { sourceOf } from '../../dsl/printing/source/source.js';
import { importsFor } from '../../dsl/printing/source/text.js';
import { experimentsOf } from '../../laws/arbitrary/experiment.js';
import { bijectiveFlow, injectiveFlow } from '../../laws/arbitrary/flow.js';
import { everything } from '../../laws/arbitrary/network.js';
import { fromTape } from '../../laws/arbitrary/tape.js';
import { expr, network as anyNetwork } from '../arbitrary/experiment.js';
import { examples, fieldExamples } from '../shared/examples.js';
import { evaluated } from '../shared/module.js';
import { diagnostics } from './types/diagnostics.js';

/** As JSON has it: without what is undefined. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const moduleOf = (expressions: Readonly<Record<string, Node>>): string => {
  const { declarations, expressions: texts } = sourceOf(expressions, [], Object.keys(expressions));
  const body = [
    ...declarations,
    ...Object.entries(texts).map(([name, text]) => `export const ${name} = ${text};`),
  ].join('\n');
  return `${importsFor(body)}${body}`;
};

const rebuilt = (experiment: Experiment): void => {
  expect(plain(evaluated(experimentSource(experiment)).default)).toEqual(plain(experiment));
};

describe('the text of', () => {
  test.prop([experimentsOf(everything)])('an experiment makes it again', rebuilt);

  test.prop([expr], { numRuns: 300 })(
    'any expression makes it again, also one whose shapes do not fit',
    (node) => {
      expect(plain(evaluated(moduleOf({ found: node })).found)).toEqual(plain(node));
    },
  );

  test.prop([
    fc.oneof(
      fromTape((tape) => bijectiveFlow(tape, 4), 60),
      fromTape(injectiveFlow, 60),
      anyNetwork,
    ),
  ])('a network makes it again', (network) => {
    const of: Node = { tag: 'sqNormOfWeights', network, only: 'all' };
    expect(plain(evaluated(moduleOf({ found: of })).found)).toEqual(plain(of));
  });

  example.each(Object.entries({ ...examples, ...fieldExamples }))(
    'example %s makes it again',
    (_, { experiment }) => rebuilt(experiment),
  );

  test.prop([experimentsOf(everything)], { numRuns: 6 })('an experiment type-checks', (experiment) => {
    expect(diagnostics(experimentSource(experiment))).toEqual([]);
  });

  example.each(Object.entries({ ...examples, ...fieldExamples }))(
    'example %s type-checks',
    (_, { experiment }) => {
      expect(diagnostics(experimentSource(experiment))).toEqual([]);
    },
  );
});
