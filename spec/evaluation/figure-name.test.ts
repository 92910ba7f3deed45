/** Names of figures: what is written is read again, and what is something else is not mistaken for one. */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  type FigureName,
  figureName,
  lessIsBetter,
  priorNames,
  readFigureName,
} from '../../evaluation/index.js';

const figure: fc.Arbitrary<FigureName> = fc.oneof(
  fc.record({
    part: fc.constantFrom('validation', 'test', 'fit'),
    of: fc.constantFrom('reconstructions', ...priorNames),
    score: fc.constantFrom('frechet/pixels', 'frechet/a/path/to/mixture/graph.onnx', 'fid', 'rounds'),
  }),
  fc.record({
    part: fc.constantFrom('validation', 'test'),
    score: fc.constantFrom(
      'nll',
      'reconstruction',
      'reencoding/samples',
      'outside/a/test/b.csv/auc/likelihood',
      'mixture',
    ),
  }),
);

describe('the name of a figure', () => {
  property.prop([figure])('is read as what was written', (one) => {
    expect(readFigureName(figureName(one))).toEqual(one);
  });

  test.each(['loss', 'tests/mixture/frechet/pixels', 'test', 'test/', '', 'constructor/x', 'validation'])(
    '%j is none',
    (name) => {
      expect(readFigureName(name)).toBeUndefined();
    },
  );
});

test('of precision and recall more is better, of all else less', () => {
  expect(['precision/pixels', 'recall/raw', 'frechet/precision', 'fid', 'nll'].map(lessIsBetter)).toEqual([
    false,
    false,
    true,
    true,
    true,
  ]);
});
