/** Passes and lowerings keep the meaning of programs that no elaboration would write. */
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect } from 'vitest';
import { optimize } from '../../../compiler/pipeline.js';
import { print } from '../../../compiler/ir/print.js';
import { verify } from '../../../compiler/ir/verify.js';
import { agreesInSingle, expectSame, isTame } from '../../shared/agreement.js';
import { programOfEquations } from '../../arbitrary/equations.js';
import { runBy, type RunnerName } from '../../shared/backends.js';
import { isThere } from '../../shared/each-runner.js';
import { feed } from '../../shared/feeding.js';
import { interpret } from '../../shared/outputs.js';

const seed = fc.nat(1e6);

const counts = { runs: 0, rejected: 0 };

describe('equations', () => {
  test.prop([programOfEquations], { numRuns: 300 })('any program that was built verifies', (program) => {
    expect(verify(program)).toEqual([]);
  });

  test.prop([programOfEquations, seed], { numRuns: 1000 })(
    'every pass leaves a well-formed program of the same meaning',
    (program, s) => {
      const inputs = feed(program, [], s);
      const expected = interpret(program, inputs);
      counts.runs++;
      if (!isTame(expected)) counts.rejected++;
      fc.pre(isTame(expected));
      for (const { pass, program: result } of optimize('equations', program)) {
        expect(verify(result), pass).toEqual([]);
        expectSame(interpret(result, inputs), expected, `${pass} of ${print(program)}`);
      }
    },
  );

  const onBackend = (name: RunnerName, numRuns: number): void => {
    const title = `${name} computes what the interpreter says, with and without passes`;
    if (!isThere(name)) return test.skip(title, () => undefined);
    test.prop([programOfEquations, fc.boolean(), seed], { numRuns })(title, async (written, optimized, s) => {
      const program = optimized ? (optimize('equations', written).at(-1)?.program ?? written) : written;
      const inputs = feed(program, [], s);
      const found = await runBy(name, program, inputs);
      counts.runs++;
      if (!agreesInSingle(program, inputs, found)) counts.rejected++;
    });
  };
  onBackend('wasm', 400);
  onBackend('kernels', 150);
  onBackend('cpu', 150);
  onBackend('cc', 40);
  onBackend('webgpu', 60);

  afterAll(() => {
    console.log(`equations: ${counts.rejected} of ${counts.runs} runs overflow or are ill-conditioned`);
    expect(counts.rejected).toBeLessThanOrEqual(counts.runs / 2);
  });
});
