/** Ways through the space of codes: between examples in straight lines, and along one latent at a time from the mean. */
import { sizeOf } from '../../dsl/index.js';
import type { FieldsGiven, Fitted } from '../../runs/index.js';
import { joined } from './view.js';

export type Walk = {
  readonly name: string;
  /** Where each step is: a part of the way, or so many deviations. */
  readonly at: readonly number[];
  /** [steps, …shape]. */
  readonly examples: Float32Array;
};

const along = (from: Float32Array, to: Float32Array, part: number): Float32Array =>
  from.map((z, i) => z + part * ((to[i] ?? z) - z));

const even = (count: number, from: number, to: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

const decoded = async (
  model: Fitted,
  name: string,
  at: readonly number[],
  codes: readonly Float32Array[],
  fields: FieldsGiven,
): Promise<Walk> => ({
  name,
  at,
  examples: await model.decode(joined(codes, sizeOf(model.experiment.decoder.input)), { fields }),
});

/** From the code of each example to that of the next one, in pairs; the decoder is told what is known of the first. */
export const interpolations = async (
  model: Fitted,
  codes: readonly Float32Array[],
  steps: number,
  fieldsAt: (row: number) => FieldsGiven,
): Promise<readonly Walk[]> => {
  const at = even(steps, 0, 1);
  const walks: Walk[] = [];
  for (let i = 0; i + 1 < codes.length; i += 2) {
    const [from, to] = [codes[i], codes[i + 1]];
    if (from === undefined || to === undefined) break;
    walks.push(
      await decoded(
        model,
        `${i / 2 + 1}`,
        at,
        at.map((part) => along(from, to, part)),
        fieldsAt(i),
      ),
    );
  }
  return walks;
};

/** How far each way, in deviations of the codes. */
const REACH = 2;

/** Along each of the latents that codes vary most along, the others at their means. */
export const traversals = async (
  model: Fitted,
  codes: readonly Float32Array[],
  { steps, most, fields }: { readonly steps: number; readonly most: number; readonly fields: FieldsGiven },
): Promise<readonly Walk[]> => {
  const d = sizeOf(model.experiment.decoder.input);
  const mean = new Float32Array(d);
  const deviation = new Float32Array(d);
  for (const code of codes) code.forEach((z, k) => (mean[k] = (mean[k] ?? 0) + z / codes.length));
  for (const code of codes)
    code.forEach((z, k) => (deviation[k] = (deviation[k] ?? 0) + (z - (mean[k] ?? 0)) ** 2 / codes.length));
  const latents = [...deviation.keys()]
    .sort((a, b) => (deviation[b] ?? 0) - (deviation[a] ?? 0))
    .slice(0, most)
    .sort((a, b) => a - b);
  const at = even(steps, -REACH, REACH);
  const walks: Walk[] = [];
  for (const k of latents)
    walks.push(
      await decoded(
        model,
        `z${k + 1}`,
        at,
        at.map((t) => mean.map((z, i) => (i === k ? z + t * Math.sqrt(deviation[k] ?? 0) : z))),
        fields,
      ),
    );
  return walks;
};
