/** What a user does with a table of their own: train, move the table, and use the model from new processes, in 20 lines or by six commands. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { linesOf, root, spawned } from '../shared/command.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-path-'));
/** Beside the sources, where a user's project would have installed them. */
const programs = mkdtempSync(join(root, 'spec/.path-'));
afterAll(() => [folder, programs].forEach((path) => rmSync(path, { recursive: true })));

const rows = Array.from({ length: 300 }, (_, i) => {
  const [u, v] = [Math.sin(i * 12.9898) * 2, Math.cos(i * 78.233) * 2];
  return [150 + 20 * u, 0.02 + 0.004 * v, 1000 + 300 * (u - v), 3 + 0.5 * Math.sin(u)].join(',');
});
const table = `height,weight,leaves,area\n${rows.join('\n')}\n`;

const head = `import { getOrElseW } from 'fp-ts/lib/Either.js';
import { adam, dense, elu, experiment, input, network, pipe, type Problem, showProblem } from 'immersion/dsl';
import { ae } from 'immersion/objectives';
const encoder = network('encoder', pipe(input(4), dense(16), elu, dense(2)));
const decoder = network('decoder', pipe(input(2), dense(16), elu, dense(4)));
const spec = experiment({ encoder, decoder, objective: ae(encoder, decoder), optimizer: adam({ rate: 1e-2 }), batch: 32, steps: 300, data: 'plants.csv?standardize' });
`;

const training = `${head}import { fit } from 'immersion/runs';
const get = getOrElseW((problems: readonly Problem[]): never => { throw new Error(problems.map(showProblem).join()); });
get(await fit(spec, { out: 'run', backend: 'wasm' })).dispose();
`;

const using = `import { getOrElseW } from 'fp-ts/lib/Either.js';
import { writeFileSync } from 'node:fs';
import { type Problem, showProblem } from 'immersion/dsl';
import { fitGaussian, reportRun } from 'immersion/evaluation';
import { openRun, resume } from 'immersion/runs';
const get = getOrElseW((problems: readonly Problem[]): never => { throw new Error(problems.map(showProblem).join()); });
const run = get(await openRun('run'));
const plants = [{ leaves: 1050, height: 155, weight: 0.021, area: 3.1 }];
const prior = get(fitGaussian(run.kept.codes.data, 2));
const samples = await run.sample(100, { prior: prior.sample, units: 'data' });
const [codes, { logDensity }] = [await run.encode(plants), await run.logProb(plants, { prior })];
const change = { 'optimizer.rate': 1e-4 };
const more = get(await resume('run', { steps: 1000, change, data: 'moved/plants.csv?standardize' }));
writeFileSync('report.html', await reportRun(get(await openRun('run'))));
console.log(JSON.stringify({ codes: [...codes], samples: [...samples], logDensity: [...logDensity], steps: more.summary.steps }));
`;

const program = (name: string, text: string) => {
  const path = join(programs, name);
  writeFileSync(path, text);
  const flags = ['--conditions=immersion-source', '--import', import.meta.resolve('tsx'), path];
  return spawnSync(process.execPath, flags, { cwd: folder, encoding: 'utf8' });
};

const moveTable = (): void => {
  mkdirSync(join(folder, 'moved'), { recursive: true });
  renameSync(join(folder, 'plants.csv'), join(folder, 'moved/plants.csv'));
};

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

describe('in TypeScript', () => {
  test('the program that uses the model has at most 20 lines', () => {
    expect(linesOf(using).length).toBeLessThanOrEqual(20);
  });

  test(
    'a model is trained in one process and used in another, its table elsewhere',
    { timeout: 120_000 },
    () => {
      writeFileSync(join(folder, 'plants.csv'), table);
      const trained = program('train.ts', training);
      expect(trained.status, trained.stderr).toBe(0);
      moveTable();
      const used = program('use.ts', using);
      expect(used.status, used.stderr).toBe(0);
      const { codes, samples, logDensity, steps } = JSON.parse(linesOf(used.stdout).at(-1) ?? '');
      expect(codes).toHaveLength(2);
      expect(samples).toHaveLength(400);
      expect(Math.abs(mean(samples.filter((_: number, i: number) => i % 4 === 0)) - 150)).toBeLessThan(15);
      expect(Math.abs(mean(samples.filter((_: number, i: number) => i % 4 === 1)) - 0.02)).toBeLessThan(
        0.003,
      );
      expect(Number.isFinite(logDensity[0])).toBe(true);
      expect(steps).toBe(1300);
      expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('<svg');
    },
  );
});

test('by six commands', { timeout: 240_000 }, async () => {
  writeFileSync(join(folder, 'plants.csv'), table);
  // Where `immersion/…` is found whatever folder it lies in.
  writeFileSync(
    join(folder, 'spec.ts'),
    `${head.replace(/^import.*fp-ts.*\n/, '').replace(', type Problem, showProblem', '')}export default spec;\n`,
  );
  writeFileSync(join(folder, 'new.csv'), 'leaves,height,weight,area\n1050,155,0.021,3.1\n900,140,0.02,2.9\n');
  const commands = [
    ['train', 'spec.ts', '--backend', 'wasm', '--out', 'commands'],
    ['encode', 'commands', 'new.csv'],
    ['sample', 'commands', '-n', '100'],
    ['evaluate', 'commands', '--data', 'new.csv'],
    [
      'resume',
      'commands',
      '--steps',
      '1000',
      '--set',
      'optimizer.rate=1e-4',
      '--data',
      'moved/plants.csv?standardize',
    ],
    ['report', 'commands'],
  ] as const;
  for (const [i, command] of commands.entries()) {
    const { code, stdout, stderr } = await spawned(folder, command);
    expect(code, `${command.join(' ')}: ${stderr.join('\n')}`).toBe(0);
    if (i === 0) moveTable();
    if (command[0] === 'encode') expect(linesOf(stdout).length).toBeGreaterThanOrEqual(2);
    if (command[0] === 'sample') expect(linesOf(stdout).length).toBeGreaterThanOrEqual(100);
  }
  expect(existsSync(join(folder, 'commands/report.html'))).toBe(true);
});
