/** Calls that types would refuse, made in plain JavaScript or with arguments turned round, are problems that say where. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { adam, checkExperiment, dense, experiment, input, network, pipe } from '../../dsl/index.js';
import { cae, injFlow, injFlowLn, rectangular } from '../../objectives/index.js';
import { loadSpec } from '../../runs/load-spec.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-calls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('options that there are none of, in plain JavaScript', () => {
  const encoder = network('encoder', pipe(input(4), dense(2)));
  const decoder = network('decoder', pipe(input(2), dense(4)));
  const training = { optimizer: adam({ rate: 1e-3 }), batch: 4, steps: 1, data: 'linear' };
  /** As a call of plain JavaScript, which no type-checker sees. */
  const untyped = (call: (...words: readonly never[]) => unknown, ...words: readonly unknown[]): unknown =>
    Reflect.apply(call, undefined, words);

  test.each([
    ['injFlow', injFlow, 'priors', 'prior'],
    ['injFlowLn', injFlowLn, 'etas', 'eta'],
    ['rectangular', rectangular, 'probs', 'probe'],
    ['cae', cae, 'weigth', 'weight'],
  ] as const)('of %s are problems with the place of the call', (name, call, option, meant) => {
    const objective = untyped(call, encoder, decoder, { [option]: 0.1 });
    const checked = checkExperiment({ encoder, decoder, objective, ...training });
    expect(checked).toMatchObject({
      left: [
        {
          path: expect.stringMatching(
            new RegExp(`^${name}\\(…\\)\\.${option} at calls\\.test\\.ts:\\d+:\\d+$`),
          ),
          found: 'an unknown option',
          hint: `did you mean "${meant}"?`,
        },
      ],
    });
  });
});

test('an objective of networks turned round is said, and not blamed on the data', () => {
  const encoder = network('encoder', pipe(input(4), dense(2)));
  const decoder = network('decoder', pipe(input(2), dense(4)));
  const training = { optimizer: adam({ rate: 1e-3 }), batch: 4, steps: 1, data: 'linear' };
  const turned = experiment({ encoder, decoder, objective: injFlow(decoder, encoder), ...training });
  expect(checkExperiment(turned)).toMatchObject({
    left: [
      {
        path: 'objective',
        found: 'data of shape [2], which network "decoder" is applied to',
        hint: 'the encoder comes first: (encoder, decoder)',
      },
    ],
  });
});

test('an error on loading a specification says where it was thrown', async () => {
  const path = join(folder, 'spec.mjs');
  writeFileSync(path, "const name = 'a';\nexport default name.first.second;\n");
  expect(await loadSpec(path)).toMatchObject({
    left: [
      {
        path,
        found: expect.stringMatching(
          /^an error on loading \(Cannot read properties .* at spec\.mjs:2:\d+\)$/,
        ),
      },
    ],
  });
});
