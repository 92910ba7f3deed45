/** What a field of the language's nodes may hold, and how it is written in JSON. */
import type * as t from 'io-ts/lib/index.js';
import type { KernelLayer, Layer, NetworkValue, Node } from './grammar.js';

/** The JSON form of a plain value. Methods, so that the codec of any value counts as one. */
export type Coder = {
  readonly name: string;
  validate(u: unknown, context: t.Context): t.Validation<unknown>;
  encode(value: unknown): unknown;
};

/** Where the subexpressions and layers of a node are, and what else it holds. */
export type Field =
  /** A subexpression, or several; absent from a node only where `isOptional`. */
  | { readonly kind: 'node'; readonly isOptional: boolean }
  | { readonly kind: 'nodes' }
  | { readonly kind: 'named'; readonly isOptional: boolean }
  /** Layers, in one list or in a list for each name, and a layer that is a part of another. */
  | { readonly kind: 'layers' }
  | { readonly kind: 'branches' }
  | { readonly kind: 'kernel' }
  | { readonly kind: 'network' }
  /** Anything else; in JSON it may be left out where there is a default. */
  | { readonly kind: 'value'; readonly of: Coder; readonly isOptional: boolean; readonly fallback?: unknown };

export type Fields = Readonly<Record<string, Field>>;

type Value<A> = {
  readonly kind: 'value';
  readonly of: t.Type<Exclude<A, undefined>, unknown, unknown>;
  readonly isOptional: undefined extends A ? true : false;
  readonly fallback?: A;
};

/** The kind of field that holds a value of type A, taken whole: a subexpression cannot pass for plain data. */
type FieldOf<A> = readonly [A] extends readonly [Node]
  ? typeof node
  : readonly [A] extends readonly [Node | undefined]
    ? typeof optionalNode
    : readonly [A] extends readonly [readonly Node[]]
      ? typeof nodes
      : readonly [A] extends readonly [Readonly<Record<string, Node>>]
        ? typeof named
        : readonly [A] extends readonly [Readonly<Record<string, Node>> | undefined]
          ? typeof optionalNamed
          : readonly [A] extends readonly [NetworkValue]
            ? typeof network
            : readonly [A] extends readonly [readonly Layer[]]
              ? typeof layers
              : readonly [A] extends readonly [Readonly<Record<string, readonly Layer[]>>]
                ? typeof branches
                : readonly [A] extends readonly [KernelLayer]
                  ? typeof kernel
                  : Value<A>;

/** The fields of one variant, all of them. */
export type FieldsOf<V> = {
  readonly [K in Exclude<keyof V, 'tag'>]-?: FieldOf<V[K]>;
};

/** Exhaustive by type: the fields of each variant of a union. */
export type FieldTable<U extends { readonly tag: string }> = {
  readonly [T in U['tag']]: FieldsOf<Extract<U, { readonly tag: T }>>;
};

export const node = { kind: 'node', isOptional: false } as const;
export const optionalNode = { kind: 'node', isOptional: true } as const;
export const nodes = { kind: 'nodes' } as const;
export const named = { kind: 'named', isOptional: false } as const;
export const optionalNamed = { kind: 'named', isOptional: true } as const;
export const layers = { kind: 'layers' } as const;
export const branches = { kind: 'branches' } as const;
export const kernel = { kind: 'kernel' } as const;
export const network = { kind: 'network' } as const;

/** A plain value, always there. */
export const value = <A>(of: t.Type<A, unknown, unknown>) =>
  ({ kind: 'value', of, isOptional: false }) as const;

/** A plain value that JSON may leave out. */
export const withDefault = <A>(of: t.Type<A, unknown, unknown>, fallback: NoInfer<A>) =>
  ({ kind: 'value', of, isOptional: false, fallback }) as const;

/** A plain value that may be absent. */
export const optional = <A>(of: t.Type<A, unknown, unknown>) =>
  ({ kind: 'value', of, isOptional: true }) as const;
