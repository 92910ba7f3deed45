/** Random expressions whose shapes fit: every kind, over an encoder and a decoder, well-conditioned for float32. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import type { BinaryOp, Expr, Node, UnaryOp } from '../../dsl/expressions/expression.js';
import {
  add, concat, constant, div, draw, field, fill, greater, hyper, log, mul, norm, pow, scale, select, sqNorm, sqNormOfWeights,
  step, stop, sub, sum,
} from '../../dsl/expressions/expression.js'; // prettier-ignore
import { broadcast, contract, transpose } from '../../dsl/expressions/arrays.js';
import { another, batchMean } from '../../dsl/expressions/batch.js';
import { normal, rademacher, sphere, uniform } from '../../dsl/expressions/draw.js';
import type { NetworkValue } from '../../dsl/network.js';
import { outputNames } from '../../dsl/network.js';
import { schedule } from '../../dsl/expressions/schedule.js';
import type { Shape } from '../../dsl/shape.js';
import { sameShape, sizeOf } from '../../dsl/shape.js';
import type { Kit } from './network.js';
import type { Tape } from './tape.js';

/** What expressions are written over. */
export type Nets = {
  readonly encoder: NetworkValue;
  readonly decoder: NetworkValue;
  readonly data: Shape;
  readonly code: Shape;
};

const data = (shape: Shape): Expr => ({ tag: 'data', shape });

const unaries: readonly UnaryOp[] = [
  'tanh', 'neg', 'square', 'abs', 'sin', 'cos', 'atan', 'relu', 'elu', 'sigmoid', 'softplus', 'silu', 'gelu',
]; // prettier-ignore
const binaries: readonly BinaryOp[] = ['add', 'sub', 'mul', 'max', 'min', 'greater'];

const unary = <S extends Shape>(op: UnaryOp, of: Expr<S>): Expr<S> => ({ tag: 'unary', op, of });
const binary = (op: BinaryOp, left: Node, right: Node): Expr => ({ tag: 'binary', op, left, right });

