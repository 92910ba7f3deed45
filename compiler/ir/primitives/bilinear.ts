/**
 * Matrix products and convolutions: two families of three bilinear primitives, each closed under transposition. A vector or
 * image that the batch shares is a single row.
 */
import { atLeast, float64At } from '../../../dsl/lookup.js';
import { addTangents } from '../operations.js';
import type { JvpContext, Row, Value } from '../primitive.js';
import type { Params, Window } from '../params.js';
import type { Equation, EquationOf, Var } from '../program.js';
import { elementCount, rowCount, showType, sizeOfShape, type Type } from '../type.js';

/** The rule of every bilinear primitive: product rule. */
const productRule =
  <P extends BilinearName>(name: P) =>
  ({ emit, params, inputs: [a, b], tangents: [ta, tb] }: JvpContext<P>): Var | null =>
    addTangents(
      emit,
      ta === null ? null : emit(name, params, [ta, b]),
      tb === null ? null : emit(name, params, [a, tb]),
    );

/** Size of a convolution's output along one axis. */
export const outputSize = (
  size: number,
  kernel: number,
  stride: number,
  before: number,
  after: number,
): number => Math.floor((size + before + after - kernel) / stride) + 1;

type Geometry = {
  readonly rows: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly kh: number;
  readonly kw: number;
  readonly f: number;
  readonly oh: number;
  readonly ow: number;
};

/** Calls `visit` with the places of every (input, filter, output) triple that a convolution multiplies, channels aside. */
const forEachTap = (
  g: Geometry,
  { strides: [sh, sw], padding: [top, , left] }: Window,
  visit: (x: number, filter: number, y: number) => void,
): void => {
  for (let n = 0; n < g.rows; n++) {
    for (let i = 0; i < g.oh; i++) {
      for (let j = 0; j < g.ow; j++) {
        const y = ((n * g.oh + i) * g.ow + j) * g.f;
        for (let a = 0; a < g.kh; a++) {
          const p = i * sh + a - top;
          if (p < 0 || p >= g.h) continue;
          for (let b = 0; b < g.kw; b++) {
            const q = j * sw + b - left;
            if (q < 0 || q >= g.w) continue;
            visit(((n * g.h + p) * g.w + q) * g.c, (a * g.kw + b) * g.c * g.f, y);
          }
        }
      }
    }
  }
};

const geometry = (x: Type, filter: Type, y: Type, batch: number): Geometry => {
  const [h, w, c] = atLeast(3, x.shape);
  const [kh, kw, , f] = atLeast(4, filter.shape);
  const [oh, ow] = atLeast(2, y.shape);
  return { rows: rowCount(x, batch), h, w, c, kh, kw, f, oh, ow };
};

/** The sizes of an image or of a filter's window. */
const windowOf = ({ shape }: Type): readonly [number, number] => {
  const [h, w] = atLeast(2, shape);
  return [h, w];
};

const convFlops = (x: Type, filter: Type, y: Type, batch: number): number =>
  2 *
  rowCount(y, batch) *
  sizeOfShape(y.shape) *
  sizeOfShape(filter.shape.slice(0, 3)) *
  (x.shape.length === 3 ? 1 : 0);

type Vector = Type & { readonly shape: readonly [number] };
type Matrix = Type & { readonly shape: readonly [number, number] };
type Image = Type & { readonly shape: readonly [number, number, number] };
type Filter = Type & { readonly shape: readonly [number, number, number, number] };

const isVector = (type: Type): type is Vector => type.shape.length === 1;
const isMatrix = (type: Type): type is Matrix => type.rows === 0 && type.shape.length === 2;
const isImage = (type: Type): type is Image => type.shape.length === 3;
const isFilter = (type: Type): type is Filter => type.rows === 0 && type.shape.length === 4;
const found = (types: readonly Type[]): string => `found ${types.map(showType).join(' and ')}`;

const windowShape = (
  { strides: [sh, sw], padding: [t, b, l, r] }: Window,
  [h, w]: readonly [number, number, ...(readonly number[])],
  [kh, kw]: readonly [number, number, ...(readonly number[])],
) => [outputSize(h, kh, sh, t, b), outputSize(w, kw, sw, l, r)] as const;

