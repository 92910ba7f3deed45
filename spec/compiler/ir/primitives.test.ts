/** Every row of the table of primitives agrees with itself: its type, its value, its kernels, its tangent, its transpose. */
import { atLeast, elementAt, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect } from 'vitest';
import { createBuilder } from '../../../compiler/ir/builder.js';
import type { PrimitiveName } from '../../../compiler/ir/params.js';
import type { Program, Var } from '../../../compiler/ir/program.js';
import {
  evaluateEquation,
  jvpOf,
  table,
  transposeOf,
  typeFrom,
} from '../../../compiler/ir/primitive-table.js';
import { areOperands } from '../../../compiler/ir/arity.js';
import { elementCount, sameType, scalarType, type Type } from '../../../compiler/ir/type.js';
import { verify } from '../../../compiler/ir/verify.js';
import { subjects } from '../../arbitrary/primitive.js';
import type { Site } from '../../arbitrary/subject.js';
import { smoothValuesIn, valuesIn } from '../../../laws/arbitrary/values.js';
import {
  type BackendName,
  backends,
  type Case,
  hasCc,
  hasNative,
  hasWebgpu,
  runTogether,
  runOn,
  runOnNative,
} from '../../shared/backends.js';
import { dot } from '../../shared/moments.js';
import { type Arrays, interpret } from '../../shared/outputs.js';

const names = Object.keys(table).filter((name): name is PrimitiveName => name in subjects);

const runs = { numRuns: 30 };
const batch = fc.integer({ min: 1, max: 4 });
const seed = fc.nat();

const outputType = <P extends PrimitiveName>(primitive: P, { params, inputs }: Site<P>): Type | string =>
  typeFrom(primitive, params, inputs);

const typeOfSite = <P extends PrimitiveName>(primitive: P, site: Site<P>): Type => {
  const type = outputType(primitive, site);
  if (typeof type === 'string') throw new Error(`expected ${type}`);
  return type;
};

const evaluate = <P extends PrimitiveName>(
  primitive: P,
  { params, inputs }: Site<P>,
  data: readonly Float64Array[],
  b: number,
): Float64Array =>
  evaluateEquation(
    { primitive, params, out: { type: typeOfSite(primitive, { params, inputs }) } },
    inputs.map((type, i) => ({ type, data: elementAt(data, i) })),
    b,
  );

const operands = <P extends PrimitiveName>(primitive: P, { inputs }: Site<P>, b: number, s: number) =>
  inputs.map((type, i) => {
    const { domains, made } = subjects[primitive];
    const interval = elementAt(domains, Math.min(i, domains.length - 1));
    return made(valuesIn(interval, elementCount(type, b), s, `operand ${i}`), i, type);
  });

const directions = (types: readonly Type[], b: number, s: number): readonly Float64Array[] =>
  types.map((type, i) => smoothValuesIn([-1, 1], elementCount(type, b), s, `direction ${i}`));

/** The site as an equation over binders named 0, 1, …, with whatever `more` emits as outputs. */
const programOf = <P extends PrimitiveName>(
  primitive: P,
  { params, inputs }: Site<P>,
  b: number,
  more: (context: {
    readonly builder: ReturnType<typeof createBuilder>;
    readonly operands: readonly Var[];
    readonly out: Var;
  }) => Readonly<Record<string, Var | null>>,
): Program => {
  const builder = createBuilder();
  const vars = inputs.map((type, i) => builder.bind('data', String(i), type));
  const out = builder.emit(primitive, params, vars);
  const outputs = Object.entries(more({ builder, operands: vars, out }));
  const program: Program = {
    name: primitive,
    batch: b,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: outputs.flatMap(([name, x]) => (x === null ? [] : [{ kind: 'value', name, var: x }])),
  };
  expect(verify(program)).toEqual([]);
  return program;
};

const bound = (data: readonly Float64Array[], prefix = ''): ReadonlyMap<string, Float64Array> =>
  new Map(data.map((values, i) => [`${prefix}${i}`, values]));

/** Single precision: each element to a few units in the last place of it or of the largest. */
const expectClose = (found: Float64Array, expected: Float64Array, what: string): void => {
  expect(found.length, what).toBe(expected.length);
  const single = expected.map(Math.fround);
  const scale = Math.max(1, ...single.filter(Number.isFinite).map(Math.abs));
  found.forEach((x, i) => {
    if (Number.isFinite(single[i]))
      expect(Math.abs(x - float64At(single, i)), what).toBeLessThan(4e-6 * scale);
    else expect(x, what).toBe(single[i]);
  });
};

