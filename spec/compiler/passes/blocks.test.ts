/** Cutting, padding and joining: simplification keeps the meaning, and leaves no work that cancels. */
import { atLeast, elementAt } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createBuilder } from '../../../compiler/ir/builder.js';
import { eliminateDeadCode } from '../../../compiler/passes/dce.js';
import { simplify } from '../../../compiler/passes/simplify.js';
import type { Emit, Program, Var } from '../../../compiler/ir/program.js';
import { verify } from '../../../compiler/ir/verify.js';
import { interpret } from '../../shared/outputs.js';

const batch = 2;

/** A program of binders of the given shapes, filled with different numbers. */
const programOf = (shapes: readonly (readonly number[])[], body: (emit: Emit, xs: readonly Var[]) => Var) => {
  const { bind, emit, binders, equations } = createBuilder();
  const xs = shapes.map((shape, i) => bind('data', `x${i}`, { rows: 1, shape }));
  const out = body(emit, xs);
  const outputs = [{ kind: 'value', name: 'out', var: out }] as const;
  const program: Program = { name: 'blocks', batch, binders: binders(), equations: equations(), outputs };
  const inputs = new Map(
    shapes.map((shape, k) => [
      `x${k}`,
      Float64Array.from({ length: batch * shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i) + 10 * k),
    ]),
  );
  return { program, inputs };
};

/** What is left after simplification, with the same result. */
const simplified = ({ program, inputs }: ReturnType<typeof programOf>): readonly string[] => {
  const less = eliminateDeadCode(simplify(program));
  expect(verify(less)).toEqual([]);
  expect(interpret(less, inputs)).toEqual(interpret(program, inputs));
  return less.equations.map(({ primitive }) => primitive);
};

/** Sizes of at least two parts of one axis, the other axis, and which of the two is cut. */
const cut = fc.record({
  parts: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 4 }),
  other: fc.integer({ min: 1, max: 3 }),
  axis: fc.constantFrom(0, 1),
});

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const along = (axis: number, own: number, other: number): readonly number[] =>
  axis === 0 ? [own, other] : [other, own];

type Cut = { readonly parts: readonly number[]; readonly other: number; readonly axis: number };

const shapeOf = ({ parts, other, axis }: Cut): readonly number[] => along(axis, total(parts), other);

/** The sum of an array's parts, each in its place in an array of zeros. */
const rejoined = (given: Cut, order: readonly number[]) =>
  programOf(
    given.parts.map((n) => along(given.axis, n, given.other)),
    (emit, xs) =>
      order
        .map((i) => {
          const [before, after] = atLeast(2, [given.parts.slice(0, i), given.parts.slice(i + 1)].map(total));
          const { axis } = given;
          return emit('pad', { before: along(axis, before, 0), after: along(axis, after, 0) }, [
            elementAt(xs, i),
          ]);
        })
        .reduce((a, b) => emit('add', {}, [a, b])),
  );

describe('a sum of blocks', () => {
  test.prop([cut, fc.boolean()])('that lie side by side is a concatenation', (given, isReversed) => {
    const order = given.parts.map((_, i) => i);
    const left = simplified(rejoined(given, isReversed ? order.reverse() : order));
    expect(left).toEqual(['concat']);
  });

  test.prop([
    cut.chain((given) =>
      fc.tuple(
        fc.constant(given),
        fc.shuffledSubarray(
          given.parts.map((_, i) => i),
          { minLength: 1 },
        ),
      ),
    ),
  ])('in any order, with gaps, keeps its meaning', ([given, order]) => {
    simplified(rejoined(given, order));
  });

  test('that overlap or lie askew stays a sum', () => {
    const overlapping = programOf([[2], [2]], (emit, xs) => {
      const [a, b] = atLeast(2, xs);
      return emit('add', {}, [
        emit('pad', { before: [0], after: [1] }, [a]),
        emit('pad', { before: [1], after: [0] }, [b]),
      ]);
    });
    const askew = programOf(
      [
        [1, 1],
        [1, 1],
      ],
      (emit, xs) => {
        const [a, b] = atLeast(2, xs);
        return emit('add', {}, [
          emit('pad', { before: [0, 0], after: [1, 1] }, [a]),
          emit('pad', { before: [1, 1], after: [0, 0] }, [b]),
        ]);
      },
    );
    expect(simplified(overlapping)).toEqual(['pad', 'pad', 'add']);
    expect(simplified(askew)).toEqual(['pad', 'pad', 'add']);
  });
});

test.prop([cut, fc.nat(), fc.nat()])(
  'a part of a concatenation comes from what it is part of',
  (given, a, b) => {
    const size = total(given.parts);
    const begin = a % size;
    const count = 1 + (b % (size - begin));
    const starts = given.parts.map((_, i) => total(given.parts.slice(0, i)));
    const isInside = starts.some(
      (start, i) => begin >= start && begin + count <= start + elementAt(given.parts, i),
    );
    const program = programOf(
      given.parts.map((n) => along(given.axis, n, given.other)),
      (emit, xs) =>
        emit('slice', { begin: along(given.axis, begin, 0), size: along(given.axis, count, given.other) }, [
          emit('concat', { axis: given.axis }, xs),
        ]),
    );
    expect(simplified(program).includes('concat')).toBe(!isInside);
  },
);

test.prop([cut])('concatenations within one another are one', (given) => {
  const { axis } = given;
  const program = programOf(
    given.parts.map((n) => along(axis, n, given.other)),
    (emit, xs) => xs.reduce((whole, x) => emit('concat', { axis }, [whole, x])),
  );
  expect(elementAt(program.program.outputs, 0).var.type.shape).toEqual(shapeOf(given));
  expect(simplified(program)).toEqual(['concat']);
});
