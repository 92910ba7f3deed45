/** TensorFlow graphs as pure data: nodes with attributes, and signatures that say what is fed and fetched. A size of −1 is the batch's, known when the graph runs. */

import type { Output } from '../../compiler/ir/program.js';

export type DType = 'float' | 'double' | 'int32' | 'bool';

export type GraphAttribute =
  | { readonly tag: 'type'; readonly value: DType }
  | { readonly tag: 'bool'; readonly value: boolean }
  | { readonly tag: 'int'; readonly value: number }
  | { readonly tag: 'ints'; readonly value: readonly number[] }
  | { readonly tag: 'string'; readonly value: string }
  | { readonly tag: 'shape'; readonly value: readonly number[] }
  | {
      readonly tag: 'tensor';
      readonly dtype: DType;
      readonly shape: readonly number[];
      readonly values: ArrayLike<number>;
    };

export type GraphNode = {
  readonly name: string;
  readonly op: string;
  /** `node`, `node:1` for a later output, `^node` for a control dependency. */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, GraphAttribute>>;
};

export type Port = {
  readonly name: string;
  readonly node: string;
  readonly shape: readonly number[];
};

/** One way to call the graph: what `predict` takes and gives. */
export type Signature = {
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly OutputPort[];
};

/** What a program's output of that kind and name is fetched from. */
export type OutputPort = Port & Pick<Output, 'kind'>;

export type Graph = { readonly nodes: readonly GraphNode[]; readonly signatures: readonly Signature[] };

/** Longer constants are weights, which a reader does not want to see. */
const longestShown = 16;

const showAttribute = (a: GraphAttribute): string => {
  if (a.tag !== 'tensor') return String(a.value);
  const values =
    a.values.length > longestShown ? `${a.values.length} values` : Array.from(a.values).join(' ');
  return `${a.dtype}[${a.shape.join(',')}](${values})`;
};

/** One line a node, then the signatures. */
export const printGraph = ({ nodes, signatures }: Graph): string =>
  [
    ...nodes.map(({ name, op, inputs, attributes }) => {
      const params = Object.entries(attributes).map(([key, value]) => `${key}=${showAttribute(value)}`);
      return `${name} = ${op}${params.length === 0 ? '' : `[${params.join(' ')}]`} ${inputs.join(' ')}`.trimEnd();
    }),
    ...signatures.map(
      ({ name, inputs, outputs }) =>
        `signature ${name} (${inputs.map((p) => p.node).join(', ')}) → (${outputs.map((p) => p.node).join(', ')})`,
    ),
    '',
  ].join('\n');

/** The values of a tensor as its type lies in memory. */
export const tensorBytes = (dtype: DType, values: ArrayLike<number>): Uint8Array =>
  dtype === 'bool'
    ? Uint8Array.from(values)
    : new Uint8Array(
        (dtype === 'int32'
          ? Int32Array.from(values)
          : dtype === 'double'
            ? Float64Array.from(values)
            : Float32Array.from(values)
        ).buffer,
      );
