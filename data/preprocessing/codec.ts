/** Preprocessing as JSON, both ways: numbers keep all their digits. */
import { atLeast } from '../../dsl/lookup.js';
import { type Either, mapLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts/lib/index.js';
import {
  checked,
  type Codec,
  type Issue,
  list,
  mapped,
  oneOf,
  optional,
  struct,
  such,
  tagged,
} from '../../dsl/codec/codec.js';
import {
  anyString,
  finite,
  nonNegativeInteger,
  positiveInteger,
  positiveNumber,
} from '../../dsl/codec/primitive.js';
import { contextPath, problemsOf } from '../../dsl/codec/problems.js';
import type { Problem } from '../../dsl/problem.js';
import { type Column, columnWidth, type PictureForm, type Preprocessing } from './preprocessing.js';

const strings = list('a list of names', () => anyString);
const numbers = list('a list of numbers', () => finite);

const column = tagged<Column>('a column', {
  number: struct('a column of numbers', { tag: t.literal('number'), name: anyString }),
  category: struct('a column of categories', {
    tag: t.literal('category'),
    name: anyString,
    categories: list('a list of categories', () => anyString, 1),
  }),
});

const byte = such('a number from 0 to 255', (u): u is number => typeof u === 'number' && u >= 0 && u <= 255);

const pictures: Codec<PictureForm> = struct('how pictures are read', {
  crop: nonNegativeInteger,
  size: nonNegativeInteger,
  channels: such('1, 2, 3 or 4', (u): u is 1 | 2 | 3 | 4 => u === 1 || u === 2 || u === 3 || u === 4),
  background: mapped(
    checked(
      list('red, green and blue', () => byte, 3),
      (value) =>
        value.length === 3
          ? []
          : [{ key: '3', found: value[3], expected: 'three numbers: red, green and blue' }],
    ),
    (value) => {
      const [red, green, blue] = atLeast(3, value);
      return [red, green, blue] as const;
    },
    (value) => [...value],
  ),
});

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, one) => product * one, 1);

/** What each field says alone may not fit together. */
const fits = ({ shape, columns, range, scaling }: Preprocessing): readonly Issue[] => {
  const size = sizeOf(shape);
  const width = columns?.reduce((sum, one) => sum + columnWidth(one), 0);
  const names = new Set(columns?.map(({ name }) => name));
  const lengths = scaling === undefined ? [] : [scaling.mean.length, scaling.deviation.length];
  return [
    ...(width === undefined || (shape.length === 1 && width === size)
      ? []
      : [{ key: 'columns', found: columns, expected: `columns of ${size} elements, the shape's` }]),
    ...(names.size === (columns?.length ?? 0)
      ? []
      : [{ key: 'columns', found: columns, expected: 'columns of different names' }]),
    ...(range === undefined || range.most > range.least
      ? []
      : [{ key: 'range', found: range.most, expected: 'more than the least' }]),
    ...(lengths.every((length) => length === size)
      ? []
      : [{ key: 'scaling', found: scaling, expected: `${size} means and deviations, one for each element` }]),
  ];
};

export const preprocessingCodec: Codec<Preprocessing> = checked(
  struct('an object that says how rows become examples', {
    shape: list('a shape', () => positiveInteger, 1),
    columns: optional(list('a list of columns', () => column, 1)),
    pictures: optional(pictures),
    missing: oneOf('refuse', 'drop', 'mask'),
    range: optional(struct('a range', { least: finite, most: finite })),
    scaling: optional(
      struct('means and deviations', {
        mean: numbers,
        deviation: list('a list of positive numbers', () => positiveNumber),
      }),
    ),
    labels: list('a list of classes', () =>
      struct('the classes of a field', { field: anyString, classes: strings }),
    ),
  }),
  fits,
);

export const encodePreprocessing = (preprocessing: Preprocessing): unknown =>
  preprocessingCodec.encode(preprocessing);

/** What JSON says, or every problem of it. */
export const decodePreprocessing = (json: unknown): Either<readonly Problem[], Preprocessing> =>
  mapLeft((errors: t.Errors) => problemsOf(errors, contextPath))(preprocessingCodec.decode(json));
