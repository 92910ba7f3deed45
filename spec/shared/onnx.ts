/** Writes the smallest ONNX files, protobuf by hand: a chain of operations without weights or attributes. */

type Bytes = readonly number[];

const varint = (value: number): Bytes =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];

const integer = (field: number, value: number): Bytes => [...varint(field << 3), ...varint(value)];

const message = (field: number, bytes: Bytes): Bytes => [
  ...varint((field << 3) | 2),
  ...varint(bytes.length),
  ...bytes,
];

const text = (field: number, value: string): Bytes => message(field, [...new TextEncoder().encode(value)]);

/** A float array by name; sizes that are words are free. */
const array = (field: number, name: string, shape: readonly (number | string)[]): Bytes => {
  const dimensions = shape.flatMap((size) =>
    message(1, typeof size === 'number' ? integer(1, size) : text(2, size)),
  );
  const tensor = [...integer(1, 1), ...message(2, dimensions)];
  return message(field, [...text(1, name), ...message(2, message(1, tensor))]);
};

/** A model whose input `x` goes through the operations, one after another, to its output `y`. */
export const onnxFile = (
  operations: readonly string[],
  input: readonly (number | string)[],
  output: readonly (number | string)[],
): Uint8Array => {
  const name = (i: number): string => (i === 0 ? 'x' : i === operations.length ? 'y' : `t${i}`);
  const nodes = operations.flatMap((operation, i) =>
    message(1, [...text(1, name(i)), ...text(2, name(i + 1)), ...text(4, operation)]),
  );
  const graph = [...nodes, ...text(2, 'graph'), ...array(11, 'x', input), ...array(12, 'y', output)];
  const operators = integer(2, 13);
  return Uint8Array.from([...integer(1, 7), ...message(7, graph), ...message(8, operators)]);
};
