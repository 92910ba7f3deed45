/** Images of another size and another number of colours. */
import { float32At } from '../../dsl/lookup.js';

export type ImageSize = { readonly height: number; readonly width: number; readonly channels: number };

/** For each pixel of a line of another length, the two it lies between and how far along: pixels' centres correspond. */
const neighbours = (from: number, to: number) =>
  Array.from({ length: to }, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.min(Math.floor(at), Math.max(from - 2, 0));
    return { low, high: Math.min(low + 1, from - 1), part: at - low };
  });

/** The channels of the target from those of the source: grey repeated, or the mean of the colours. */
const sources = (from: number, to: number, channel: number): readonly number[] =>
  from === to ? [channel] : Array.from({ length: from }, (_, c) => c);

/** Bilinear, [height, width, channels] or channels first, of the images from `first` on. */
export const resized = (
  images: Float32Array,
  from: ImageSize,
  to: ImageSize,
  part: { readonly first: number; readonly count: number; readonly channelsFirst: boolean },
): Float32Array => {
  const [rows, columns] = [neighbours(from.height, to.height), neighbours(from.width, to.width)];
  const result = new Float32Array(part.count * to.height * to.width * to.channels);
  const at = (image: number, y: number, x: number, c: number): number =>
    float32At(images, ((image * from.height + y) * from.width + x) * from.channels + c);
  for (let i = 0; i < part.count; i++) {
    for (let c = 0; c < to.channels; c++) {
      const channels = sources(from.channels, to.channels, c);
      rows.forEach((row, y) =>
        columns.forEach((column, x) => {
          let value = 0;
          for (const channel of channels) {
            const pixel = (line: number): number =>
              (1 - column.part) * at(part.first + i, line, column.low, channel) +
              column.part * at(part.first + i, line, column.high, channel);
            value += (1 - row.part) * pixel(row.low) + row.part * pixel(row.high);
          }
          const place = part.channelsFirst
            ? ((i * to.channels + c) * to.height + y) * to.width + x
            : ((i * to.height + y) * to.width + x) * to.channels + c;
          result[place] = value / channels.length;
        }),
      );
    }
  }
  return result;
};
