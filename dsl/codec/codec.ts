/**
 * How codecs are put together. A codec's name is what it expects (`a positive integer`), so an io-ts error already
 * holds where, what was found and what was expected; its message is the hint.
 */
import { entryOf } from '../lookup.js';
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts/lib/index.js';
import { didYouMean } from '../problem.js';

export type Codec<A> = t.Type<A, unknown, unknown>;

export const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === 'object' && u !== null && !Array.isArray(u);

const identity = <A>(a: A): A => a;

/** The values for which a predicate holds. */
export const such = <A>(name: string, is: t.Is<A>): Codec<A> =>
  new t.Type<A, unknown, unknown>(name, is, (u, c) => (is(u) ? t.success(u) : t.failure(u, c)), identity);

/** A codec from its two directions, for values whose JSON form has their own shape. */
export const codec = <A>(
  name: string,
  validate: t.Validate<unknown, A>,
  encode: t.Encode<A, unknown>,
): Codec<A> =>
  new t.Type<A, unknown, unknown>(name, (u): u is A => E.isRight(validate(u, [])), validate, encode);

/** `one of same, valid`, with the nearest of them as a hint. */
export const oneOf = <const T extends readonly string[]>(...known: T): Codec<T[number]> => {
  const is = (u: unknown): u is T[number] => typeof u === 'string' && known.includes(u);
  return new t.Type<T[number], unknown, unknown>(
    `one of ${known.join(', ')}`,
    is,
    (u, c) =>
      is(u) ? t.success(u) : t.failure(u, c, typeof u === 'string' ? didYouMean(u, known) : undefined),
    identity,
  );
};

/** A part of a value that is not as expected, found only once the parts themselves are known to be well-formed. */
export type Issue = {
  readonly key: string;
  readonly found: unknown;
  readonly expected: string;
  readonly hint?: string | undefined;
};

const errorAt = (context: t.Context, { key, found, expected, hint }: Issue): t.ValidationError => ({
  value: found,
  context: t.appendContext(
    context,
    key,
    such(expected, (_): _ is never => false),
    found,
  ),
  ...(hint === undefined ? {} : { message: hint }),
});

/** The message of an error that was reported where the same object or network occurred first. */
const reported = 'reported before';

export const isReported = (error: t.ValidationError): boolean => error.message === reported;

export const failedBefore = <A>(u: unknown, context: t.Context): t.Validation<A> =>
  t.failure(u, context, reported);

/** All results, or all errors. */
export const all = <A>(results: readonly t.Validation<A>[]): t.Validation<readonly A[]> => {
  const errors = results.flatMap((result) => (E.isLeft(result) ? result.left : []));
  return errors.length > 0
    ? t.failures(errors)
    : t.success(results.flatMap((result) => (E.isRight(result) ? [result.right] : [])));
};

/** An object with these fields and no others. */
export const struct = <P extends t.Props>(name: string, props: P): Codec<t.TypeOfProps<P>> => {
  const fields = t.type(props, name);
  const known = Object.keys(props);
  const extra = (u: unknown, context: t.Context): readonly t.ValidationError[] =>
    isRecord(u)
      ? Object.keys(u)
          .filter((key) => u[key] !== undefined && !known.includes(key))
          .map((key) =>
            errorAt(context, {
              key,
              found: key,
              expected: `no other fields than ${known.join(', ')}`,
              hint: didYouMean(key, known),
            }),
          )
      : [];
  return codec(
    name,
    (u, context) => {
      const result = fields.validate(u, context);
      const errors = [...(E.isLeft(result) ? result.left : []), ...extra(u, context)];
      return errors.length > 0 ? t.failures(errors) : result;
    },
    (value) => fields.encode(value),
  );
};

/** Absent means `value`. */
export const withDefault = <A>(of: Codec<A>, value: A): Codec<A> =>
  codec(of.name, (u, c) => (u === undefined ? t.success(value) : of.validate(u, c)), of.encode);

export const optional = <A>(of: Codec<A>): Codec<A | undefined> =>
  codec<A | undefined>(
    of.name,
    (u, c) => (u === undefined ? t.success(undefined) : of.validate(u, c)),
    (value) => (value === undefined ? undefined : of.encode(value)),
  );

/** The same JSON form for another type. */
export const mapped = <A, B>(of: Codec<A>, to: (a: A) => B, from: (b: B) => A): Codec<B> =>
  codec<B>(
    of.name,
    (u, c) => E.map(to)(of.validate(u, c)),
    (b) => of.encode(from(b)),
  );

