/** Conditions between the fields of a layer. */
import { isInvertible } from '../layers/bijector.js';
import { everyNode, isInBody } from '../expressions/rewrite.js';
import { someLayer } from '../layers/rewrite.js';
import type { Layer } from '../grammar.js';
import type { Issue } from './codec.js';
import type { Conditions } from './node.js';

/** What a conditioner may not hold: both directions of a coupling must see one function. */
const couplesOrMasks = ({ tag }: Layer): boolean => tag === 'batchNorm' || tag === 'dropout';

/** Layers of a part of a flow. */
const invertibleIssues = ({ layers }: { readonly layers: readonly Layer[] }): readonly Issue[] =>
  layers.flatMap((layer) =>
    isInvertible(layer) && layer.tag !== 'inject'
      ? []
      : [{ key: 'layers', found: layer.tag, expected: 'layers that have an inverse on both sides' }],
  );

export const layerConditions: Conditions<Layer> = {
  coupling: ({ conditioner }) =>
    someLayer(conditioner, couplesOrMasks)
      ? [
          {
            key: 'conditioner',
            found: 'batch statistics or dropout',
            expected: 'layers that are a function of their input alone',
            hint: 'the inverse of a coupling must see the same function',
          },
        ]
      : [],
  defined: ({ arguments: shapes, outputs }) => {
    const roots = Object.entries(outputs).map(([name, node]) => ({ path: [name], node }));
    const used = everyNode(roots).flatMap((located) =>
      located.node.tag === 'argument' && !isInBody(located) ? [located.node.name] : [],
    );
    return Object.keys(shapes)
      .filter((name) => !used.includes(name))
      .map((name) => ({
        key: 'arguments',
        found: name,
        expected: 'arguments that the body uses',
        hint: `nothing depends on ${name}`,
      }));
  },
  bijection: (layer) =>
    (['forward', 'inverse'] as const).flatMap((key) => {
      const argument = key === 'forward' ? 'x' : 'y';
      const uses = everyNode([{ path: [key], node: layer[key] }]).some(
        (located) => located.node.tag === 'argument' && !isInBody(located) && located.node.name === argument,
      );
      return uses ? [] : [{ key, found: undefined, expected: `an expression of the argument ${argument}` }];
    }),
  factorOut: invertibleIssues,
  inverse: invertibleIssues,
};
