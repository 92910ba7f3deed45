/** Fields of examples on their way into a program: by row, as single-precision numbers. */
import type { Program } from '../../compiler/index.js';
import type { Source } from '../../data/dataset.js';
import { type Problem, problem, sameShape, type Shape, showShape, sizeOf } from '../../dsl/index.js';

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
