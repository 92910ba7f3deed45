/** Fields of examples on their way into a program: by row, as single-precision numbers. */
import type { Program } from '../../compiler/index.js';
import type { Source } from '../../data/dataset.js';
import {
  didYouMean,
  type Problem,
  problem,
  sameShape,
  type Shape,
  showShape,
  sizeOf,
} from '../../dsl/index.js';
import { type Either, left, right } from 'fp-ts/lib/Either.js';

/** Values by name, each row-major [rows, …shape]. */
export type FieldValues = ReadonlyMap<string, Float32Array>;

/** The fields that a program reads, with their shapes. */
export const fieldsOfProgram = (program: Program): ReadonlyMap<string, Shape> =>
  new Map(
    program.binders.flatMap(({ kind, name, var: x }) =>
      kind === 'data' && name !== 'data' ? [[name, x.type.shape] as const] : [],
    ),
  );

/** The values of all fields of a source at these rows. */
export const fieldsAt = ({ fields = {} }: Pick<Source, 'fields'>, rows: Int32Array): FieldValues =>
  new Map(
    Object.entries(fields).map(([name, { shape, values }]) => {
      const width = sizeOf(shape);
      const found = new Float32Array(rows.length * width);
      rows.forEach((row, i) => found.set(values.subarray(row * width, (row + 1) * width), i * width));
      return [name, found] as const;
    }),
  );

/** Fields that are read and that a source does not have, or has in another shape. */
export const fieldProblems = (
  wanted: ReadonlyMap<string, Shape>,
  { name: source, fields = {} }: Pick<Source, 'name' | 'fields'>,
): readonly Problem[] => {
  const known = Object.keys(fields).map((name) => JSON.stringify(name));
  return [...wanted].flatMap(([name, shape]) => {
    const found = fields[name];
    const expected = `the field ${JSON.stringify(name)} of shape ${showShape(shape)}`;
    const has = known.length === 0 ? 'no field' : `the fields ${known.join(', ')}`;
    if (found === undefined) return [problem('data', `${has} in ${JSON.stringify(source)}`, expected)];
    return sameShape(found.shape, shape)
      ? []
      : [problem('data', `the field ${JSON.stringify(name)} of shape ${showShape(found.shape)}`, expected)];
  });
};

/** Values of fields by name: of one example, which all have then, or of every example one after another. */
export type FieldsGiven = Readonly<Record<string, number | ArrayLike<number>>>;

/** What a program is told of each of so many rows; a field that it does not read, or as many numbers as fit no row, are problems. */
export const givenFields = (
  program: Program,
  count: number,
  given: FieldsGiven,
): Either<readonly Problem[], FieldValues> => {
  const wanted = fieldsOfProgram(program);
  const names = [...wanted.keys()];
  const of = (name: string): ArrayLike<number> => {
    const value = given[name] ?? [];
    return typeof value === 'number' ? [value] : value;
  };
  const unknown = Object.keys(given)
    .filter((name) => !wanted.has(name))
    .map((name) =>
      problem(
        `fields.${name}`,
        'a field',
        names.length === 0 ? `none: ${program.name} reads no field` : `one of ${names.join(', ')}`,
        didYouMean(name, names),
      ),
    );
  const wrong = [...wanted].flatMap(([name, shape]) => {
    const [found, size] = [of(name).length, sizeOf(shape)];
    const isWhole = found === size || found === size * count;
    const each = size === 1 ? 'a number' : `${size} numbers`;
    return isWhole
      ? []
      : [
          problem(
            `fields.${name}`,
            found === 0 ? 'nothing' : `${found} numbers`,
            `${each} for all examples, or for each of ${count}`,
          ),
        ];
  });
  if (unknown.length + wrong.length > 0) return left([...unknown, ...wrong]);
  return right(
    new Map(
      [...wanted].map(([name, shape]) => {
        const [values, size] = [of(name), sizeOf(shape)];
        const at = (i: number): number => values[values.length === size ? i % size : i] ?? NaN;
        return [name, Float32Array.from({ length: count * size }, (_, i) => at(i))] as const;
      }),
    ),
  );
};
