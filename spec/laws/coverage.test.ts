/** What the generators of experiments make holds every expression and every layer of the language: a new one that they lack fails here. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Experiment } from '../../dsl/index.js';
import { networksOf } from '../../dsl/index.js';
import { expressionFields } from '../../dsl/expressions/fields.js';
import { everyNode, nodesOf } from '../../dsl/expressions/rewrite.js';
import type { Layer } from '../../dsl/grammar.js';
import { layerFields } from '../../dsl/layers/fields.js';
import { innerLayers } from '../../dsl/layers/rewrite.js';
import { compilableExperiment } from '../../laws/arbitrary/experiment.js';
import { bijectiveFlow, injectiveFlow } from '../../laws/arbitrary/flow.js';
import { fromTape } from '../../laws/arbitrary/tape.js';
import { experiment } from '../arbitrary/experiment.js';
import { right } from '../shared/either.js';

const inside = (layers: readonly Layer[]): readonly Layer[] =>
  layers.flatMap((layer) => [layer, ...inside(innerLayers(layer))]);

type Tags = { readonly nodes: ReadonlySet<string>; readonly layers: ReadonlySet<string> };

const tagsOf = (experiments: readonly Experiment[]): Tags => {
  const nodes = experiments.flatMap((one) => everyNode(nodesOf(one)).map(({ node }) => node));
  const layers = experiments.flatMap((one) =>
    [...right(networksOf(one)).values()].flatMap((net) => inside(net.layers)),
  );
  const within = nodes.flatMap((node) => (node.tag === 'through' ? inside(node.layers) : []));
  return {
    nodes: new Set(nodes.map(({ tag }) => tag)),
    layers: new Set([...layers, ...within].map(({ tag }) => tag)),
  };
};

const lacking = (table: object, found: ReadonlySet<string>): readonly string[] =>
  Object.keys(table).filter((tag) => !found.has(tag));

describe('generated experiments', () => {
  test('that are written and read hold everything', () => {
    const { nodes, layers } = tagsOf(fc.sample(experiment, { numRuns: 400, seed: 1 }));
    expect(lacking(expressionFields, nodes)).toEqual([]);
    expect(lacking(layerFields, layers)).toEqual([]);
  });

  test('that are compiled and run hold everything but what has generators of its own', () => {
    const { nodes, layers } = tagsOf(fc.sample(compilableExperiment, { numRuns: 400, seed: 1 }));
    // Of flows (flows.test.ts), of injective networks (solve.test.ts, volume.test.ts) and of state (running.test.ts).
    expect(lacking(expressionFields, nodes)).toEqual(['running', 'logDet', 'solveGram', 'volume']);
    const flow = fromTape((tape) => tape.pick([bijectiveFlow, injectiveFlow])(tape, 6), 80);
    const inFlows = fc
      .sample(flow, { numRuns: 400, seed: 1 })
      .flatMap((net) => inside(net.layers))
      .map(({ tag }) => tag);
    expect(lacking(layerFields, new Set([...layers, ...inFlows]))).toEqual([]);
  });
});
