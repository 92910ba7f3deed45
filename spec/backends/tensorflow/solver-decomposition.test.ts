/** Programs for other runtimes: the same values without a factor, a triangular system or a loop in them. */
import { elementAt, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createBuilder } from '../../../compiler/ir/builder.js';
import { decomposeSolvers } from '../../../backends/tensorflow/lower/solver-decomposition.js';
import type { PrimitiveName } from '../../../compiler/ir/params.js';
import type { Program } from '../../../compiler/ir/program.js';
import { elementCount } from '../../../compiler/ir/type.js';
import { verify } from '../../../compiler/ir/verify.js';
import { subjects } from '../../arbitrary/primitive.js';
import type { Site } from '../../arbitrary/subject.js';
import { valuesIn } from '../../../laws/arbitrary/values.js';
import { arrayOf } from '../../shared/expressions.js';
import { interpret } from '../../shared/outputs.js';

const systems = ['cholesky', 'lq', 'triangularSolve', 'solveSPD'] as const satisfies readonly PrimitiveName[];

const programOf = <P extends PrimitiveName>(
  primitive: P,
  { params, inputs }: Site<P>,
  b: number,
): Program => {
  const builder = createBuilder();
  const operands = inputs.map((type, i) => builder.bind('data', String(i), type));
  const out = builder.emit(primitive, params, operands);
  return {
    name: primitive,
    batch: b,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: [{ kind: 'value', name: 'out', var: out }],
  };
};

const law = <P extends (typeof systems)[number]>(primitive: P): void => {
  const { sites, domains, made } = subjects[primitive];
  test.prop([sites, fc.integer({ min: 1, max: 3 }), fc.nat(), fc.boolean()])(
    `${primitive} in other words, shared operands known beforehand or not`,
    (site, b, s, known) => {
      const program = programOf(primitive, site, b);
      const inputs = new Map(
        program.binders.map(({ name, var: { type } }, i) => {
          const interval = elementAt(domains, Math.min(i, domains.length - 1));
          return [name, made(valuesIn(interval, elementCount(type, b), s, name), i, type)];
        }),
      );
      const shared = program.binders.filter(({ var: { type } }) => type.rows === 0);
      const weights = new Map(known ? shared.map(({ name }) => [name, arrayOf(inputs, name)]) : []);
      const { program: found, state } = decomposeSolvers(program, weights);
      expect(verify(found)).toEqual([]);
      expect(found.equations.filter((eq) => systems.some((name) => name === eq.primitive))).toEqual([]);
      if (known && shared.length === program.binders.length) expect(found.equations).toEqual([]);
      const given = new Map(
        found.binders.map(({ name }) => [name, Float64Array.from(state.get(name) ?? arrayOf(inputs, name))]),
      );
      const expected = arrayOf(interpret(program, inputs), 'out');
      const scale = Math.max(1, ...expected.map(Math.abs));
      arrayOf(interpret(found, given), 'out').forEach((x, i) =>
        expect(Math.abs(x - float64At(expected, i))).toBeLessThan(1e-10 * scale),
      );
    },
  );
};

describe('a portable program says', () => {
  law('cholesky');
  law('lq');
  law('triangularSolve');
  law('solveSPD');
});
