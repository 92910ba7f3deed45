/** Every example compiles, trains and keeps its program: `npx vitest run spec/examples/examples.test.ts -u` writes spec/golden anew. */
import { atLeast } from '../../dsl/lookup.js';
import { describe, expect, test } from 'vitest';
import { type Compiled, compile, type OutputKind, print } from '../../compiler/index.js';
import { encodeExperiment, fieldsReadBy, sizeOf } from '../../dsl/index.js';
import { createSession, initialState, type StepEvent } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { right } from '../shared/either.js';
import { examples, fieldExamples, pixels } from '../shared/examples.js';

const ones = (count: number): Float32Array => new Float32Array(count).fill(1);

const twoSteps = async (compiled: Compiled): Promise<readonly Omit<StepEvent, 'seconds'>[]> => {
  const { encoder, batch } = compiled.experiment;
  const session = await createSession(compiled, backends.wasm, initialState(compiled, 1));
  const data = pixels(batch * sizeOf(encoder.input));
  const fields = new Map(
    [...fieldsReadBy(compiled.experiment)].map(
      ([name, shape]) => [name, ones(batch * sizeOf(shape))] as const,
    ),
  );
  const events = [await session.step(data, fields), await session.step(data, fields)];
  session.dispose();
  return events;
};

describe.each(Object.entries({ ...examples, ...fieldExamples }))(
  '%s',
  (name, { experiment, batch, golden = 'every' }) => {
    test('is data', () => {
      expect(encodeExperiment(experiment)).toMatchObject({ _tag: 'Right' });
    });

    test('takes two steps on wasm', async () => {
      const before = backends.wasm.liveCount();
      const compiled = right(compile({ ...experiment, batch }));
      const [first, second] = atLeast(2, await twoSteps(compiled));
      const namesOf = (kind: OutputKind) =>
        compiled.step.outputs.flatMap((output) => (output.kind === kind ? [output.name] : []));
      for (const { committed, terms, surrogates = {}, loss, gradientNorm } of [first, second]) {
        expect(committed).toBe(true);
        expect(Object.keys({ ...terms, ...surrogates }).sort()).toEqual(
          Object.keys(experiment.objective).sort(),
        );
        expect(Object.keys(terms)).toEqual(namesOf('term'));
        expect(Object.keys(surrogates)).toEqual(namesOf('surrogate'));
        expect(
          [...Object.values({ ...terms, ...surrogates }), loss, gradientNorm].every(Number.isFinite),
        ).toBe(true);
        expect(gradientNorm).toBeGreaterThan(0);
      }
      expect(second.loss).not.toBe(first.loss);
      expect(backends.wasm.liveCount()).toBe(before);
    });

    test.each(
      (golden === 'none' ? [] : right(compile(experiment)).stages)
        .map(({ pass, program }, i) => [`${i}-${pass.replaceAll(' ', '-')}`, program] as const)
        .filter((_, i, { length }) => golden === 'every' || i === 0 || i === length - 1),
    )('its program after pass %s is the golden one', async (pass, program) => {
      await expect(print(program)).toMatchFileSnapshot(`../golden/${name}/${pass}.txt`);
    });
  },
);
