/** Types of the intermediate representation: a shape per example, and how many such rows each example of the batch has. */

/**
 * `rows: 0` is a value shared by the whole batch (a parameter, a schedule). `rows: r ≥ 1` is r rows for each example
 * (r > 1 under r probes); physically its leading axis has size batch · r.
 */
export type Type = { readonly rows: number; readonly shape: readonly number[] };

export const scalarType: Type = { rows: 0, shape: [] };

export const sizeOfShape = (shape: readonly number[]): number => shape.reduce((n, k) => n * k, 1);

/** The shape in memory: the batch axis included. */
export const physicalShape = (type: Type, batch: number): readonly number[] =>
  type.rows === 0 ? type.shape : [batch * type.rows, ...type.shape];

/** Number of rows in memory: 1 for a shared value. */
export const rowCount = (type: Type, batch: number): number => (type.rows === 0 ? 1 : batch * type.rows);

/** Number of elements in memory. */
export const elementCount = (type: Type, batch: number): number =>
  rowCount(type, batch) * sizeOfShape(type.shape);

export const sameType = (a: Type, b: Type): boolean =>
  a.rows === b.rows && a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i]);

/** `f[28,28,1]·b` for a value of each example, `f[32]·4b` for four rows of each, `f[3,3]` for a shared one. */
export const showType = ({ rows, shape }: Type): string =>
  `f[${shape.join(',')}]${rows === 0 ? '' : rows === 1 ? '·b' : `·${rows}b`}`;
