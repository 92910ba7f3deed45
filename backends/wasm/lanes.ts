/** Reading and writing one to four lanes at any stride, never outside the elements named. */
import type { Assembler } from './encode.js';
import type { Code } from './mathematics.js';

/** A place in memory: a pointer local and a byte distance from it, which may be negative. */
export type Place = { readonly pointer: number; readonly bytes: number };

export type Lanes = {
  /** `width` elements `stride` apart (in elements); lanes past the width hold anything. */
  readonly load: (place: Place, stride: number, width: number) => Code;
  readonly store: (place: Place, stride: number, width: number, value: Code) => void;
  readonly splat: (place: Place) => Code;
  /** Four rows as four columns. */
  readonly transpose: (rows: readonly Code[], hold: (code: Code) => Code) => readonly Code[];
};

const lanePattern = (lanes: readonly number[]): readonly number[] =>
  lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]);

const reverse = lanePattern([3, 2, 1, 0]);

export const lanes = (asm: Assembler): Lanes => {
  /** Pushes the address; the returned immediate completes it (immediates are unsigned). */
  const address = ({ pointer, bytes }: Place): number => {
    asm.get(pointer);
    if (bytes >= 0) return bytes;
    asm.i32(bytes);
    asm.addI32();
    return 0;
  };
  const shifted = (place: Place, elements: number): Place => ({
    ...place,
    bytes: place.bytes + 4 * elements,
  });
  const shuffle =
    (a: Code, b: Code, pattern: readonly number[]): Code =>
    () => {
      a();
      b();
      asm.vector('i8x16.shuffle', ...pattern);
    };
  const plain =
    (place: Place): Code =>
    () =>
      asm.access('v128.load', address(place));
  const insert =
    (place: Place, lane: number, into: Code): Code =>
    () => {
      const offset = address(place);
      into();
      asm.access('v128.load32_lane', offset, lane);
    };
  const load: Lanes['load'] = (place, stride, width) => {
    if (stride === 1 && width === 4) return plain(place);
    if (stride === -1 && width === 4) {
      const ahead = plain(shifted(place, -3));
      return shuffle(ahead, ahead, reverse);
    }
    const pair = stride === 1 && width >= 2;
    const first: Code = () => asm.access(pair ? 'v128.load64_zero' : 'v128.load32_zero', address(place));
    let result = first;
    for (let lane = pair ? 2 : 1; lane < width; lane += 1)
      result = insert(shifted(place, lane * stride), lane, result);
    return result;
  };
  const store: Lanes['store'] = (place, stride, width, value) => {
    if (width === 4 && (stride === 1 || stride === -1)) {
      const offset = address(stride === 1 ? place : shifted(place, -3));
      if (stride === 1) value();
      else shuffle(value, value, reverse)();
      asm.access('v128.store', offset);
      return;
    }
    const pair = stride === 1 && width >= 2;
    if (pair) {
      const offset = address(place);
      value();
      asm.access('v128.store64_lane', offset, 0);
    }
    for (let lane = pair ? 2 : 0; lane < width; lane += 1) {
      const offset = address(shifted(place, lane * stride));
      value();
      asm.access('v128.store32_lane', offset, lane);
    }
  };
  const splat: Lanes['splat'] = (place) => () => asm.access('v128.load32_splat', address(place));
  const low = lanePattern([0, 4, 1, 5]);
  const high = lanePattern([2, 6, 3, 7]);
  const lowHalves = lanePattern([0, 1, 4, 5]);
  const highHalves = lanePattern([2, 3, 6, 7]);
  const transpose: Lanes['transpose'] = ([a, b, c, d], hold) => {
    if (a === undefined || b === undefined || c === undefined || d === undefined) return [];
    const ab = hold(shuffle(a, b, low));
    const cd = hold(shuffle(c, d, low));
    const AB = hold(shuffle(a, b, high));
    const CD = hold(shuffle(c, d, high));
    return [
      hold(shuffle(ab, cd, lowHalves)),
      hold(shuffle(ab, cd, highHalves)),
      hold(shuffle(AB, CD, lowHalves)),
      hold(shuffle(AB, CD, highHalves)),
    ];
  };
  return { load, store, splat, transpose };
};
