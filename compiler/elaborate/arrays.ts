/** Elaborates what moves, repeats, reduces and contracts axes. */
import { atLeast, getFrom } from '../../dsl/lookup.js';
import type { Node } from '../../dsl/grammar.js';
import { contractionShape, parseSubscripts, sizesOf } from '../../dsl/expressions/contraction.js';
import { showShape, sizeOf } from '../../dsl/shape.js';
import { joined, mul } from '../ir/operations.js';
import type { Emit, Var } from '../ir/program.js';
import { type Context, fail } from './context.js';

type ArrayNode = Extract<Node, { readonly tag: 'transpose' | 'broadcast' | 'reduce' | 'band' }>;

const isPermutation = (axes: readonly number[], rank: number): boolean =>
  axes.length === rank && axes.every((axis, i) => axis < rank && axes.indexOf(axis) === i);

export const arrayOf = (context: Context, node: ArrayNode, x: Var, path: string): Var | null => {
  const { emit } = context.builder;
  const { shape } = x.type;
  switch (node.tag) {
    case 'transpose':
      return isPermutation(node.permutation, shape.length)
        ? emit('permute', { permutation: node.permutation }, [x])
        : fail(context, path, `axes ${showShape(node.permutation)}`, `each axis of ${showShape(shape)} once`);
    case 'broadcast':
      return node.axes.length === shape.length &&
        node.axes.every(
          (axis, i) => node.shape[axis] === shape[i] && (i === 0 || axis > (node.axes[i - 1] ?? 0)),
        )
        ? emit('broadcast', { shape: node.shape, axes: node.axes }, [x])
        : fail(
            context,
            path,
            `${showShape(shape)} at axes ${showShape(node.axes)} of ${showShape(node.shape)}`,
            'ascending axes of the same sizes',
          );
    case 'band':
      return shape.length === 2
        ? emit('band', { below: node.below, diagonal: node.diagonal, above: node.above }, [x])
        : fail(context, path, showShape(shape), 'a matrix [n,m]');
    case 'reduce':
      return node.axes.every((axis, i) => axis < shape.length && node.axes.indexOf(axis) === i)
        ? node.axes.length === 0
          ? x
          : emit('reduce', { op: node.op, axes: node.axes }, [x])
        : fail(context, path, `axes ${showShape(node.axes)}`, `distinct axes of ${showShape(shape)}`);
  }
};

/** The letters of a text in an order, and the array with its axes in that order. */
const arranged = (emit: Emit, x: Var, letters: string, order: string): Var => {
  const permutation = [...order].map((letter) => letters.indexOf(letter));
  return permutation.every((axis, i) => axis === i) ? x : emit('permute', { permutation }, [x]);
};

const reshaped = (emit: Emit, x: Var, shape: readonly number[]): Var =>
  x.type.shape.join() === shape.join() && x.type.shape.length === shape.length
    ? x
    : emit('reshape', { shape }, [x]);

/** An operand without the letters that it alone sums over. */
const withoutOwn = (emit: Emit, x: Var, letters: string, kept: string): readonly [Var, string] => {
  const axes = [...letters].flatMap((letter, i) => (kept.includes(letter) ? [] : [i]));
  const own = [...letters].filter((letter) => kept.includes(letter)).join('');
  return [axes.length === 0 ? x : emit('reduce', { op: 'add', axes }, [x]), own];
};

/** [n,k]·[k,m]: for an operand that all rows share one product over all of them. */
const product = (emit: Emit, a: Var, b: Var): Var => {
  const turned = (x: Var): Var => emit('permute', { permutation: [1, 0] }, [x]);
  const [n = 1] = a.type.shape;
  if (a.type.rows > 0 && b.type.rows === 0)
    return emit('batchToAxis', { times: n }, [emit('linear', {}, [emit('axisToBatch', {}, [a]), b])]);
  if (a.type.rows === 0 && b.type.rows > 0) return turned(product(emit, turned(b), turned(a)));
  return emit('matmul', { transposeA: false, transposeB: false }, joined(emit, [a, b]));
};

export const contractionOf = (context: Context, text: string, x: Var, y: Var, path: string): Var | null => {
  const shape = contractionShape(text, x.type.shape, y.type.shape);
  const subscripts = parseSubscripts(text);
  if (typeof shape === 'string' || subscripts === undefined)
    return fail(
      context,
      path,
      `${text} of ${showShape(x.type.shape)} and ${showShape(y.type.shape)}`,
      typeof shape === 'string' ? shape : 'subscripts',
    );
  const { emit } = context.builder;
  const sizes = sizesOf(subscripts, x.type.shape, y.type.shape);
  const size = (letters: string): number => sizeOf([...letters].map((letter) => getFrom(sizes, letter)));
  const [a, left] = withoutOwn(emit, x, subscripts.left, subscripts.right + subscripts.out);
  const [b, right] = withoutOwn(emit, y, subscripts.right, subscripts.left + subscripts.out);
  const which = (letters: string, holds: (letter: string) => boolean): string =>
    [...letters].filter(holds).join('');
  const isShared = (letter: string): boolean => right.includes(letter);
  const each = which(left, (letter) => isShared(letter) && subscripts.out.includes(letter));
  const summed = which(left, (letter) => isShared(letter) && !subscripts.out.includes(letter));
  const rows = which(left, (letter) => !isShared(letter));
  const columns = which(right, (letter) => !left.includes(letter));
  const spelled = `${each}${rows}${columns}`;
  const laid = [...spelled].map((letter) => getFrom(sizes, letter));
  const finished = (value: Var): Var => arranged(emit, reshaped(emit, value, laid), spelled, subscripts.out);
  const first = arranged(emit, a, left, `${each}${rows}${summed}`);
  const second = arranged(emit, b, right, `${each}${summed}${columns}`);
  const [n, k, m, t] = [size(rows), size(summed), size(columns), size(each)];
  if (each === '')
    return finished(product(emit, reshaped(emit, first, [n, k]), reshaped(emit, second, [k, m])));
  if (first.type.rows === 0 && second.type.rows === 0) {
    // Both are shared by the batch, so there are no rows to take the products in.
    const wide = (value: Var, sizesOfValue: readonly number[], axes: readonly number[]): Var =>
      emit('broadcast', { shape: [t, n, k, m], axes }, [reshaped(emit, value, sizesOfValue)]);
    const products = mul(emit, wide(first, [t, n, k], [0, 1, 2]), wide(second, [t, k, m], [0, 2, 3]));
    return finished(emit('reduce', { op: 'add', axes: [2] }, [products]));
  }
  const [p, q] = atLeast(
    2,
    joined(emit, [reshaped(emit, first, [t, n, k]), reshaped(emit, second, [t, k, m])]),
  );
  const folded = emit('matmul', { transposeA: false, transposeB: false }, [
    emit('axisToBatch', {}, [p]),
    emit('axisToBatch', {}, [q]),
  ]);
  return finished(emit('batchToAxis', { times: t }, [folded]));
};

/** Arrays end to end along an axis. */
export const concatOf = (context: Context, parts: readonly Var[], axis: number, path: string): Var | null => {
  const { emit } = context.builder;
  const shapes = parts.map((part) => part.type.shape);
  const agree = shapes.every(
    (s) =>
      s.length === shapes[0]?.length &&
      s.every((n, i) => i === axis || n === shapes[0]?.[i]) &&
      axis < s.length,
  );
  return agree && parts.length > 0
    ? emit('concat', { axis }, joined(emit, parts))
    : fail(
        context,
        path,
        `parts ${shapes.map(showShape).join(', ')}`,
        `parts that agree but for axis ${axis}`,
      );
};
