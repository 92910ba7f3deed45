/** Well-typed equations of every primitive, with what else its laws must know of it; exhaustive by type. */
import fc from 'fast-check';
import type { PrimitiveName, ReductionName } from '../../compiler/ir/params.js';
import { matrices } from './matrix.js';
import { filterOf, picture, unit } from './picture.js';
import {
  anyRows, anyValue, apart, each, many, mixed, nearTie, nearZero, regrouped, rows, shape, shared, size, subject, type Subject,
  type, vector,
} from './subject.js'; // prettier-ignore

/** A shape with some numbers along each axis. */
const perAxis = <A>(of: fc.Arbitrary<A>): fc.Arbitrary<readonly A[]> => fc.array(of, { maxLength: 3 });

const op = fc.constantFrom<ReductionName>('add', 'max', 'min', 'mul');

/** A table of n entries and an index, of which either may be shared by the batch. */
const table = fc
  .record({
    n: size,
    entry: fc.array(size, { maxLength: 2 }),
    index: fc.array(size, { maxLength: 2 }),
    rows,
    which: fc.constantFrom('both', 'table', 'index', 'neither'),
  })
  .map(({ rows: k, which, ...rest }) => ({
    ...rest,
    tables: which === 'both' || which === 'table' ? k : 0,
    indices: which === 'both' || which === 'index' ? k : 0,
  }));

/** Indices that are within a third of a whole number, so that no rounding gives them to another place. */
const nearPlaces = (operand: Float64Array, i: number): Float64Array =>
  i === 0 ? operand : operand.map((x) => Math.round(x) + (x - Math.round(x)) / 2);

