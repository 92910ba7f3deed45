/** `immersion doctor` says what this machine offers, and the backend that is chosen is the one it names. */
import { describe, expect, test } from 'vitest';
import { doctorText, type Report } from '../../cli/doctor.js';
import { showProblem } from '../../dsl/problem.js';
import { startBackend } from '../../backends/choose.js';
import { hasCc, hasNative, hasWebgpu } from '../shared/backends.js';
import { run } from '../shared/command.js';
import { left, right } from '../shared/either.js';

describe('the choice of a backend', () => {
  test('is native where it loads, else wasm with the reason', async () => {
    const { name, description } = right(await startBackend('auto'));
    expect(name).toBe(hasNative() ? 'native' : 'wasm');
    expect(description).toMatch(
      hasNative() ? /^native \(TensorFlow 2\./ : /^wasm \(.*\), since native does not load: .+\(run /,
    );
  });

  test.each([
    [
      'nativ',
      {},
      /^--backend: found "nativ", expected one of auto, native, cc, wasm, webgpu, cpu \(did you mean "native"\?\)$/,
    ],
    [
      'wasm',
      { device: 'gqu' },
      /^--device: found "gqu", expected one of auto, cpu \(did you mean "cpu"\?\)$/,
    ],
  ])('%s %j is refused', async (name, options, expected) => {
    expect(
      left(await startBackend(name, options))
        .map(showProblem)
        .join('\n'),
    ).toMatch(expected);
  });
});

describe('immersion doctor', () => {
  test('reports as JSON and for people', async () => {
    const { code, stdout } = await run('doctor', '--json');
    expect(code).toBe(0);
    const report: Report = JSON.parse(stdout);
    expect(report.ok).toBe(true);
    expect(report.native.loads).toBe(hasNative());
    expect(report.cc.loads).toBe(hasCc());
    expect(report.webgpu.loads).toBe(hasWebgpu());
    expect(report.webgpu.description ?? report.webgpu.problem).toMatch(/webgpu/);
    const loaded = [...(hasNative() ? ['native'] : []), ...(hasCc() ? ['cc'] : []), 'wasm'];
    expect(Object.keys(report.speed).filter((name) => name !== 'webgpu')).toEqual(loaded);
    for (const speed of Object.values(report.speed).flatMap((one) => Object.values(one)))
      expect(speed).toBeGreaterThan(0);
    const text = doctorText(report, 1000);
    for (const word of [
      process.versions.node,
      'wasm',
      'gpu',
      'threads',
      'simd',
      'GF/s',
      'for 100 steps of immersion start: ',
      'for 100,000 steps of immersion start: ',
      `to use a model, such as immersion sample: ${report.chosen.use.description}`,
    ])
      expect(text).toContain(word);
    const { training, use } = report.chosen;
    expect(training.map(({ steps }) => steps)).toEqual([100, 100_000]);
    expect(training[1]?.name).toBe(hasCc() ? 'cc' : hasNative() ? 'native' : 'wasm');
    expect(use.name).toBe(hasNative() ? 'native' : 'wasm');
    const lines = doctorText(report, 80).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.map((line) => line.trim()).join(' ')).toContain(use.description);
  });

  test.each([
    [['--biuld'], /did you mean "--build"/],
    [['--library', 'x'], /^--library: found no --build/],
    [['--device', 'tpu'], /^--device: found "tpu"/],
    [['--build', '--library', '/nowhere'], /^--library \/nowhere: found no libtensorflow/],
  ])('%j ends with one line and 1', async (args, expected) => {
    const { code, stderr } = await run('doctor', ...args);
    expect(code).toBe(1);
    expect(stderr.at(-1)).toMatch(expected);
  });
});