/** y += x·W for one row. */
const multiply = (x: Value, w: Value, y: Float64Array, rows: number): void => {
  const [n, m] = atLeast(2, w.type.shape);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < n; i++) {
      const xi = float64At(x.data, r * n + i);
      for (let j = 0; j < m; j++) y[r * m + j] = float64At(y, r * m + j) + xi * float64At(w.data, i * m + j);
    }
  }
};

export const bilinear: { readonly [P in BilinearName]: Row<P> } = {
  linear: {
    type: (_, [x, w]) =>
      isVector(x) && isMatrix(w) && x.shape[0] === w.shape[0]
        ? { rows: x.rows, shape: [w.shape[1]] }
        : `a vector [n] and a matrix [n,m], ${found([x, w])}`,
    evaluate: (_, [x, w], out, batch) => {
      const y = new Float64Array(elementCount(out, batch));
      multiply(x, w, y, rowCount(out, batch));
      return y;
    },
    jvp: productRule('linear'),
    transpose: ({ emit, inputs: [x, w], linear: [first], cotangent }) =>
      first
        ? [emit('linearInput', {}, [cotangent, w]), null]
        : [null, emit('linearFilter', {}, [x, cotangent])],
    flops: (_, [, w], out, batch) => 2 * rowCount(out, batch) * sizeOfShape(w.shape),
  },
  linearInput: {
    type: (_, [y, w]) =>
      isVector(y) && isMatrix(w) && y.shape[0] === w.shape[1]
        ? { rows: y.rows, shape: [w.shape[0]] }
        : `a vector [m] and a matrix [n,m], ${found([y, w])}`,
    evaluate: (_, [y, w], out, batch) => {
      const [n, m] = atLeast(2, w.type.shape);
      const x = new Float64Array(elementCount(out, batch));
      for (let r = 0; r < rowCount(out, batch); r++) {
        for (let i = 0; i < n; i++) {
          let total = 0;
          for (let j = 0; j < m; j++) total += float64At(y.data, r * m + j) * float64At(w.data, i * m + j);
          x[r * n + i] = total;
        }
      }
      return x;
    },
    jvp: productRule('linearInput'),
    transpose: ({ emit, inputs: [y, w], linear: [first], cotangent }) =>
      first ? [emit('linear', {}, [cotangent, w]), null] : [null, emit('linearFilter', {}, [cotangent, y])],
    flops: (_, [, w], out, batch) => 2 * rowCount(out, batch) * sizeOfShape(w.shape),
  },
  linearFilter: {
    type: (_, [x, y]) =>
      isVector(x) && isVector(y) && x.rows === y.rows
        ? { rows: 0, shape: [x.shape[0], y.shape[0]] }
        : `two vectors of as many rows, ${found([x, y])}`,
    evaluate: (_, [x, y], out, batch) => {
      const [n, m] = atLeast(2, out.shape);
      const w = new Float64Array(n * m);
      for (let r = 0; r < rowCount(x.type, batch); r++) {
        for (let i = 0; i < n; i++) {
          const xi = float64At(x.data, r * n + i);
          for (let j = 0; j < m; j++)
            w[i * m + j] = float64At(w, i * m + j) + xi * float64At(y.data, r * m + j);
        }
      }
      return w;
    },
    jvp: productRule('linearFilter'),
    transpose: ({ emit, inputs: [x, y], linear: [first], cotangent }) =>
      first ? [emit('linearInput', {}, [y, cotangent]), null] : [null, emit('linear', {}, [x, cotangent])],
    flops: (_, [x], out, batch) => 2 * rowCount(x, batch) * sizeOfShape(out.shape),
  },
  conv: {
    type: (params, [x, filter]) => {
      if (!isImage(x) || !isFilter(filter) || x.shape[2] !== filter.shape[2]) {
        return `an image [h,w,c] and a filter [kh,kw,c,f], ${found([x, filter])}`;
      }
      const size = windowShape(params, x.shape, filter.shape);
      return size.every((n) => n >= 1)
        ? { rows: x.rows, shape: [...size, filter.shape[3]] }
        : `an image at least as large as the filter, ${found([x, filter])}`;
    },
    evaluate: (params, [x, filter], out, batch) => {
      const g = geometry(x.type, filter.type, out, batch);
      const y = new Float64Array(elementCount(out, batch));
      forEachTap(g, params, (px, pf, py) => {
        for (let c = 0; c < g.c; c++) {
          const v = float64At(x.data, px + c);
          for (let f = 0; f < g.f; f++)
            y[py + f] = float64At(y, py + f) + v * float64At(filter.data, pf + c * g.f + f);
        }
      });
      return y;
    },
    jvp: productRule('conv'),
    transpose: ({ emit, params, inputs: [x, filter], linear: [first], cotangent }) =>
      first
        ? [emit('convInput', { ...params, size: windowOf(x.type) }, [cotangent, filter]), null]
        : [null, emit('convFilter', { ...params, kernel: windowOf(filter.type) }, [x, cotangent])],
    flops: (_, [x, filter], out, batch) => convFlops(x, filter, out, batch),
  },
  convInput: {
    type: (params, [y, filter]) => {
      if (!isImage(y) || !isFilter(filter) || y.shape[2] !== filter.shape[3]) {
        return `an image [h,w,f] and a filter [kh,kw,c,f], ${found([y, filter])}`;
      }
      const size = windowShape(params, params.size, filter.shape);
      return size[0] === y.shape[0] && size[1] === y.shape[1]
        ? { rows: y.rows, shape: [...params.size, filter.shape[2]] }
        : `an image [${size.join(',')},f] for size [${params.size.join(',')}], ${found([y])}`;
    },
    evaluate: (params, [y, filter], out, batch) => {
      const g = geometry(out, filter.type, y.type, batch);
      const x = new Float64Array(elementCount(out, batch));
      forEachTap(g, params, (px, pf, py) => {
        for (let c = 0; c < g.c; c++) {
          let total = 0;
          for (let f = 0; f < g.f; f++)
            total += float64At(y.data, py + f) * float64At(filter.data, pf + c * g.f + f);
          x[px + c] = float64At(x, px + c) + total;
        }
      });
      return x;
    },
    jvp: productRule('convInput'),
    transpose: ({ emit, params, inputs: [y, filter], linear: [first], cotangent }) => {
      const { strides, padding } = params;
      return first
        ? [emit('conv', { strides, padding }, [cotangent, filter]), null]
        : [null, emit('convFilter', { strides, padding, kernel: windowOf(filter.type) }, [cotangent, y])];
    },
    flops: (_, [y, filter], out, batch) => convFlops(out, filter, y, batch),
  },
  convFilter: {
    type: ({ kernel, ...params }, [x, y]) => {
      if (!isImage(x) || !isImage(y) || x.rows !== y.rows)
        return `two images of as many rows, ${found([x, y])}`;
      const size = windowShape(params, x.shape, kernel);
      return size[0] === y.shape[0] && size[1] === y.shape[1]
        ? { rows: 0, shape: [...kernel, x.shape[2], y.shape[2]] }
        : `a second image [${size.join(',')},f], ${found([x, y])}`;
    },
    evaluate: (params, [x, y], out, batch) => {
      const g = geometry(x.type, out, y.type, batch);
      const filter = new Float64Array(elementCount(out, batch));
      forEachTap(g, params, (px, pf, py) => {
        for (let c = 0; c < g.c; c++) {
          const v = float64At(x.data, px + c);
          for (let f = 0; f < g.f; f++)
            filter[pf + c * g.f + f] = float64At(filter, pf + c * g.f + f) + v * float64At(y.data, py + f);
        }
      });
      return filter;
    },
    jvp: productRule('convFilter'),
    transpose: ({ emit, params: { strides, padding }, inputs: [x, y], linear: [first], cotangent }) =>
      first
        ? [emit('convInput', { strides, padding, size: windowOf(x.type) }, [y, cotangent]), null]
        : [null, emit('conv', { strides, padding }, [x, cotangent])],
    flops: (_, [x, y], out, batch) => convFlops(x, out, y, batch),
  },
};

export type BilinearName = Extract<
  keyof Params,
  'linear' | 'linearInput' | 'linearFilter' | 'conv' | 'convInput' | 'convFilter'
>;

export const isBilinear = (eq: Equation): eq is EquationOf<BilinearName> =>
  Object.hasOwn(bilinear, eq.primitive);
