/** The command line's mistakes: each is one line that says where, what was found and what was expected, and nothing is written. */
import { elementAt } from '../../dsl/lookup.js';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { encodeExperiment } from '../../dsl/index.js';
import { json, linear, root, run, spawned } from '../shared/command.js';
import { right } from '../shared/either.js';
import { put } from '../shared/json.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const good = right(encodeExperiment(linear(8, 8)));
const spec = file('linear.json', JSON.stringify(good));
const changed = (name: string, path: readonly (string | number)[], part: unknown): string =>
  file(name, JSON.stringify(put(good, path, part)));

const images = gunzipSync(readFileSync(join(root, 'data/digits/t10k-images-idx3-ubyte.gz')));
const cut = file('cut-idx3-ubyte', images.subarray(0, 1000));
const magic = file(
  'magic-idx3-ubyte',
  Uint8Array.from(images, (byte, i) => (i === 3 ? 1 : byte)),
);
const notJson = file('broken.json', '{ "schemaVersion": 1, ');
const text = file('spec.txt', 'hello');
const blocked = file('blocked', 'a file where a folder should be');
const full = join(folder, 'full');
mkdirSync(full);
writeFileSync(join(full, 'kept'), '');

const layer = ['networks', 'encoder', 'layers', 1] as const;

/** Command line → the lines of stderr, all of them. */
const mistakes: readonly (readonly [string, readonly string[], readonly (string | RegExp)[]])[] = [
  [
    'an unknown layer tag',
    [changed('tag.json', [...layer, 'tag'], 'dens')],
    [
      /^networks\.encoder\.layers\[1\]\.tag: found "dens", expected one of dense, conv, .*\(did you mean "dense"\?\)$/,
    ],
  ],
  [
    'a width that is not positive',
    [changed('width.json', [...layer, 'units'], 0)],
    ['networks.encoder.layers[1].units: found 0, expected a positive integer'],
  ],
  [
    'two mistakes at once',
    [file('two.json', JSON.stringify(put(put(good, [...layer, 'units'], -3), ['batch'], 1.5)))],
    [
      'networks.encoder.layers[1].units: found -3, expected a positive integer',
      'batch: found 1.5, expected a positive integer',
    ],
  ],
  [
    'NaN in a schedule, which JSON writes as null',
    [changed('null.json', ['optimizer', 'rate', 'left', 'value'], Number.NaN)],
    ['optimizer.rate.left.value: found null, expected a finite number'],
  ],
  [
    'a file that is no JSON',
    [notJson],
    [/broken\.json: found invalid JSON \(.+\), expected an experiment as JSON$/],
  ],
  ['a file of another kind', [text], [/spec\.txt: found a file \.txt, expected a file \.ts, .* or \.json$/]],
  ['a missing file', [join(folder, 'nowhere.ts')], [/nowhere\.ts: found no such file, expected a file \.ts/]],
  ['a folder', [folder], [/: found a folder, expected a file \.ts/]],
  ['no file at all', [], ['SPEC: found nothing, expected immersion … SPEC']],
  [
    'an IDX file cut short',
    [spec, '--data', cut],
    [/cut-idx3-ubyte: found 1000 bytes, expected 19152 bytes/],
  ],
  [
    'an IDX file with another magic number',
    [spec, '--data', magic],
    [/magic-idx3-ubyte: found magic number 0x00000801, expected 0x00000803 \(images\)/],
  ],
  [
    'unknown data',
    [spec, '--data', 'digit'],
    [/^data: found "digit", which does not exist, expected .*\(did you mean "digits"\?\)$/],
  ],
  [
    'examples that do not fit the encoder',
    [file('seven.json', JSON.stringify(right(encodeExperiment(linear(7, 7)))))],
    [
      'data: found examples of shape [8,8,1] in "digits", expected [7,7,1], the input of network "encoder" (let encoder begin with input(8, 8, 1))',
    ],
  ],
  [
    'a decoder that does not fit its encoder',
    [changed('decoder.json', ['networks', 'decoder', 'input'], [4])],
    [
      /^objective\.reconstruction\..*: found an argument of shape \[3\], expected \[4\], the input of network "decoder"$/,
      'decoder.input: found [4], expected [3], the output of the encoder',
    ],
  ],
  [
    'a batch beyond the data',
    [spec, '--batch', '5000'],
    ['batch: found 5000, expected an integer from 1 to 1498, the number of examples'],
  ],
  [
    'an unknown backend',
    [spec, '--backend', 'wasn'],
    [/^--backend: found "wasn", expected one of .*wasm.*\(did you mean "wasm"\?\)$/],
  ],
  [
    'an unknown option',
    [spec, '--sed', '1'],
    [
      /^--sed: found an unknown option, expected .*--seed.*\(did you mean "--se[et]d?"\?\)$/,
      /^1: found one word too many, expected SPEC$/,
    ],
  ],
  ['an option without its value', [spec, '--seed'], ['--seed: found no value, expected --seed N']],
  ['a negative seed', [spec, '--seed', '-1'], ['--seed: found "-1", expected a non-negative integer']],
  [
    'steps that are no number',
    [spec, '--steps', 'many'],
    ['--steps: found "many", expected a positive integer'],
  ],
  [
    'a field and a shorthand, both wrong',
    [spec, '--set', 'optimizer.rate=0', '--batch', '0', '--data', 'mnist'],
    [
      '--set optimizer.rate: found "0", expected a positive number',
      '--batch: found "0", expected a positive integer',
    ],
  ],
  [
    'a hyper-parameter called as a shorthand',
    [
      changed('captured.json', ['optimizer', 'rate', 'left'], { tag: 'hyper', name: 'steps', value: 1 }),
      '--steps',
      '3',
    ],
    [
      'optimizer.rate.left.name: found a reserved name, expected another name (--set steps is a field of the experiment or of its optimizer)',
    ],
  ],
  [
    'a schedule over no steps',
    [changed('none.json', ['optimizer', 'rate', 'right', 'right', 'left', 'right', 'value'], 0)],
    ['optimizer.rate.right.right.left.right: found 0, expected a divisor that is not zero'],
  ],
  [
    'a divisor set to 0',
    [spec, '--set', 'lambda=0'],
    ['objective.volume.right: found 0, expected a divisor that is not zero'],
  ],
  ['a setting without a value', [spec, '--set', 'eta'], ['--set: found "eta", expected NAME=VALUE']],
  [
    'a setting that is no number',
    [spec, '--set', 'eta=NaN'],
    ['--set eta: found "NaN", expected a finite number'],
  ],
  [
    'an unknown setting',
    [spec, '--set', 'etta=1'],
    [/^--set etta: found "etta", expected one of .*eta.*\(did you mean "eta"\?\)$/],
  ],
];

