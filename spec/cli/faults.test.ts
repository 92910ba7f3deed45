/** What goes wrong around a command: processes that are killed, places that cannot be written, files that are not what they should be. */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { encodeSafetensors, decodeSafetensors } from '../../backends/safetensors.js';
import { folderWithin, makeFolder, tidied, writableFolder } from '../../backends/places.js';
import { sweepText } from '../../cli/terminal/sweep-text.js';
import { encodeExperiment } from '../../dsl/index.js';
import { visible } from '../../dsl/printing/visible.js';
import { writeWhole } from '../../runs/records/whole-file.js';
import { json, linear, root, run, spawned } from '../shared/command.js';
import { isObject } from '../shared/json.js';
import { right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-faults-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good = right(encodeExperiment(linear(8, 8)));
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const spec = file('linear.json', JSON.stringify(good));

const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const childrenOf = (pid: number): readonly number[] => {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

const runs = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z');

describe.skipIf(process.platform !== 'linux')('a wrapper that is killed', () => {
  test.each([150, 400, 900])('takes its child with it, %i ms after the start', async (after) => {
    const out = join(folder, `killed-${after}`);
    const wrapper = spawn(
      process.execPath,
      [join(root, 'bin/immersion.mjs'), 'train', spec, '--steps', '1000000', '--out', out],
      { stdio: 'ignore' },
    );
    const started = performance.now();
    let children: readonly number[] = [];
    while (children.length === 0 || performance.now() - started < after) {
      await wait(10);
      children = childrenOf(wrapper.pid ?? 0);
    }
    wrapper.kill('SIGKILL');
    for (let i = 0; i < 300 && children.some(runs); i++) await wait(50);
    expect(children.filter(runs)).toEqual([]);
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends a process that has no turn for it, as while it compiles',
  { timeout: 60_000 },
  async (name) => {
    const path = file(
      'busy.mjs',
      'process.stderr.write("busy\\n");\nconst began = Date.now();\nwhile (Date.now() < began + 30_000);\nexport default {};\n',
    );
    let sent = Infinity;
    const { code } = await spawned(folder, ['train', path], (line, signal) => {
      if (line !== 'busy') return;
      sent = performance.now();
      signal(name);
    });
    expect(performance.now() - sent).toBeLessThan(5000);
    expect(code).not.toBe(0);
  },
);

describe('places', () => {
  test('under /proc are refused at once', async () => {
    const { code, stderr } = await run(
      'train',
      spec,
      '--steps',
      '1',
      '--backend',
      'wasm',
      '--out',
      '/proc/x/y',
    );
    expect(code).toBe(1);
    expect(stderr).toEqual([
      expect.stringMatching(/^\/proc\/x: found ENOENT.*, expected a new or empty folder that can be/),
    ]);
  });

  test('are made level by level, and a file in the way is a problem', () => {
    const path = join(folder, 'a', 'b', 'c');
    expect(makeFolder(path)).toEqual({ _tag: 'Right', right: path });
    expect(makeFolder(join(spec, 'below'))).toMatchObject({ _tag: 'Left' });
    expect(makeFolder(spec)).toMatchObject({ left: [{ path: spec, found: 'a file' }] });
  });

  test('that can be written are left as they were', () => {
    const path = join(folder, 'clean');
    expect(writableFolder(path)).toEqual({ _tag: 'Right', right: path });
    expect(readdirSync(path)).toEqual([]);
    expect(writableFolder('/proc')).toMatchObject({ left: [{ path: '/proc' }] });
  });

  test('of a trial are made before it trains', async () => {
    const trial = file(
      'trial.json',
      JSON.stringify({ schemaVersion: 1, spec: good, seed: 0, backend: 'wasm' }),
    );
    const out = join(folder, 'missing', 'dir');
    const { code } = await run('trial', trial, '--out', out);
    expect(code).toBe(0);
    expect(readdirSync(out)).toContain('result.json');
    const refused = await run('trial', trial, '--out', join(spec, 'x'));
    expect(refused.stderr).toEqual([expect.stringContaining('expected a folder that can be written')]);
  });

  test('cannot be led elsewhere by a link', () => {
    const base = join(folder, 'run');
    const outside = join(folder, 'outside');
    mkdirSync(base);
    mkdirSync(outside);
    symlinkSync(outside, join(base, 'export'));
    expect(folderWithin(base, 'export')).toMatchObject({ left: [{ found: 'a link' }] });
    const target = file('target', 'untouched');
    symlinkSync(target, join(base, 'weights.partial'));
    expect(writeWhole(join(base, 'weights'), 'new')).toMatchObject({ _tag: 'Right' });
    expect(readFileSync(target, 'utf8')).toBe('untouched');
    expect(readFileSync(join(base, 'weights'), 'utf8')).toBe('new');
  });

  test('that cannot be cleaned up hide no cause', () => {
    const blocked = join(spec, 'inside-a-file');
    expect(() => tidied(blocked)).not.toThrow();
    expect(writeWhole(blocked, 'x')).toMatchObject({
      left: [{ path: blocked, found: expect.stringContaining('ENOTDIR') }],
    });
  });
});

describe('weights', () => {
  const trained = join(folder, 'trained');
  const weights = join(trained, 'weights.safetensors');
  const exported = (): ReturnType<typeof run> => run('export', trained, '--format', 'graph-model');

  test('with a number that is none, or of overlapping arrays, or from a device are not exported', async () => {
    expect((await run('train', spec, '--backend', 'wasm', '--out', trained)).code).toBe(0);
    const bytes = readFileSync(weights);
    const arrays = new Map(right(decodeSafetensors(weights, bytes)));
    const [name = '', kernel] = [...arrays].find(([key]) => /^encoder.*kernel/.test(key)) ?? [];
    const broken = Float32Array.from(kernel?.data ?? []).fill(NaN, 5, 6);
    writeFileSync(
      weights,
      encodeSafetensors(new Map(arrays).set(name, { shape: kernel?.shape ?? [], data: broken })),
    );
    expect((await exported()).stderr).toEqual([
      expect.stringMatching(/: found NaN as number 5, expected \[.*\], all finite$/),
    ]);

    const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString();
    const moved = header.replace(
      /"data_offsets":\[(\d\d+),(\d+)\]/,
      (_, from: string, to: string) =>
        `"data_offsets":[${String(Number(from) - 4).padStart(from.length)},${String(Number(to) - 4).padStart(to.length)}]`,
    );
    writeFileSync(
      weights,
      Buffer.concat([bytes.subarray(0, 8), Buffer.from(moved), bytes.subarray(8 + header.length)]),
    );
    expect((await exported()).stderr).toEqual([expect.stringMatching(/inside another array/)]);

    rmSync(weights);
    symlinkSync('/dev/zero', weights);
    expect((await exported()).stderr).toEqual([expect.stringMatching(/found not a regular file/)]);
    expect(readdirSync(trained)).not.toContain('export');

    rmSync(weights);
    writeFileSync(weights, bytes);
    symlinkSync(folder, join(trained, 'export'));
    expect((await exported()).stderr).toEqual([expect.stringMatching(/export: found a link/)]);
  });
});

describe('names', () => {
  test('with escape sequences are written out', async () => {
    expect(visible('a\x1b[31mb\u009b1mc\td\ne\u202e')).toBe('a\\x1b[31mb\\x9b1mc\td\ne\\u202e');
    const { stderr } = await run('train', join(folder, 'no\x1b]0;title\x07.ts'));
    expect(stderr.join()).toContain('no\\x1b]0;title\\x07.ts');
    const asked = await run('train', 'x\u009b2J.ts', '--json');
    expect(asked.stdout + asked.stderr.join()).not.toMatch(/\p{Cc}(?<!\n)/u);
  });

  test('go out in one place of the command', () => {
    const texts = readdirSync(join(root, 'cli'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [name, readFileSync(join(root, 'cli', name), 'utf8')] as const);
    const writers = texts.filter(([, text]) =>
      /process\.std(out|err)\.write|console\.(log|error)\(/.test(text),
    );
    expect(writers.map(([name]) => name)).toEqual(['terminal/output.ts']);
  });
});

describe('a sweep', () => {
  test('without figures has a table of its settings', () => {
    expect(sweepText(['eta'], [{ settings: { eta: 1 }, figures: [], failed: 1 }], [])).toBe(
      'eta  failed\n1         1',
    );
  });

  test('says which trial is the best by validation examples, and how it is opened', async () => {
    const out = join(folder, 'chosen');
    const words = ['--grid', 'optimizer.rate=1e-6,1e-2', '--steps', '20', '--backend', 'wasm', '--out', out];
    const { code, stderr, stdout } = await run('sweep', spec, ...words, '--json');
    expect(code, stderr.join('\n')).toBe(0);
    const best = json(stdout)['best'];
    expect(best).toMatchObject({ label: 'optimizer.rate=0.01 seed=0', by: 'validation/reconstruction' });
    const again = await run('sweep', spec, ...words);
    expect(again.stderr.join('\n')).toMatch(/the least validation\/reconstruction, .*openRun\(".*trials/);
    const opened = isObject(best) ? String(best['folder']) : '';
    expect((await run('evaluate', opened, '--backend', 'wasm')).code).toBe(0);
  });

  test('whose trials are killed says so', async () => {
    const out = join(folder, 'killed-sweep');
    const ended = spawned(folder, [
      'sweep',
      spec,
      '--steps',
      '1000000',
      '--jobs',
      '1',
      '--backend',
      'wasm',
      '--out',
      out,
    ]);
    const trials = join(out, 'trials');
    const pidOf = (): number | undefined =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .find((pid) => {
          try {
            const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
            return words.includes('immersion.mjs') && words.includes(trials);
          } catch {
            return false;
          }
        });
    let pid = pidOf();
    while (pid === undefined) {
      await wait(50);
      pid = pidOf();
    }
    process.kill(pid, 'SIGKILL');
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr.join('\n')).toMatch(/seed=0 failed: .*SIGKILL/);
    expect(stderr.join('\n')).not.toContain('unexpected');
  });
});
