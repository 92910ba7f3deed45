/** Places in a JSON value, reading and replacing what stands there. */
import { atLeast } from '../../dsl/lookup.js';
import type { Path } from '../../dsl/path.js';

export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every place in a JSON value, the root too. */
export const places = (value: unknown, path: Path = []): readonly Path[] => [
  path,
  ...(Array.isArray(value)
    ? value.flatMap((one: unknown, i) => places(one, [...path, i]))
    : isObject(value)
      ? Object.entries(value).flatMap(([key, one]) => places(one, [...path, key]))
      : []),
];

/** The part at a path. */
export const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (inside, key) =>
      Array.isArray(inside) ? inside[Number(key)] : isObject(inside) ? inside[key] : undefined,
    value,
  );

/** The value with its part at a path replaced; deleted where the replacement is undefined. */
export const put = (value: unknown, path: Path, part: unknown): unknown => {
  if (path.length === 0) return part;
  const [key, ...rest] = atLeast(1, path);
  if (Array.isArray(value)) return value.map((one: unknown, i) => (i === key ? put(one, rest, part) : one));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries({ ...value, [key]: put(value[key], rest, part) }).filter(([, one]) => one !== undefined),
  );
};
