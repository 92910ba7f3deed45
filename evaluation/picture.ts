/** Examples as PNG images: values 0 … 1 as 8-bit grey or colour. */
import { atLeast } from '../dsl/lookup.js';
import { encode } from 'fast-png';

/** Whether examples of this shape can be seen: [h, w, 1] and [h, w, 3]. */
export const isPicture = (shape: readonly number[]): boolean =>
  shape.length === 3 && (shape[2] === 1 || shape[2] === 3);

/** One example, row-major [h, w, channels], as a data URI; values beyond 0 … 1 are clipped. */
export const pictureUri = (example: Float32Array, shape: readonly number[]): string => {
  const [height, width, channels] = atLeast(3, shape);
  const data = Uint8Array.from(example, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  const png = encode({ width, height, channels, depth: 8, data });
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
};

/** Examples [n, h, w, channels] side by side as one PNG, so many a row, a pixel apart. */
export const mosaicUri = (examples: Float32Array, shape: readonly number[], across: number): string => {
  const [height, width, channels] = atLeast(3, shape);
  const size = height * width * channels;
  const count = examples.length / size;
  const down = Math.ceil(count / across);
  const [tall, wide] = [down * (height + 1) - 1, across * (width + 1) - 1];
  const all = new Float32Array(tall * wide * channels).fill(1);
  for (let i = 0; i < count; i++) {
    const [top, start] = [Math.floor(i / across) * (height + 1), (i % across) * (width + 1)];
    for (let y = 0; y < height; y++) {
      const row = examples.subarray(i * size + y * width * channels, i * size + (y + 1) * width * channels);
      all.set(row, ((top + y) * wide + start) * channels);
    }
  }
  return pictureUri(all, [tall, wide, channels]);
};