/** f′(0) by five points: h⁴f⁗′/30 off. */
const slope = (f: (h: number) => Float64Array, h: number): Float64Array => {
  const [a, b, c, d] = [f(-2 * h), f(-h), f(h), f(2 * h)];
  return a.map(
    (_, i) => (float64At(a, i) - 8 * float64At(b, i) + 8 * float64At(c, i) - float64At(d, i)) / (12 * h),
  );
};

const moved = (data: readonly Float64Array[], by: readonly (Float64Array | null)[], h: number) =>
  data.map((values, i) => values.map((x, k) => x + h * (by[i]?.[k] ?? 0)));

const differentiated = { points: 0, rejected: 0 };

const laws = <P extends PrimitiveName>(primitive: P): void => {
  const subject = subjects[primitive];
  const sites = subject.sites;

  test.prop([sites, batch, seed], runs)('its type tells the size of its value', (site, b, s) => {
    const value = evaluate(primitive, site, operands(primitive, site, b, s), b);
    expect(value.length).toBe(elementCount(typeOfSite(primitive, site), b));
  });

  test.prop([sites], runs)('it refuses another number of operands', (site) => {
    const [one] = site.inputs;
    const others = [[], site.inputs.slice(1), [...site.inputs, one ?? scalarType]].filter(
      (inputs) => !areOperands(primitive, inputs),
    );
    expect(others.length).toBeGreaterThan(0);
    for (const inputs of others) expect(outputType(primitive, { ...site, inputs })).toBeTypeOf('string');
  });

  // Any one operand fits a function of one.
  test.skipIf(subject.ill.length === 0)('it refuses operands that do not fit', () => {
    for (const site of subject.ill)
      expect(outputType(primitive, site), JSON.stringify(site)).toBeTypeOf('string');
  });

  const change = fc.record({
    which: fc.nat(2),
    rows: fc.nat(3),
    shape: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
  });
  test.prop([sites, change, batch, seed], runs)(
    'with any operand replaced it has a type that tells the size of its value, or none',
    (site, { which, rows, shape }, b, s) => {
      const inputs = site.inputs.map((type, i) =>
        i === which % site.inputs.length ? { rows, shape } : type,
      );
      const type = outputType(primitive, { ...site, inputs });
      const changed = { ...site, inputs };
      if (typeof type === 'string') {
        expect(() => programOf(primitive, changed, b, ({ out }) => ({ out }))).toThrow('ill-typed');
        return;
      }
      const value = evaluate(primitive, changed, operands(primitive, changed, b, s), b);
      expect(value.length).toBe(elementCount(type, b));
    },
  );

  const examples = subject.examples.map((site): [Site<P>, number, number] => [site, 1, 0]);
  const caseOf = (site: Site<P>, b: number, s: number): Case => ({
    program: programOf(primitive, site, b, ({ out }) => ({ out })),
    inputs: bound(operands(primitive, site, b, s)),
  });

  const expectInterpreted = (site: Site<P>, { program, inputs }: Case, outputs: Arrays): void => {
    const [found, expected] = [outputs, interpret(program, inputs)].map((all) => all.get('out'));
    if (found === undefined || expected === undefined) throw new Error('no output');
    const values = JSON.stringify([...inputs.values()].map((x) => [...x]));
    expectClose(found, expected, `${JSON.stringify(site)} of ${values}`);
  };

  const onBackend = (name: BackendName): void => {
    test.prop([sites, batch, seed], { ...runs, examples })(
      `its kernels on ${name} agree with the interpreter`,
      async (site, b, s) => {
        const one = caseOf(site, b, s);
        expectInterpreted(site, one, await runOn(backends[name], one.program, one.inputs));
      },
    );
  };
  onBackend('wasm');
  onBackend('kernels');
  onBackend('cpu');

  // One session for many programs: it costs more than they do.
  const many = fc.array(fc.tuple(sites, batch, seed), { minLength: 15, maxLength: 15 });
  test.skipIf(!hasNative())('its operations on native agree with the interpreter', () =>
    fc.assert(
      fc.asyncProperty(many, async (drawn) => {
        const cases = drawn.map(([site, b, s]) => caseOf(site, b, s));
        const results = await runOnNative(cases);
        drawn.forEach(([site], i) => expectInterpreted(site, elementAt(cases, i), elementAt(results, i)));
      }),
      { numRuns: 2 },
    ),
  );

  const together = (name: 'cc' | 'webgpu', isThere: boolean): void =>
    test.skipIf(!isThere)(`its loops on ${name} agree with the interpreter`, () =>
      fc.assert(
        fc.asyncProperty(many, batch, async (drawn, b) => {
          const cases = drawn.map(([site, , s]) => caseOf(site, b, s));
          const results = await runTogether(name, cases);
          drawn.forEach(([site], i) => expectInterpreted(site, elementAt(cases, i), elementAt(results, i)));
        }),
        { numRuns: 2 },
      ),
    );
  together('cc', hasCc());
  together('webgpu', hasWebgpu());

  const masks = fc.array(fc.boolean(), { minLength: 3, maxLength: 3 });
  test.prop([sites, batch, seed, masks], runs)(
    'its tangent is the slope of its value',
    (site, b, s, mask) => {
      const data = operands(primitive, site, b, s);
      const isMoved = site.inputs.map((_, i) => mask[i % mask.length] && !subject.fixed.includes(i));
      const by = directions(site.inputs, b, s).map((direction, i) => (isMoved[i] ? direction : null));
      const program = programOf(primitive, site, b, ({ builder, operands: inputs, out }) => {
        const tangents = inputs.map((x, i) => (isMoved[i] ? builder.bind('data', `t${i}`, x.type) : null));
        const eq = { primitive, params: site.params, inputs, out };
        const tangent = jvpOf<P>(eq, { emit: builder.emit, tangents, user: false });
        if (tangent !== null) expect(sameType(tangent.type, out.type)).toBe(true);
        return { tangent };
      });
      const given = new Map([
        ...bound(data),
        ...by.flatMap((values, i) => (values === null ? [] : [[`t${i}`, values] as const])),
      ]);
      const tangent = interpret(program, given).get('tangent');
      if (!subject.differentiable) {
        expect(tangent).toBeUndefined();
        return;
      }
      const expected = slope((h) => evaluate(primitive, site, moved(data, by, h), b), 1e-3);
      expected.forEach((x, i) => {
        differentiated.points++;
        // Only element-wise primitives have kinks, and there element i depends on elements i alone.
        const beside = data.every((values) => i < values.length)
          ? data.map((values) => float64At(values, i))
          : [];
        if (subject.kink(...beside) < 0.2) differentiated.rejected++;
        else expect(Math.abs((tangent?.[i] ?? 0) - x)).toBeLessThan(1e-7 * Math.max(1, Math.abs(x)));
      });
    },
  );

  test('it has a transpose exactly where it is linear', () => {
    expect(table[primitive].transpose !== null).toBe(subject.linear.length > 0);
  });

  const sets = subject.linear;
  if (sets.length === 0) {
    test.skip('its transpose is its adjoint, and looks at no linear operand', () => undefined);
    return;
  }
  test.prop([sites, fc.constantFrom(...sets), batch, seed], runs)(
    'its transpose is its adjoint, and looks at no linear operand',
    (site, linear, b, s) => {
      fc.pre(subject.isLinear(site));
      const isLinear = site.inputs.map((_, i) => linear.includes(i));
      const data = operands(primitive, site, b, s);
      const u = directions(site.inputs, b, s);
      // Affine where the other operands are not zero (a + b in a alone): its linear part is f(u) − f(0).
      const at = (h: number): Float64Array =>
        evaluate(
          primitive,
          site,
          data.map((values, i) => (isLinear[i] ? elementAt(u, i).map((x) => x * h) : values)),
          b,
        );
      const offset = at(0);
      const Ju = at(1).map((x, i) => x - float64At(offset, i));
      const [w] = atLeast(1, directions([typeOfSite(primitive, site)], b, s + 1));
      const program = programOf(primitive, site, b, ({ builder, operands: inputs, out }) => {
        const cotangent = builder.bind('data', 'w', out.type);
        const eq = { primitive, params: site.params, inputs, out };
        const results = transposeOf<P>(eq, { emit: builder.emit, linear: isLinear, cotangent }) ?? [];
        results.forEach((result, i) => expect(result !== null).toBe(isLinear[i]));
        return Object.fromEntries(results.map((x, i) => [String(i), x]));
      });
      const unknown = data.map((values, i) => (isLinear[i] ? values.map(() => NaN) : values));
      const JTw = interpret(program, new Map([...bound(unknown), ['w', w]]));
      const right = [...JTw]
        .map(([name, values]) => dot(elementAt(u, Number(name)), values))
        .reduce((x, y) => x + y, 0);
      const magnitude = dot(Ju.map(Math.abs), w.map(Math.abs));
      fc.pre(Ju.every(Number.isFinite));
      expect(Math.abs(dot(Ju, w) - right)).toBeLessThan(1e-10 * Math.max(1, magnitude));
    },
  );
};

describe('primitives', () => {
  test('every row has laws', () => {
    expect(names).toEqual(Object.keys(table));
  });
  for (const name of names) describe(name, () => laws(name));
  afterAll(() => {
    const { points, rejected } = differentiated;
    console.log(`tangents of primitives: ${rejected} of ${points} points near a kink`);
    expect(rejected).toBeLessThanOrEqual(points / 2);
  });
});