const expectLines = (found: readonly string[], expected: readonly (string | RegExp)[]): void => {
  expect(found, found.join('\n')).toHaveLength(expected.length);
  found.forEach((line, i) => {
    const wanted = elementAt(expected, i);
    if (typeof wanted === 'string') expect(line).toBe(wanted);
    else expect(line).toMatch(wanted);
  });
};

const entries = (): readonly string[] => readdirSync(folder).sort();

describe('mistakes', () => {
  test.each(mistakes)('%s: exit code 1, one line for each problem, and no folder', async (_, args, lines) => {
    const before = entries();
    const out = join(folder, 'never');
    const { code, stdout, stderr } = await run('train', ...args, `--out=${out}`);
    expectLines(stderr, lines);
    expect(stdout).toBe('');
    expect(code).toBe(1);
    expect(entries()).toEqual(before);
  });

  test('with --json the problems are data on stdout', async () => {
    const { code, stdout } = await run('train', spec, '--steps', '0', '--json');
    expect(code).toBe(1);
    expect(json(stdout)).toEqual({
      ok: false,
      problems: [{ path: '--steps', found: '"0"', expected: 'a positive integer' }],
    });
  });

  test.each([
    ['a folder that is not empty', full],
    ['a place below a file', join(blocked, 'run')],
  ])('--out at %s is a problem, and nothing is touched', async (_, out) => {
    const before = entries();
    const { code, stderr } = await run('train', spec, '--out', out);
    expect(code).toBe(1);
    expectLines(stderr, [/: found .+, expected a new or empty folder that can be written$/]);
    expect(entries()).toEqual(before);
    expect(readdirSync(full)).toEqual(['kept']);
  });

  test('an unknown command is named with the nearest one', async () => {
    const { code, stderr } = await run('traain', spec);
    expect(code).toBe(1);
    expectLines(stderr, [
      /^traain: found an unknown command, expected one of .*train.*\(did you mean "train"\?\)$/,
    ]);
  });

  const body = `import { adam, dense, experiment, input, network, pipe, schedule } from 'immersion/dsl';
import { ae } from 'immersion/objectives';
const encoder = network('encoder', pipe(input(4), dense(2)));
const decoder = network('decoder', pipe(input(2), dense(4)));
const rate = schedule.exponential(NaN, 10);
`;
  const modules: readonly (readonly [string, string, RegExp])[] = [
    [
      'NaN in a schedule',
      `${body}export default experiment({ encoder, decoder, objective: ae(encoder, decoder), optimizer: adam({ rate }), batch: 4, steps: 4, data: 'digits' });`,
      /^optimizer\.rate.*: found NaN, expected a finite number$/,
    ],
    [
      'no default export',
      `${body}export const spec = 1;`,
      /: found no default export, expected export default experiment/,
    ],
    [
      'an error on loading',
      `throw new Error('no luck\\n    at all');`,
      /: found an error on loading \(no luck at [\w.-]+:1:7\), expected/,
    ],
    [
      'a syntax error',
      `export default {`,
      /: found an error on loading \(.*ERROR: .*\), expected a module that loads$/,
    ],
  ];
  test.concurrent.each(modules)('a module with %s: one line, no stack trace', async (name, source, line) => {
    const path = file(`${name.replaceAll(' ', '-')}.ts`, source);
    const { code, stdout, stderr } = await spawned(folder, ['train', path]);
    expect(stderr.join('\n')).not.toMatch(/^\s+at /m);
    expectLines(stderr, [line]);
    expect(stdout).toBe('');
    expect(code).toBe(1);
    expect(existsSync(join(folder, 'outputs'))).toBe(false);
  });
});

test.each(['train', 'start', 'explain', 'help'])('help %s says how it is called', async (name) => {
  const { code, stdout } = await run('help', name);
  expect(stdout).toMatch(new RegExp(`^immersion ${name}`));
  expect(code).toBe(0);
});
