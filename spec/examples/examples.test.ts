/** Every example compiles, trains and keeps its program: `npx vitest run spec/examples/examples.test.ts -u` writes spec/golden anew. */
import { atLeast } from '../../dsl/lookup.js';
import { describe, expect, test } from 'vitest';
import { type Compiled, compile, type OutputKind, print } from '../../compiler/index.js';
import { type Experiment, encodeExperiment, fieldsReadBy, latent, sizeOf } from '../../dsl/index.js';
import aeL2 from '../../examples/ae-l2.js';
import ae from '../../examples/ae.js';
import circle from '../../examples/circle.js';
import conditional from '../../examples/conditional-injflow.js';
import digitsFlow from '../../examples/digits-flow.js';
import digits from '../../examples/digits.js';
import { densityExperiment, parts } from '../../examples/flows.js';
import line from '../../examples/linear.js';
import masked from '../../examples/masked-table.js';
import mlp from '../../examples/mlp.js';
import mnist from '../../examples/mnist.js';
import sine from '../../examples/sine.js';
import sphere from '../../examples/sphere.js';
import table from '../../examples/table.js';
import torus from '../../examples/torus.js';
import transformer from '../../examples/transformer.js';
import unet from '../../examples/unet-vae.js';
import { createSession, initialState, type StepEvent } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { right } from '../shared/either.js';

type Example = {
  readonly experiment: Experiment;
  /** At which it takes its two steps: the larger the network, the fewer. */
  readonly batch: number;
  /** Whose programs are golden files: those after every pass, the first and the last, or none: they are long, and a small flow stands for all. */
  readonly golden?: 'every' | 'ends' | 'none';
};

const flow = (experiment: Experiment): Example => ({ experiment, batch: 5, golden: 'none' });

const examples: Readonly<Record<string, Example>> = {
  ae: { experiment: ae, batch: ae.batch },
  'ae-l2': { experiment: aeL2, batch: aeL2.batch },
  digits: { experiment: digits, batch: 8 },
  mlp: { experiment: mlp, batch: mlp.batch },
  mnist: { experiment: mnist, batch: 2 },
  flow: {
    experiment: densityExperiment({
      ...parts({ d: 1, D: 2, width: 4, couplings: 1 }),
      codes: latent(1),
      data: 'sine',
      steps: 10,
      beta: 10,
      rate: 1e-3,
    }),
    batch: 5,
    golden: 'ends',
  },
  circle: flow(circle),
  line: flow(line),
  sine: flow(sine),
  sphere: flow(sphere),
  torus: flow(torus),
  table: flow(table),
  'digits-flow': flow(digitsFlow),
  'conditional-injflow': flow(conditional),
  'masked-table': flow(masked),
  transformer: flow(transformer),
  'unet-vae': flow(unet),
};

/** Numbers in [0, 1], as pixels are. */
const pixels = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => 0.5 + 0.5 * Math.sin(i * i + 1));

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

describe.each(Object.entries(examples))('%s', (name, { experiment, batch, golden = 'every' }) => {
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
      expect([...Object.values({ ...terms, ...surrogates }), loss, gradientNorm].every(Number.isFinite)).toBe(
        true,
      );
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
});
