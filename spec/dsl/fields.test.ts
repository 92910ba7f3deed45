/** One table says what a node holds, so a field that it leaves out, or takes for another kind, does not compile. */
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { node } from '../../dsl/field.js';
import { value, type FieldTable } from '../../dsl/field.js';
import { finite } from '../../dsl/codec/primitive.js';
import { expressionFields } from '../../dsl/expressions/fields.js';
import { innerLayers, mapLayer, someLayer } from '../../dsl/layers/rewrite.js';
import { layerFields } from '../../dsl/layers/fields.js';
import type { Layer, Node } from '../../dsl/grammar.js';

type Small = { readonly tag: 'half'; readonly of: Node; readonly by: number };

test('a field that is left out, a subexpression taken for a value and an optional one taken for a required do not compile', () => {
  expectTypeOf<{
    readonly half: { readonly of: typeof node; readonly by: ReturnType<typeof value<number>> };
  }>().toExtend<FieldTable<Small>>();
  expectTypeOf<{ readonly half: { readonly of: typeof node } }>().not.toExtend<FieldTable<Small>>();
  expectTypeOf<{
    readonly half: {
      readonly of: ReturnType<typeof value<number>>;
      readonly by: ReturnType<typeof value<number>>;
    };
  }>().not.toExtend<FieldTable<Small>>();
  expect(value(finite).of.is(1)).toBe(true);
});

test('no two rows are of one tag, and each tag has a row', () => {
  expect(Object.keys(expressionFields).length + Object.keys(layerFields).length).toBe(
    new Set([...Object.keys(expressionFields), ...Object.keys(layerFields).map((tag) => `layer ${tag}`)])
      .size,
  );
});

describe('layers inside layers', () => {
  const leaf = (slope: number): Layer => ({ tag: 'activation', name: 'leakyRelu', slope });
  const tree: Layer = {
    tag: 'heads',
    heads: { a: [{ tag: 'residual', layers: [leaf(1), leaf(2)] }], b: [leaf(3)] },
  };

  test('are found in lists and in branches', () => {
    expect(innerLayers(tree).map(({ tag }) => tag)).toEqual(['residual', 'activation']);
    expect(someLayer([tree], (layer) => layer.tag === 'activation' && layer.slope === 2)).toBe(true);
    expect(someLayer([tree], (layer) => layer.tag === 'activation' && layer.slope === 4)).toBe(false);
  });

  test('are rewritten from the inside out, and nothing else is', () => {
    const doubled = mapLayer(tree, (layer) =>
      layer.tag === 'activation' ? { ...layer, slope: 2 * layer.slope } : layer,
    );
    expect(doubled).toEqual({
      tag: 'heads',
      heads: { a: [{ tag: 'residual', layers: [leaf(2), leaf(4)] }], b: [leaf(6)] },
    });
  });
});
