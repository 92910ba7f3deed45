/** Keys under which equal things are shared: JSON, but that tells ∞, −∞, NaN and −0 apart, which JSON writes as null and 0. */

const distinct = (_: string, value: unknown): unknown =>
  typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
    ? `number ${Object.is(value, -0) ? '-0' : value}`
    : value;

export const keyOf = (value: unknown): string => JSON.stringify(value, distinct);