export const subjects: { readonly [P in PrimitiveName]: Subject<P> } = {
  constant: subject(
    fc
      .record({ value: fc.float({ noNaN: true, noDefaultInfinity: true }), rows: anyRows, shape })
      .map((params) => ({ params, inputs: [] })),
    { ill: [] },
  ),
  neg: subject(many(1), { ill: [], linear: [[0]] }),
  exp: subject(many(1), { ill: [] }),
  log: subject(many(1), { ill: [], domains: [[0, 8]], kink: nearZero }),
  sqrt: subject(many(1), { ill: [], domains: [[0, 8]], kink: nearZero }),
  tanh: subject(many(1), { ill: [] }),
  sigmoid: subject(many(1), { ill: [] }),
  softplus: subject(many(1), { ill: [] }),
  elu: subject(many(1), { ill: [], kink: nearZero }),
  erf: subject(many(1), { ill: [] }),
  sin: subject(many(1), { ill: [] }),
  cos: subject(many(1), { ill: [] }),
  atan: subject(many(1), { ill: [] }),
  finite: subject(many(1), { ill: [] }),
  add: subject(many(2), { ill: mixed, linear: [[0], [1], [0, 1]] }),
  sub: subject(many(2), { ill: mixed, linear: [[0], [1], [0, 1]] }),
  mul: subject(many(2), { ill: mixed, linear: [[0], [1]] }),
  div: subject(many(2), { ill: mixed, linear: [[0]], kink: (_, b) => nearZero(b) }),
  divNoNan: subject(many(2), { ill: mixed, linear: [[0]], kink: (_, b) => nearZero(b) }),
  max: subject(many(2), { ill: mixed, kink: nearTie }),
  min: subject(many(2), { ill: mixed, kink: nearTie }),
  pow: subject(many(2), { ill: mixed, domains: [[0, 4], anyValue], kink: nearZero }),
  greater: subject(many(2), { ill: mixed, kink: nearTie }),
  select: subject(many(3), {
    ill: [
      { params: {}, inputs: [each(2), each(2), shared(2)] },
      { params: {}, inputs: [each(1), each(2), each(2)] },
    ],
    domains: [[-1, 1], anyValue],
    linear: [[1], [2], [1, 2]],
    fixed: [0],
  }),
  stop: subject(many(1), {
    examples: [{ params: {}, inputs: [shared()] }],
    ill: [],
    differentiable: false,
  }),
  statistics: subject(
    fc.record({ params: fc.record({ constant: fc.boolean() }), inputs: type.map((t) => [t]) }),
    { examples: [{ params: { constant: false }, inputs: [shared()] }], ill: [] },
  ),
  broadcast: subject(
    fc.record({ rows: anyRows, axes: perAxis(fc.record({ n: size, kept: fc.boolean() })) }).map((site) => ({
      params: {
        shape: site.axes.map(({ n }) => n),
        axes: site.axes.flatMap(({ kept }, i) => (kept ? [i] : [])),
      },
      inputs: [{ rows: site.rows, shape: site.axes.flatMap(({ n, kept }) => (kept ? [n] : [])) }],
    })),
    {
      ill: [
        { params: { shape: [2, 3], axes: [0] }, inputs: [each(3)] },
        { params: { shape: [2, 2], axes: [1, 0] }, inputs: [each(2, 2)] },
        { params: { shape: [2, 2], axes: [0, 0] }, inputs: [each(2, 2)] },
        { params: { shape: [2], axes: [] }, inputs: [each(2)] },
      ],
      linear: [[0]],
    },
  ),
  reduce: subject<'reduce'>(
    fc
      .record({ op, rows: anyRows, axes: perAxis(fc.record({ n: size, kept: fc.boolean() })) })
      .map((site) => ({
        params: { op: site.op, axes: site.axes.flatMap(({ kept }, i) => (kept ? [] : [i])) },
        inputs: [{ rows: site.rows, shape: site.axes.map(({ n }) => n) }],
      })),
    {
      ill: [
        { params: { op: 'add', axes: [1] }, inputs: [each(2)] },
        { params: { op: 'max', axes: [-1] }, inputs: [each(2)] },
        { params: { op: 'mul', axes: [0, 0] }, inputs: [each(2, 2)] },
      ],
      linear: [[0]],
      isLinear: ({ params }) => params.op === 'add',
      made: apart,
    },
  ),
  reshape: subject(
    type.chain((t) => regrouped(t.shape).map((to) => ({ params: { shape: to }, inputs: [t] }))),
    { ill: [{ params: { shape: [2, 2] }, inputs: [each(2)] }], linear: [[0]] },
  ),
  permute: subject(
    type.chain((t) => {
      const axes = t.shape.map((_, i) => i);
      const permutations = fc.shuffledSubarray(axes, { minLength: axes.length, maxLength: axes.length });
      return permutations.map((permutation) => ({ params: { permutation }, inputs: [t] }));
    }),
    {
      ill: [
        { params: { permutation: [0, 0] }, inputs: [each(2, 2)] },
        { params: { permutation: [0] }, inputs: [each(2, 2)] },
        { params: { permutation: [1, 2] }, inputs: [each(2, 2)] },
      ],
      linear: [[0]],
    },
  ),
  reorder: subject(
    fc
      .record({ rows: anyRows, outer: fc.array(size, { maxLength: 2 }), n: size })
      .chain(({ rows: k, outer, n }) =>
        fc
          .shuffledSubarray(
            Array.from({ length: n }, (_, i) => i),
            { minLength: n, maxLength: n },
          )
          .map((order) => ({ params: { order }, inputs: [{ rows: k, shape: [...outer, n] }] })),
      ),
    {
      ill: [
        { params: { order: [0, 0] }, inputs: [each(2)] },
        { params: { order: [0] }, inputs: [each(2)] },
        { params: { order: [1, 2] }, inputs: [each(2)] },
        { params: { order: [] }, inputs: [each()] },
      ],
      linear: [[0]],
    },
  ),
  slice: subject(
    fc
      .record({
        rows: anyRows,
        axes: perAxis(fc.record({ before: fc.nat(2), n: size, after: fc.nat(2) })),
      })
      .map((site) => ({
        params: { begin: site.axes.map(({ before }) => before), size: site.axes.map(({ n }) => n) },
        inputs: [{ rows: site.rows, shape: site.axes.map(({ before, n, after }) => before + n + after) }],
      })),
    {
      examples: [{ params: { begin: [], size: [] }, inputs: [shared()] }],
      ill: [
        { params: { begin: [1], size: [2] }, inputs: [each(2)] },
        { params: { begin: [-1], size: [1] }, inputs: [each(2)] },
        { params: { begin: [0], size: [0] }, inputs: [each(2)] },
        { params: { begin: [0, 0], size: [1, 1] }, inputs: [each(2)] },
      ],
      linear: [[0]],
    },
  ),
  pad: subject(
    fc
      .record({
        rows: anyRows,
        axes: perAxis(fc.record({ before: fc.nat(2), n: size, after: fc.nat(2) })),
      })
      .map((site) => ({
        params: {
          before: site.axes.map(({ before }) => before),
          after: site.axes.map(({ after }) => after),
        },
        inputs: [{ rows: site.rows, shape: site.axes.map(({ n }) => n) }],
      })),
    {
      ill: [
        { params: { before: [1], after: [] }, inputs: [each(2)] },
        { params: { before: [-1], after: [0] }, inputs: [each(2)] },
      ],
      linear: [[0]],
    },
  ),
  concat: subject(
    fc
      .record({
        rows: anyRows,
        outer: fc.array(size, { maxLength: 1 }),
        inner: fc.array(size, { maxLength: 1 }),
        sizes: fc.array(size, { minLength: 1, maxLength: 3 }),
      })
      .map(({ rows: k, outer, inner, sizes }) => ({
        params: { axis: outer.length },
        inputs: sizes.map((n) => ({ rows: k, shape: [...outer, n, ...inner] })),
      })),
    {
      ill: [
        { params: { axis: 0 }, inputs: [] },
        { params: { axis: 1 }, inputs: [each(2), each(2)] },
        { params: { axis: 0 }, inputs: [each(2, 2), each(2, 3)] },
        { params: { axis: 0 }, inputs: [each(2), shared(2)] },
      ],
      linear: [[0]],
    },
  ),
  broadcastBatch: subject(
    fc.record({ params: fc.record({ rows }), inputs: shape.map((s) => [{ rows: 0, shape: s }]) }),
    {
      ill: [
        { params: { rows: 2 }, inputs: [each(2)] },
        { params: { rows: 0 }, inputs: [shared(2)] },
      ],
      linear: [[0]],
    },
  ),
  sumBatch: subject(
    fc.record({ rows, shape }).map((t) => ({ params: {}, inputs: [t] })),
    { ill: [{ params: {}, inputs: [shared(2)] }], linear: [[0]] },
  ),
  rotateBatch: subject(
    fc.record({ by: fc.integer({ min: -5, max: 5 }), rows, shape }).map(({ by, rows: r, shape: s }) => ({
      params: { by },
      inputs: [{ rows: r, shape: s }],
    })),
    { ill: [{ params: { by: 1 }, inputs: [shared(2)] }], linear: [[0]] },
  ),
  axisToBatch: subject(
    fc
      .record({ rows, shape: fc.array(size, { minLength: 1, maxLength: 3 }) })
      .map((t) => ({ params: {}, inputs: [t] })),
    {
      ill: [
        { params: {}, inputs: [shared(2)] },
        { params: {}, inputs: [each()] },
      ],
      linear: [[0]],
    },
  ),
  batchToAxis: subject(
    fc.record({ times: rows, rows, shape }).map(({ times, rows: k, shape: s }) => ({
      params: { times },
      inputs: [{ rows: times * k, shape: s }],
    })),
    {
      ill: [
        { params: { times: 2 }, inputs: [vector(2, 3)] },
        { params: { times: 2 }, inputs: [shared(2)] },
        { params: { times: 0 }, inputs: [each(2)] },
      ],
      linear: [[0]],
    },
  ),
  gather: subject(
    table.map(({ n, entry, index, tables, indices }) => ({
      params: {},
      inputs: [
        { rows: tables, shape: [n, ...entry] },
        { rows: indices, shape: index },
      ],
    })),
    {
      ill: [
        { params: {}, inputs: [each(), each(2)] },
        { params: {}, inputs: [{ rows: 2, shape: [3] }, each(2)] },
        { params: {}, inputs: [shared(2 ** 24 + 1), each(2)] },
      ],
      domains: [anyValue, [-1.4, 4.4]],
      made: nearPlaces,
      linear: [[0]],
      fixed: [1],
    },
  ),
  scatterAdd: subject(
    table.map(({ n, entry, index, tables, indices }) => ({
      params: { size: n, shared: tables === 0 && indices > 0 },
      inputs: [
        { rows: Math.max(tables, indices), shape: [...index, ...entry] },
        { rows: indices, shape: index },
      ],
    })),
    {
      ill: [
        { params: { size: 2, shared: false }, inputs: [each(3), each(2)] },
        { params: { size: 0, shared: false }, inputs: [each(2), each(2)] },
        { params: { size: 2, shared: true }, inputs: [each(2), shared(2)] },
        { params: { size: 2, shared: false }, inputs: [shared(2), each(2)] },
        { params: { size: 2, shared: true }, inputs: [shared(2), each(2)] },
      ],
      domains: [anyValue, [-1.4, 4.4]],
      made: nearPlaces,
      linear: [[0]],
      fixed: [1],
    },
  ),
  linear: subject(
    fc
      .record({ n: size, m: size, rows: anyRows })
      .map(({ n, m, rows: k }) => ({ params: {}, inputs: [vector(n, k), shared(n, m)] })),
    {
      ill: [
        { params: {}, inputs: [each(2), shared(3, 2)] },
        { params: {}, inputs: [each(2), each(2, 3)] },
        { params: {}, inputs: [each(2, 2), shared(2, 3)] },
      ],
      linear: [[0], [1]],
    },
  ),
  linearInput: subject(
    fc
      .record({ n: size, m: size, rows: anyRows })
      .map(({ n, m, rows: k }) => ({ params: {}, inputs: [vector(m, k), shared(n, m)] })),
    {
      ill: [
        { params: {}, inputs: [each(2), shared(2, 3)] },
        { params: {}, inputs: [shared(2), shared(2, 3)] },
      ],
      linear: [[0], [1]],
    },
  ),
  linearFilter: subject(
    fc
      .record({ n: size, m: size, rows: anyRows })
      .map(({ n, m, rows: k }) => ({ params: {}, inputs: [vector(n, k), vector(m, k)] })),
    {
      ill: [
        { params: {}, inputs: [vector(2, 1), vector(2, 2)] },
        { params: {}, inputs: [shared(2), each(2)] },
        { params: {}, inputs: [each(2, 1), each(2)] },
      ],
      linear: [[0], [1]],
    },
  ),
  conv: subject(
    picture.map((p) => ({ params: p.window, inputs: [{ rows: p.rows, shape: p.image }, filterOf(p)] })),
    {
      ill: [
        { params: unit, inputs: [each(2, 2, 1), shared(3, 3, 1, 1)] },
        { params: unit, inputs: [each(2, 2, 1), shared(1, 1, 2, 1)] },
        { params: unit, inputs: [each(2, 2), shared(1, 1, 1, 1)] },
      ],
      linear: [[0], [1]],
    },
  ),
  convInput: subject(
    picture.map((p) => ({
      params: { ...p.window, size: [p.image[0], p.image[1]] },
      inputs: [{ rows: p.rows, shape: p.output }, filterOf(p)],
    })),
    {
      ill: [
        { params: { ...unit, size: [4, 3] }, inputs: [each(2, 2, 1), shared(2, 2, 1, 1)] },
        { params: { ...unit, size: [3, 3] }, inputs: [each(2, 2, 2), shared(2, 2, 2, 1)] },
      ],
      linear: [[0], [1]],
    },
  ),
  convFilter: subject(
    picture.map((p) => ({
      params: { ...p.window, kernel: p.kernel },
      inputs: [
        { rows: p.rows, shape: p.image },
        { rows: p.rows, shape: p.output },
      ],
    })),
    {
      ill: [
        { params: { ...unit, kernel: [2, 2] }, inputs: [each(3, 3, 1), each(3, 3, 1)] },
        { params: { ...unit, kernel: [2, 2] }, inputs: [each(3, 3, 1), shared(2, 2, 1)] },
        {
          params: { ...unit, kernel: [2, 2] },
          inputs: [each(3, 3, 1), { rows: 2, shape: [2, 2, 1] }],
        },
      ],
      linear: [[0], [1]],
    },
  ),
  ...matrices,
};
