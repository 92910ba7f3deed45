/** Which steps of a run were taken on which backend: its bits are those of all of them. */
import type { Backend } from '../../backends/backend.js';

/** A backend as a record names it: bits of two variants differ. */
export const nameIn = ({ name, variant }: Pick<Backend, 'name' | 'variant'>): string =>
  variant === undefined ? name : `${name} with ${variant}`;

/** From this step on, until the next one's. */
export type Ran = { readonly step: number; readonly backend: string };

/** What is known after a run goes on from a step: the steps after it that were taken before are of a way that was not gone. */
export const ranOn = (before: readonly Ran[], step: number, backend: string): readonly Ran[] => {
  const kept = before.filter((one) => one.step < step);
  return kept.at(-1)?.backend === backend ? kept : [...kept, { step, backend }];
};

/** `cc`, or `cc for 37 steps, then wasm`. */
export const ranText = (ran: readonly Ran[]): string =>
  ran
    .map(({ step, backend }, i) => {
      const next = ran[i + 1];
      return next === undefined ? backend : `${backend} for ${next.step - step} steps`;
    })
    .join(', then ');
