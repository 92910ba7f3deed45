/** The factor L of A = L·Q as TensorFlow operations: that of A·Aᵀ in double precision, where the square of a single is exact. */
import type { Params } from '../../../compiler/ir/params.js';
import type { GraphAttribute } from '../graph.js';
import { float, type GraphBuilder, int32 } from './graph-builder.js';

const double: GraphAttribute = { tag: 'type', value: 'double' };
const T = { T: double } as const;
const keep: GraphAttribute = { tag: 'bool', value: true };
const no: GraphAttribute = { tag: 'bool', value: false };

/**
 * Where every row adds more than `least` to those before it, as little as rounding of A itself leaves, A·Aᵀ in doubles has ten digits of
 * each pivot or more; where one does not, the factor of A·Aᵀ + j·I.
 */
export const lqNodes = (
  graph: GraphBuilder,
  a: string,
  { jitter, least }: Params['lq'],
  n: number,
): string => {
  const number = (value: number): string => graph.doubles([value], []);
  const wide = graph.node('Cast', [a], { SrcT: float, DstT: double, Truncate: no });
  const square = graph.node('BatchMatMulV2', [wide, wide], { ...T, adj_x: no, adj_y: keep });
  const identity = graph.doubles(
    Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    [n, n],
  );
  const diagonal = (matrix: string): string =>
    graph.node('Sum', [graph.node('Mul', [matrix, identity], T), graph.ints([-1])], {
      ...T,
      Tidx: int32,
      keep_dims: keep,
    });
  const factor = graph.node('Cholesky', [square], T);
  const roots = diagonal(factor);
  const lengths = diagonal(square);
  const enough = graph.node(
    'Greater',
    [graph.node('Mul', [roots, roots], T), graph.node('Mul', [lengths, number(least ** 2)], T)],
    T,
  );
  const isKnown = graph.node('All', [enough, graph.ints([-2, -1])], { Tidx: int32, keep_dims: keep });
  const shifted = (): string => {
    const total = graph.node('Sum', [lengths, graph.ints([-2, -1])], { ...T, Tidx: int32, keep_dims: keep });
    const shift = graph.node('Mul', [graph.node('Mul', [total, number(jitter / n)], T), identity], T);
    return graph.node('Cholesky', [graph.node('AddV2', [square, shift], T)], T);
  };
  const otherwise = jitter > 0 ? shifted() : number(NaN);
  const chosen = graph.node('SelectV2', [isKnown, factor, otherwise], T);
  return graph.node('Cast', [chosen], { SrcT: double, DstT: float, Truncate: no });
};
