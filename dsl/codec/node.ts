/** The codecs of a union by its table of fields: one row for each tag, with the conditions between its fields. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts/lib/index.js';
import type { Field, Fields } from '../field.js';
import type { KernelLayer, Layer, NetworkValue, Node } from '../grammar.js';
import {
  checked,
  type Codec,
  codec,
  type Issue,
  list,
  optional,
  record,
  struct,
  such,
  withDefault,
} from './codec.js';
import { name } from './primitive.js';

/** The codecs of what refers to other parts of the language. */
export type Parts = {
  readonly node: Codec<Node>;
  /** A layer that may stand anywhere. */
  readonly layer: Codec<Layer>;
  readonly kernel: Codec<KernelLayer>;
  readonly network: Codec<NetworkValue>;
};

export const layersOf = (layer: Codec<Layer>): Codec<readonly Layer[]> =>
  list('an array of layers', () => layer);

/** A name, or '' for what is alone. */
const outputName = such('a name without "/"', (u): u is string => u === '' || name.is(u));

const codecOf = (field: Field, parts: Parts): t.Mixed => {
  switch (field.kind) {
    case 'node':
      return field.isOptional ? optional(parts.node) : parts.node;
    case 'nodes':
      return list('an array of at least one expression', () => parts.node, 1);
    case 'named': {
      const of = record('an object of expressions', outputName, parts.node, 1);
      return field.isOptional ? optional(of) : of;
    }
    case 'layers':
      return layersOf(parts.layer);
    case 'branches':
      return record('an object with at least one head', name, layersOf(parts.layer), 1);
    case 'kernel':
      return parts.kernel;
    case 'network':
      return parts.network;
    case 'value': {
      const { of, isOptional } = field;
      const plain = codec(
        of.name,
        (u, c) => of.validate(u, c),
        (value) => of.encode(value),
      );
      return isOptional ? optional(plain) : 'fallback' in field ? withDefault(plain, field.fallback) : plain;
    }
  }
};

/** Optional fields that are absent, rather than undefined. */
const present = (value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined));

const rowOf = (title: string, tag: string, fields: Fields, parts: Parts): t.Mixed => {
  const held = Object.fromEntries(
    Object.entries(fields).map(([field, of]): readonly [string, t.Mixed] => [field, codecOf(of, parts)]),
  );
  const whole: t.Mixed = struct(title, { tag: t.literal(tag), ...held });
  return codec(
    title,
    (u, context) => {
      const decoded = whole.validate(u, context);
      return E.isLeft(decoded) ? decoded : t.success(present(decoded.right));
    },
    (value) => present(whole.encode(value)),
  );
};

/** Conditions between the fields of a variant; `raw` is the value before decoding. A method, so that one of any variant counts as one. */
type Condition<V> = {
  issues(value: V, raw: Readonly<Record<string, unknown>>): readonly Issue[];
}['issues'];

export type Conditions<U extends { readonly tag: string }> = {
  readonly [T in U['tag']]?: Condition<Extract<U, { readonly tag: T }>>;
};

/** A codec for each tag of a table. */
export const rowsOf = (
  title: string,
  table: Readonly<Record<string, Fields>>,
  parts: Parts,
  conditions: Readonly<Record<string, Condition<never> | undefined>> = {},
): Readonly<Record<string, t.Mixed>> => {
  const check = new Map<string, Condition<unknown> | undefined>(Object.entries(conditions));
  return Object.fromEntries(
    Object.entries(table).map(([tag, fields]): readonly [string, t.Mixed] => {
      const row = rowOf(title, tag, fields, parts);
      const condition = check.get(tag);
      return [tag, condition === undefined ? row : checked(row, condition)];
    }),
  );
};
