/** Primitives that move, repeat or add up elements: all linear, each the transpose of another. */
import { elementAt, float64At, int32At, last } from '../../../dsl/lookup.js';
import { atRows, constantLike } from '../operations.js';
import type { JvpContext, Row, Value } from '../primitive.js';
import type { Var } from '../program.js';
import { elementCount, rowCount, showType, sizeOfShape } from '../type.js';

const noFlops = (): number => 0;

/** The rule of every linear primitive with one input: the tangent goes through the same equation. */
const through =
  <P extends Exclude<StructureName, 'constant' | 'concat'>>(name: P) =>
  ({ emit, params, tangents: [t] }: JvpContext<P>): Var | null =>
    t === null ? null : emit(name, params, [t]);

/** Row-major strides. */
export const stridesOf = (shape: readonly number[]): readonly number[] =>
  shape.map((_, i) => sizeOfShape(shape.slice(i + 1)));

/** For every element of `shape` in row-major order, offset + Σ index·strides. */
export const gatherIndices = (
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): Int32Array => {
  let indices = new Int32Array([offset]);
  shape.forEach((n, axis) => {
    const next = new Int32Array(indices.length * n);
    for (let i = 0; i < indices.length; i++) {
      for (let k = 0; k < n; k++) next[i * n + k] = int32At(indices, i) + k * elementAt(strides, axis);
    }
    indices = next;
  });
  return indices;
};

/** Reads one row's elements at the given places, for every row. */
const gatherRows = ({ type, data }: Value, batch: number, places: Int32Array): Float64Array => {
  const size = sizeOfShape(type.shape);
  const count = rowCount(type, batch);
  const result = new Float64Array(count * places.length);
  for (let r = 0; r < count; r++) {
    for (let i = 0; i < places.length; i++) {
      const place = int32At(places, i);
      result[r * places.length + i] = place < 0 ? 0 : float64At(data, r * size + place);
    }
  }
  return result;
};

const isPermutation = (p: readonly number[], rank: number): boolean =>
  p.length === rank && [...p].sort((a, b) => a - b).every((axis, i) => axis === i);

const inverse = (permutation: readonly number[]): readonly number[] =>
  permutation.map((_, i) => permutation.indexOf(i));

/** Axes of the output that a broadcast repeats. */
export const repeatedAxes = (shape: readonly number[], axes: readonly number[]): readonly number[] =>
  shape.map((_, i) => i).filter((i) => !axes.includes(i));