/** Expressions over the networks: of a shape, or scalars that are numbers wherever the networks' values are. */
export const expressionsOver = (tape: Tape, nets: Nets, { batch }: Pick<Kit, 'batch'>) => {
  const { encoder, decoder } = nets;
  const [head] = atLeast(1, outputNames(encoder));
  const code = (depth: number): Expr => {
    const at = depth > 0 && tape.below(3) === 2 ? array(nets.data, depth - 1) : data(nets.data);
    return { tag: 'apply', network: encoder, at, output: tape.pick(outputNames(encoder)) };
  };

  const drawn = (shape: Shape): Expr => {
    const distribution = tape.pick([normal, sphere, rademacher, uniform]);
    return draw(`${distribution().tag} ${shape.join('x')}`, distribution(...shape));
  };

  const probesOf = (k: number, shape: Shape): Expr =>
    draw(`${k} of ${shape.join('x')}`, sphere(...shape), { probes: k });

  const leaf = (shape: Shape): Expr => {
    if (sameShape(shape, nets.data) && tape.below(3) > 0) return data(shape);
    switch (tape.below(5)) {
      case 4:
        return field(`field ${shape.join('x')}`, ...shape);
      case 0:
        return drawn(shape);
      case 1:
        return {
          tag: 'parameter',
          name: `free ${shape.join('x')}`,
          shape,
          initializer: { tag: 'glorotUniform' },
        };
      default:
        return fill(tape.pick([constant(0.5), hyper('eta', 0.25), div(step, 10)]), ...shape);
    }
  };

  /** A network's own outputs and derivatives of that shape. */
  const ofNetworks = (shape: Shape, depth: number): readonly (() => Expr)[] => [
    ...(sameShape(shape, nets.code)
      ? [
          (): Expr => code(depth - 1),
          (): Expr => ({
            tag: 'vjp',
            network: decoder,
            at: code(depth - 1),
            cotangent: array(nets.data, depth - 1),
            output: '',
          }),
          (): Expr => ({
            tag: 'jvp',
            network: encoder,
            at: data(nets.data),
            tangent: array(nets.data, depth - 1),
            output: head,
          }),
        ]
      : []),
    ...(sameShape(shape, nets.data)
      ? [
          (): Expr => ({
            tag: 'apply',
            network: decoder,
            at: depth > 0 && tape.below(3) === 2 ? array(nets.code, depth - 1) : code(depth - 1),
            output: '',
          }),
          (): Expr => ({
            tag: 'jvp',
            network: decoder,
            at: code(depth - 1),
            tangent: array(nets.code, depth - 1),
            output: '',
          }),
          (): Expr => ({
            tag: 'vjp',
            network: encoder,
            at: data(nets.data),
            cotangent: array(nets.code, depth - 1),
            output: head,
          }),
        ]
      : []),
  ];

  const cut = (shape: Shape, depth: number): Expr => {
    const [first, ...rest] = atLeast(1, shape);
    const axis = shape.map((_, i) => (i === 0 ? 1 : 0));
    const none = shape.map(() => 0);
    switch (tape.below(4)) {
      case 0: {
        const whole: Expr = { tag: 'pad', of: array(shape, depth - 1), before: axis, after: none };
        return { tag: 'slice', of: whole, begin: tape.pick([none, axis]), size: shape };
      }
      case 1: {
        if (first === 1) return array(shape, depth - 1);
        const inner = [first - 1, ...rest];
        return {
          tag: 'pad',
          of: array(inner, depth - 1),
          ...(tape.below(2) === 0 ? { before: axis, after: none } : { before: none, after: axis }),
        };
      }
      case 2: {
        if (first === 1) return array(shape, depth - 1);
        const of = [array([1, ...rest], depth - 1), array([first - 1, ...rest], depth - 1)];
        return { tag: 'concat', of, axis: 0 };
      }
      default:
        return { tag: 'reshape', of: array([sizeOf(shape)], depth - 1), shape };
    }
  };

  /** Axes moved, repeated, reduced and contracted. */
  const woven = (shape: Shape, depth: number): Expr => {
    const axes = shape.map((_, i) => i);
    const axis = tape.below(shape.length);
    const without = shape.filter((_, i) => i !== axis);
    const inner = (of: Shape): Expr => array(of, depth - 1);
    switch (tape.below(7)) {
      case 0: {
        const permutation = [...axes.slice(1), 0].slice(0, shape.length);
        return transpose(inner(permutation.map((_, i) => shape[permutation.indexOf(i)] ?? 1)), permutation);
      }
      case 1:
        return broadcast(
          inner(without),
          shape,
          axes.filter((i) => i !== axis),
        );
      case 2: {
        const op = tape.pick(['add', 'max', 'min', 'mul'] as const);
        const more = [...shape.slice(0, axis), 2 + tape.below(2), ...shape.slice(axis)];
        return { tag: 'reduce', op, of: unary('tanh', inner(more)), axes: [axis] };
      }
      case 3: {
        const letters = [...'abcdef'].slice(0, shape.length).join('');
        const letter = letters[axis] ?? 'a';
        const n = shape[axis] ?? 1;
        const matrix = tape.below(2) === 0 ? inner([2, n]) : leaf([2, n]);
        const left = inner(shape.with(axis, 2));
        return contract(`${letters.replace(letter, 'z')},z${letter}->${letters}`, left, matrix);
      }
      case 4:
        return shape.length === 2
          ? { tag: 'band', of: inner(shape), below: 0, diagonal: 1, above: 0.5 }
          : inner(shape);
      case 5: {
        // At places that no rounding moves, two of them out of range.
        const [n, ...entry] = atLeast(1, shape);
        const count = 2 + tape.below(2);
        const index = Array.from({ length: n }, () =>
          constant(tape.below(count + 2) - 1 + 0.25 * tape.below(2)),
        );
        return {
          tag: 'gather',
          table: inner([count, ...entry]),
          index: concat(...index.map((at) => fill(at, 1))),
        };
      }
      default:
        return !batch ? inner(shape) : tape.below(2) === 0 ? batchMean(inner(shape)) : another(inner(shape));
    }
  };

  const array = (shape: Shape, depth: number): Expr => {
    if (depth < -1) return leaf(shape);
    const nested = ofNetworks(shape, depth);
    if (depth <= 0 || tape.left() === 0)
      return nested.length > 0 && tape.below(2) === 0 ? elementAt(nested, 0)() : leaf(shape);
    const choice = tape.below(nested.length > 0 ? 13 : 9);
    if (choice >= 9) return tape.pick(nested)();
    switch (choice) {
      case 0:
        return unary(tape.pick(unaries), array(shape, depth - 1));
      case 1:
        return binary(tape.pick(binaries), array(shape, depth - 1), array(shape, depth - 1));
      case 2: {
        // The same operands in both orders.
        const [op, a, b] = [tape.pick(binaries), array(shape, depth - 1), array(shape, depth - 2)];
        return binary('add', binary(op, a, b), scale(0.5, binary(op, b, a)));
      }
      case 3:
        return scale(scalar(depth - 1), array(shape, depth - 1));
      case 4:
        return select(
          greater(array(shape, depth - 1), array(shape, 0)),
          array(shape, depth - 1),
          array(shape, 0),
        );
      case 5:
        return tape.below(2) === 0 ? stop(array(shape, depth - 1)) : leaf(shape);
      case 6:
        return shape.length === 0 ? leaf(shape) : cut(shape, depth);
      case 7:
        return shape.length === 0 ? leaf(shape) : woven(shape, depth);
      default:
        return leaf(shape);
    }
  };

  /** k derivatives along k probes, reduced. */
  const probed = (depth: number): Expr<readonly []> => {
    const k = 2 + tape.below(2);
    const direction = tape.pick<Node>([
      { tag: 'jvp', network: decoder, at: code(depth - 1), tangent: probesOf(k, nets.code), output: '' },
      { tag: 'vjp', network: decoder, at: code(depth - 1), cotangent: probesOf(k, nets.data), output: '' },
      { tag: 'vjp', network: encoder, at: data(nets.data), cotangent: probesOf(k, nets.code), output: head },
    ]);
    const squares: Node = { tag: 'sum', of: unary('square', direction), keep: 1 };
    const each: Node = { tag: 'norm', of: direction, keep: 1 };
    return tape.pick([
      sum(unary('log', binary('add', fill(0.5, k), squares))),
      scale(1 / k, sum(each)),
      sum(binary('max', squares, fill(hyper('eta', 0.25), k))),
    ]);
  };

  /** ln det(V·Vᵀ + 2·I) for k products V with a Jacobian. */
  const determinant = (depth: number): Expr<readonly []> => {
    const k = 2 + tape.below(2);
    const products = tape.pick<Node>([
      { tag: 'jvp', network: decoder, at: code(depth - 1), tangent: probesOf(k, nets.code), output: '' },
      { tag: 'vjp', network: decoder, at: code(depth - 1), cotangent: probesOf(k, nets.data), output: '' },
    ]);
    const two = scale(2, { tag: 'basis', shape: [k] });
    return { tag: 'logDetSPD', of: binary('add', { tag: 'gram', of: products }, two) };
  };

  const positive = (depth: number): Expr<readonly []> =>
    add(0.5, sqNorm(array(tape.pick([nets.code, nets.data]), depth)));

  const scalar = (depth: number): Expr<readonly []> => {
    const shape = tape.pick([nets.code, nets.data]);
    if (depth <= 0 || tape.left() === 0)
      return tape.pick<Expr<readonly []>>(
        [hyper('eta', 0.25), norm(leaf(shape)), 0.5].map((e) => (typeof e === 'number' ? constant(e) : e)),
      );
    switch (tape.below(13)) {
      case 11:
        return determinant(depth);
      case 0:
        return norm(array(shape, depth - 1));
      case 1:
        return log(positive(depth - 1));
      case 2:
        return div(scalar(depth - 1), positive(depth - 1));
      case 3:
        return pow(positive(depth - 2), 0.5);
      case 4:
        return sum(array(shape, depth - 1));
      case 5:
        return scale(schedule.power({ exponent: 1.3, scale: 0.1 }), scalar(depth - 1));
      case 6:
        return sqNormOfWeights(tape.pick([encoder, decoder]), tape.pick(['all', 'kernels'] as const));
      case 7:
        return probed(depth);
      case 8:
        return mul(scalar(depth - 1), scalar(depth - 1));
      case 9:
        return sub(scalar(depth - 1), scalar(depth - 2));
      case 10:
        return unary('exp', unary('tanh', scalar(depth - 1)));
      default:
        return sqNorm(array(shape, depth - 1));
    }
  };
  return { scalar, array };
};
