/** Small PNG files have the pixels that sharp reads; what is unusual or damaged is left to it. */
import { fc, test } from '@fast-check/vitest';
import sharp from 'sharp';
import { describe, expect } from 'vitest';
import { readPicture } from '../../data/readers/picture.js';
import { decodePlainPng } from '../../data/readers/png.js';
import { left } from '../shared/either.js';
import { png, testFolder } from './files.js';

const folder = testFolder('png');

describe('small PNG files, which are decoded here', () => {
  const noisy = (width: number, height: number, channels: 1 | 3 | 4) =>
    sharp(
      Buffer.from(
        Array.from({ length: width * height * channels }, (_, i) => (i * i * 31 + Math.floor(i / 5)) % 256),
      ),
      { raw: { width, height, channels } },
    );

  test.prop([fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 3, 4)])(
    'rows filtered in every way have the pixels that sharp says',
    async (width, height, channels: 1 | 3 | 4) => {
      const image = noisy(width, height, channels);
      const space = channels === 1 ? image.toColourspace('b-w') : image;
      const bytes = await space.png({ adaptiveFiltering: true, compressionLevel: 9 }).toBuffer();
      const plain = decodePlainPng(bytes);
      expect([plain?.width, plain?.height, plain?.channels]).toEqual([width, height, channels]);
      expect(Buffer.from(plain?.pixels ?? [])).toEqual(
        await (channels === 1 ? sharp(bytes).toColourspace('b-w') : sharp(bytes)).raw().toBuffer(),
      );
    },
  );

  test('what is unusual or damaged is left to sharp', async () => {
    const image = noisy(20, 10, 3);
    const plain = await image.png().toBuffer();
    const whole = decodePlainPng(plain);
    expect(whole).toBeDefined();
    const others = [
      await noisy(20, 10, 3).png({ palette: true }).toBuffer(),
      await noisy(20, 10, 3).toColourspace('rgb16').png().toBuffer(),
      await noisy(20, 10, 3).png({ progressive: true }).toBuffer(),
      await noisy(20, 10, 3).withIccProfile('p3').png().toBuffer(),
      await noisy(200, 100, 3).png().toBuffer(),
      png(2, 2, 2, () => 9),
      ...[20, 33, 60, plain.length - 1].map((length) => plain.subarray(0, length)),
      ...[17, 45, plain.length - 20].map((at) => plain.map((byte, i) => (i === at ? byte ^ 4 : byte))),
    ];
    expect(others.map((bytes) => decodePlainPng(bytes))).toEqual(others.map(() => undefined));
    const damaged = folder.file(
      'flipped.png',
      plain.map((byte, i) => (i === 60 ? byte ^ 4 : byte)),
    );
    expect(
      left(await readPicture(damaged, { crop: 0, size: 0, channels: 3, background: [0, 0, 0] })())[0],
    ).toMatchObject({
      path: damaged,
      expected: 'an intact JPEG or PNG file',
    });
  });
});