export const structure: { readonly [P in StructureName]: Row<P> } = {
  constant: {
    type: ({ rows, shape }) => ({ rows, shape }),
    evaluate: ({ value }, _, out, batch) => new Float64Array(elementCount(out, batch)).fill(value),
    jvp: () => null,
    transpose: null,
    flops: noFlops,
  },
  broadcast: {
    type: ({ shape, axes }, [x]) =>
      axes.length === x.shape.length &&
      axes.every((axis, i) => shape[axis] === x.shape[i] && (i === 0 || axis > elementAt(axes, i - 1)))
        ? { rows: x.rows, shape }
        : `ascending axes of [${shape.join(',')}] with the sizes of ${showType(x)}, found [${axes.join(',')}]`,
    evaluate: ({ shape, axes }, [x], _, batch) => {
      const own = stridesOf(x.type.shape);
      const strides = shape.map((_, i) => (axes.includes(i) ? elementAt(own, axes.indexOf(i)) : 0));
      return gatherRows(x, batch, gatherIndices(shape, strides));
    },
    jvp: through('broadcast'),
    transpose: ({ emit, params: { shape, axes }, cotangent }) => [
      emit('reduce', { op: 'add', axes: repeatedAxes(shape, axes) }, [cotangent]),
    ],
    flops: noFlops,
  },
  reshape: {
    type: ({ shape }, [x]) =>
      sizeOfShape(shape) === sizeOfShape(x.shape)
        ? { rows: x.rows, shape }
        : `as many elements as [${shape.join(',')}], found ${showType(x)}`,
    evaluate: (_, [x]) => x.data,
    jvp: through('reshape'),
    transpose: ({ emit, inputs: [x], cotangent }) => [emit('reshape', { shape: x.type.shape }, [cotangent])],
    flops: noFlops,
  },
  permute: {
    type: ({ permutation }, [x]) =>
      isPermutation(permutation, x.shape.length)
        ? { rows: x.rows, shape: permutation.map((axis) => elementAt(x.shape, axis)) }
        : `a permutation of the axes of ${showType(x)}, found [${permutation.join(',')}]`,
    evaluate: ({ permutation }, [x], out, batch) => {
      const own = stridesOf(x.type.shape);
      return gatherRows(
        x,
        batch,
        gatherIndices(
          out.shape,
          permutation.map((axis) => elementAt(own, axis)),
        ),
      );
    },
    jvp: through('permute'),
    transpose: ({ emit, params: { permutation }, cotangent }) => [
      emit('permute', { permutation: inverse(permutation) }, [cotangent]),
    ],
    flops: noFlops,
  },
  reorder: {
    type: ({ order }, [x]) =>
      x.shape.length > 0 && isPermutation(order, last(x.shape))
        ? x
        : `a permutation of the last axis of ${showType(x)}, found [${order.join(',')}]`,
    evaluate: ({ order }, [x]) => {
      const n = order.length;
      return x.data.map((_, i) => float64At(x.data, i - (i % n) + elementAt(order, i % n)));
    },
    jvp: through('reorder'),
    transpose: ({ emit, params: { order }, cotangent }) => [
      emit('reorder', { order: inverse(order) }, [cotangent]),
    ],
    flops: noFlops,
  },
  slice: {
    type: ({ begin, size }, [x]) =>
      begin.length === x.shape.length &&
      size.length === x.shape.length &&
      x.shape.every(
        (n, i) =>
          elementAt(begin, i) >= 0 &&
          elementAt(size, i) >= 1 &&
          elementAt(begin, i) + elementAt(size, i) <= n,
      )
        ? { rows: x.rows, shape: size }
        : `a block inside ${showType(x)}, found begin [${begin.join(',')}] size [${size.join(',')}]`,
    evaluate: ({ begin, size }, [x], _, batch) => {
      const own = stridesOf(x.type.shape);
      const offset = begin.reduce((sum, b, i) => sum + b * elementAt(own, i), 0);
      return gatherRows(x, batch, gatherIndices(size, own, offset));
    },
    jvp: through('slice'),
    transpose: ({ emit, params: { begin, size }, inputs: [x], cotangent }) => [
      emit(
        'pad',
        { before: begin, after: x.type.shape.map((n, i) => n - elementAt(begin, i) - elementAt(size, i)) },
        [cotangent],
      ),
    ],
    flops: noFlops,
  },
  pad: {
    type: ({ before, after }, [x]) =>
      before.length === x.shape.length &&
      after.length === x.shape.length &&
      [...before, ...after].every((n) => n >= 0)
        ? { rows: x.rows, shape: x.shape.map((n, i) => elementAt(before, i) + n + elementAt(after, i)) }
        : `padding for each axis of ${showType(x)}, found [${before.join(',')}] and [${after.join(',')}]`,
    evaluate: ({ before }, [x], out, batch) => {
      const strides = stridesOf(out.shape);
      const places = gatherIndices(
        x.type.shape,
        strides,
        before.reduce((sum, b, i) => sum + b * elementAt(strides, i), 0),
      );
      const size = sizeOfShape(out.shape);
      const result = new Float64Array(elementCount(out, batch));
      for (let r = 0; r < rowCount(out, batch); r++) {
        for (let i = 0; i < places.length; i++)
          result[r * size + int32At(places, i)] = float64At(x.data, r * places.length + i);
      }
      return result;
    },
    jvp: through('pad'),
    transpose: ({ emit, params: { before }, inputs: [x], cotangent }) => [
      emit('slice', { begin: before, size: x.type.shape }, [cotangent]),
    ],
    flops: noFlops,
  },
  concat: {
    type: ({ axis }, inputs) =>
      inputs.length > 0 &&
      axis >= 0 &&
      axis < inputs[0].shape.length &&
      inputs.every(
        ({ rows, shape }) =>
          rows === inputs[0].rows &&
          shape.length === inputs[0].shape.length &&
          shape.every((n, i) => i === axis || n === inputs[0].shape[i]),
      )
        ? {
            rows: inputs[0].rows,
            shape: inputs[0].shape.map((n, i) =>
              i === axis ? inputs.reduce((sum, t) => sum + elementAt(t.shape, i), 0) : n,
            ),
          }
        : `arrays that agree but for axis ${axis}, found ${inputs.map(showType).join(' and ')}`,
    evaluate: ({ axis }, inputs, out, batch) => {
      const inner = sizeOfShape(out.shape.slice(axis));
      const outer = rowCount(out, batch) * sizeOfShape(out.shape.slice(0, axis));
      const result = new Float64Array(outer * inner);
      let start = 0;
      for (const { type, data } of inputs) {
        const width = sizeOfShape(type.shape.slice(axis));
        for (let o = 0; o < outer; o++)
          result.set(data.subarray(o * width, (o + 1) * width), o * inner + start);
        start += width;
      }
      return result;
    },
    jvp: ({ emit, params, inputs, tangents }) => {
      if (tangents.every((t) => t === null)) return null;
      const rows = Math.max(...tangents.map((t) => t?.type.rows ?? 0));
      return emit(
        'concat',
        params,
        tangents.map((t, i) =>
          t === null
            ? constantLike(emit, 0, { rows, shape: elementAt(inputs, i).type.shape })
            : atRows(emit, rows, t),
        ),
      );
    },
    transpose: ({ emit, params: { axis }, inputs, linear, cotangent }) => {
      const begins = inputs.map((_, i) =>
        inputs.slice(0, i).reduce((sum, x) => sum + elementAt(x.type.shape, axis), 0),
      );
      return inputs.map((x, i) =>
        linear[i]
          ? emit(
              'slice',
              {
                begin: x.type.shape.map((_, a) => (a === axis ? elementAt(begins, i) : 0)),
                size: x.type.shape,
              },
              [cotangent],
            )
          : null,
      );
    },
    flops: noFlops,
  },
  broadcastBatch: {
    type: ({ rows }, [x]) =>
      x.rows === 0 && rows >= 1 ? { rows, shape: x.shape } : `a shared value, found ${showType(x)}`,
    evaluate: (_, [x], out, batch) => {
      const result = new Float64Array(elementCount(out, batch));
      for (let r = 0; r < rowCount(out, batch); r++) result.set(x.data, r * x.data.length);
      return result;
    },
    jvp: ({ emit, params, tangents: [t] }) => (t === null ? null : emit('broadcastBatch', params, [t])),
    transpose: ({ emit, cotangent }) => [emit('sumBatch', {}, [cotangent])],
    flops: noFlops,
  },
  sumBatch: {
    type: (_, [x]) =>
      x.rows >= 1 ? { rows: 0, shape: x.shape } : `a value of each example, found ${showType(x)}`,
    evaluate: (_, [x], out, batch) => {
      const size = sizeOfShape(out.shape);
      const result = new Float64Array(size);
      for (let r = 0; r < rowCount(x.type, batch); r++) {
        for (let i = 0; i < size; i++) result[i] = float64At(result, i) + float64At(x.data, r * size + i);
      }
      return result;
    },
    jvp: through('sumBatch'),
    transpose: ({ emit, inputs: [x], cotangent }) => [
      emit('broadcastBatch', { rows: x.type.rows }, [cotangent]),
    ],
    flops: noFlops,
  },
  rotateBatch: {
    type: ({ by }, [x]) =>
      x.rows >= 1 && Number.isInteger(by) ? x : `a value of each example, found ${showType(x)}`,
    evaluate: ({ by }, [x], _, batch) => {
      const size = x.data.length / batch;
      const from = (i: number): number => (((Math.floor(i / size) + by) % batch) + batch) % batch;
      return x.data.map((_value, i) => float64At(x.data, from(i) * size + (i % size)));
    },
    jvp: through('rotateBatch'),
    transpose: ({ emit, params: { by }, cotangent }) => [emit('rotateBatch', { by: -by }, [cotangent])],
    flops: noFlops,
  },
  axisToBatch: {
    type: (_, [x]) =>
      x.rows >= 1 && x.shape.length >= 1
        ? { rows: x.rows * elementAt(x.shape, 0), shape: x.shape.slice(1) }
        : `a value of each example with a leading axis, found ${showType(x)}`,
    evaluate: (_, [x]) => x.data,
    jvp: through('axisToBatch'),
    transpose: ({ emit, inputs: [x], cotangent }) => [
      emit('batchToAxis', { times: elementAt(x.type.shape, 0) }, [cotangent]),
    ],
    flops: noFlops,
  },
  batchToAxis: {
    type: ({ times }, [x]) =>
      x.rows >= 1 && times >= 1 && x.rows % times === 0
        ? { rows: x.rows / times, shape: [times, ...x.shape] }
        : `rows that divide by ${times}, found ${showType(x)}`,
    evaluate: (_, [x]) => x.data,
    jvp: through('batchToAxis'),
    transpose: ({ emit, cotangent }) => [emit('axisToBatch', {}, [cotangent])],
    flops: noFlops,
  },
};

export type StructureName =
  | 'constant' | 'broadcast' | 'reshape' | 'permute' | 'reorder' | 'slice' | 'pad' | 'concat'
  | 'broadcastBatch' | 'sumBatch' | 'rotateBatch' | 'axisToBatch' | 'batchToAxis'; // prettier-ignore