/** A codec with conditions between its fields; `raw` is the value before decoding. */
export const checked = <A>(
  of: Codec<A>,
  issues: (value: A, raw: Readonly<Record<string, unknown>>) => readonly Issue[],
): Codec<A> =>
  codec(
    of.name,
    (u, context) =>
      E.chain<t.Errors, A, A>((value) => {
        const found = issues(value, isRecord(u) ? u : {});
        return found.length > 0
          ? t.failures(found.map((issue) => errorAt(context, issue)))
          : t.success(value);
      })(of.validate(u, context)),
    of.encode,
  );

/**
 * The codec of one tag. Methods, so that a codec of one variant counts as a row of the whole union: a row is only ever
 * given values of its own tag.
 */
type Row<U> = {
  validate(u: unknown, context: t.Context): t.Validation<U>;
  encode(value: U): unknown;
};

/** Exhaustive by type: a codec for each tag of a union. */
export type Rows<U extends { readonly tag: string }, Tags extends U['tag'] = U['tag']> = {
  readonly [K in Tags]: Codec<Extract<U, { readonly tag: K }>>;
};

/** A union told apart by `tag`; only the branch of the tag found reports errors. */
export const tagged = <U extends { readonly tag: string }>(
  name: string,
  rows: Readonly<Record<string, Row<U>>>,
  hints: Readonly<Record<string, string>> = {},
): Codec<U> => {
  const tags = Object.keys(rows);
  const hintFor = (tag: unknown): string | undefined =>
    typeof tag !== 'string' ? undefined : Object.hasOwn(hints, tag) ? hints[tag] : didYouMean(tag, tags);
  return codec<U>(
    name,
    (u, context) => {
      if (!isRecord(u)) return t.failure(u, context);
      return typeof u.tag === 'string' && Object.hasOwn(rows, u.tag)
        ? entryOf(rows, u.tag).validate(u, context)
        : t.failures([
            errorAt(context, {
              key: 'tag',
              found: u.tag,
              expected: `one of ${tags.join(', ')}`,
              hint: hintFor(u.tag),
            }),
          ]);
    },
    (value) => (Object.hasOwn(rows, value.tag) ? entryOf(rows, value.tag).encode(value) : value),
  );
};

/** An object whose keys are names chosen by the user. */
export const record = <A>(
  name: string,
  key: Codec<string>,
  of: Codec<A>,
  atLeast: number,
): Codec<Readonly<Record<string, A>>> =>
  codec<Readonly<Record<string, A>>>(
    name,
    (u, context) => {
      if (!isRecord(u) || Object.keys(u).length < atLeast) return t.failure(u, context);
      const keys = Object.keys(u).map((k) => key.validate(k, t.appendContext(context, k, key, k)));
      const values = Object.entries(u).map(([k, value]) =>
        E.map((a: A) => [k, a] as const)(of.validate(value, t.appendContext(context, k, of, value))),
      );
      const named = all<string | readonly [string, A]>([...keys, ...values]);
      return E.map((entries: readonly (readonly [string, A])[]) => Object.fromEntries(entries))(
        E.isLeft(named) ? named : all(values),
      );
    },
    (value) => Object.fromEntries(Object.entries(value).map(([k, a]) => [k, of.encode(a)])),
  );

/** A list whose element codec may depend on the place: `of(i, length)`. */
export const list = <A>(
  name: string,
  of: (index: number, length: number) => Codec<A>,
  atLeast = 0,
): Codec<readonly A[]> =>
  codec<readonly A[]>(
    name,
    (u, context) =>
      Array.isArray(u) && u.length >= atLeast
        ? all(
            Array.from(u, (value: unknown, i) => {
              const element = of(i, u.length);
              return element.validate(value, t.appendContext(context, String(i), element, value));
            }),
          )
        : t.failure(u, context),
    (values) => values.map((value, i) => of(i, values.length).encode(value)),
  );

/**
 * A codec that handles each object once, by identity: shared parts stay shared, take no exponential time and report
 * their errors once. Made anew for each value, so that nothing is remembered about objects that change later.
 */
export const remembered = <A extends object>(of: Codec<A>): Codec<A> => {
  const decoded = new WeakMap<object, t.Validation<A>>();
  const encoded = new WeakMap<object, { readonly json: unknown }>();
  return codec<A>(
    of.name,
    (u, context) => {
      if (typeof u !== 'object' || u === null) return of.validate(u, context);
      const known = decoded.get(u);
      if (known !== undefined) return E.isLeft(known) ? failedBefore(u, context) : known;
      const result = of.validate(u, context);
      decoded.set(u, result);
      return result;
    },
    (value) => {
      const known = encoded.get(value);
      if (known !== undefined) return known.json;
      const json = of.encode(value);
      encoded.set(value, { json });
      return json;
    },
  );
};
