/** Objectives of a volume need a decoder that can have one. */
import { mistake, type NetworkValue, sizeOf } from '../dsl/index.js';

/**
 * A decoder that takes more numbers than it gives is nowhere injective: ½ ln det JᵀJ is −∞ there, and what bounds it says nothing of a density.
 * To be spread into the terms of an objective, a problem at the place of the call; nothing for any other decoder.
 */
export const injective = (
  objective: string,
  encoder: NetworkValue,
  decoder: NetworkValue,
): Readonly<Record<never, never>> => {
  const [d, D] = [sizeOf(decoder.input), sizeOf(encoder.input)];
  if (d <= D) return {};
  const hint = `the encoder comes first: ${objective}(encoder, decoder); a map to fewer dimensions is not injective, and has no density by its Jacobian`;
  return mistake(objective, `${d} codes for ${D} numbers of an example`, `at most ${D} codes`, hint);
};
