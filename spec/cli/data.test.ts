/** `immersion data` describes what a set holds, as numpy and pandas count it, and what training would refuse. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { expect, test } from 'vitest';
import { run } from '../shared/command.js';
import { png, testFolder } from '../data/files.js';

const folder = testFolder('describe');
const people = folder.file(
  'people.csv',
  'age,kind,h\n30,a,1.5\n,b,1.75\n50,,2\n40,a,NA\n20,b,1.5\n33,a,1.6\n70,a,1.7\n',
);

test('a table: values, missing values, classes and what preprocessing does', async () => {
  const { code, stdout } = await run('data', `${people}?categories=onehot&missing=mask&standardize`);
  expect(code).toBe(0);
  // df.describe() of pandas, with std(ddof=0)
  expect(stdout).toMatch(/column 1 \(age\)\s+20\s+70\s+40\.5\s+16\.0598\s+1\n/);
  expect(stdout).toMatch(/column 2 \(kind\): a, b\s+1\n/);
  expect(stdout).toContain('6 train, 1 test');
  expect(stdout).toContain('missing values become 0, with a 0 in the field mask');
});

test('what training would refuse is said, and is no success', async () => {
  const { code, stdout } = await run('data', `${people}?categories=onehot`);
  expect(code).toBe(1);
  expect(stdout).toMatch(/training would refuse this\n.*1 missing value in column 1 \(age\), 1 in column 2/);
  const { code: again, stdout: json } = await run(
    'data',
    `${people}?labels=kind&missing=drop&holdOut=0`,
    '--json',
  );
  expect([again, JSON.parse(json)]).toMatchObject([
    0,
    {
      ok: true,
      shape: [2],
      parts: [
        { name: 'train', size: 4 },
        { name: 'test', size: 0 },
      ],
      fields: [
        { name: 'label' },
        {
          name: 'kind',
          classes: [
            { name: 'a', count: 4 },
            { name: 'b', count: 2 },
          ],
        },
      ],
    },
  ]);
  const { code: none, stderr } = await run('data', 'nothing-here');
  expect([none, stderr[0]]).toEqual([1, expect.stringContaining('which does not exist')]);
});

test('pictures are written as a grid, each pixel of small ones as a square of 16 × 16 here', async () => {
  for (const i of [0, 1, 2])
    folder.file(
      `pictures/${i}.png`,
      png(4, 3, 1, () => 100 * i),
    );
  const grid = join(folder.path, 'grid.png');
  const { code } = await run('data', `${folder.path}/pictures?holdOut=0`, '--grid', grid);
  const { width, height, data } = decode(readFileSync(grid));
  expect([code, width, height]).toEqual([0, 194, 48]);
  expect([data[0], data[65], data[47 * 194 + 130]]).toEqual([0, 100, 200]);
  expect((await run('data', people, '--grid', grid)).code).toBe(1);
});
