/** Random geometry of a convolution: an image, a window, a kernel and the output that they give. */
import fc from 'fast-check';
import type { Window } from '../../compiler/ir/params.js';
import { outputSize } from '../../compiler/ir/primitives/bilinear.js';
import type { Type } from '../../compiler/ir/type.js';

export type Picture = {
  readonly window: Window;
  readonly image: readonly [number, number, number];
  readonly kernel: readonly [number, number];
  readonly filters: number;
  readonly output: readonly [number, number, number];
  readonly rows: number;
};

/** One axis of a convolution: at least one output, padding smaller than the kernel. */
const windowAxis = fc
  .record({
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 3 }),
    size: fc.integer({ min: 1, max: 6 }),
    before: fc.nat(3),
    after: fc.nat(3),
  })
  .map(({ kernel, stride, size: n, before, after }) => {
    const [b, a] = [before % kernel, after % kernel];
    const least = Math.max(n, kernel - b - a);
    return { kernel, stride, before: b, after: a, n: least, out: outputSize(least, kernel, stride, b, a) };
  });

export const picture: fc.Arbitrary<Picture> = fc
  .record({
    v: windowAxis,
    h: windowAxis,
    c: fc.integer({ min: 1, max: 3 }),
    f: fc.integer({ min: 1, max: 4 }),
    rows: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ v, h, c, f, rows: k }) => ({
    window: { strides: [v.stride, h.stride], padding: [v.before, v.after, h.before, h.after] },
    image: [v.n, h.n, c],
    kernel: [v.kernel, h.kernel],
    filters: f,
    output: [v.out, h.out, f],
    rows: k,
  }));

export const filterOf = ({ kernel, image, filters }: Picture): Type => ({
  rows: 0,
  shape: [...kernel, image[2], filters],
});

export const unit: Window = { strides: [1, 1], padding: [0, 0, 0, 0] };
