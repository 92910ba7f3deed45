/** Which calls run at once: a call's level is one above those of all before it that it reads from, or whose arrays it writes. */
import { elementAt } from '../../dsl/lookup.js';
import type { Call, Place } from './kernel.js';
import { placesOfKernel } from './wgsl.js';

/** A level that an access had, over numbers of one memory. */
type Mark = { readonly from: number; readonly to: number; readonly level: number; readonly writes: boolean };

const memoryOf = (place: Place): string =>
  place.of === 'scratch' ? 'scratch' : `${place.of} ${place.index}`;

const levelsOf = (calls: readonly Call[]): readonly number[] => {
  const marks = new Map<string, Mark[]>();
  return calls.map(({ kernel, places, unless }) => {
    const accesses = places.map((place, k) => ({ place, writes: kernel.slots[k]?.of !== 'input' }));
    const all = unless === undefined ? accesses : [...accesses, { place: unless, writes: false }];
    let level = 0;
    const ranges = all.map(({ place, writes }) => {
      const [from, to] = place.of === 'scratch' ? [place.start, place.start + place.size] : [0, 1];
      const memory = memoryOf(place);
      for (const mark of marks.get(memory) ?? [])
        if (mark.from < to && from < mark.to && (mark.writes || writes))
          level = Math.max(level, mark.level + 1);
      return { memory, from, to, writes };
    });
    for (const { memory, from, to, writes } of ranges) {
      // What is written whole has no need of older marks.
      const old = marks.get(memory) ?? [];
      const left = writes ? old.filter((mark) => mark.from < from || mark.to > to) : old;
      marks.set(memory, [...left, { from, to, level, writes }]);
    }
    return level;
  });
};

/** More workgroups than this fill a device by themselves. */
const fewGroups = 512;
/** Kernels of one program, all of which have the workgroup's memory. */
const mostKernels = 8;

/**
 * Calls in lots of which each is one dispatch: of one level, and small, at most `most` bytes of a workgroup's memory together. `alike`
 * keeps those with barriers apart from those without, which a processor in place of a GPU runs the faster.
 */
export const atOnce = (
  calls: readonly Call[],
  { alike, most }: { readonly alike: boolean; readonly most: number },
): readonly (readonly Call[])[] => {
  const levels = levelsOf(calls);
  const byLevel: Call[][] = [];
  calls.forEach((call, i) => (byLevel[elementAt(levels, i)] ??= []).push(call));
  return byLevel.flatMap((level) => {
    const lots: Call[][] = [];
    for (const call of level) {
      const { code, groups } = call.kernel;
      const fits = (lot: readonly Call[]): boolean => {
        const all = [...lot, call];
        const places = all.reduce((sum, one) => sum + one.places.length + 1, 0);
        const bytes = all.reduce((sum, one) => sum + one.kernel.code.bytes, 0);
        return (
          all.length <= mostKernels &&
          places <= placesOfKernel &&
          bytes <= most &&
          all.every(
            ({ kernel }) =>
              kernel.groups <= fewGroups &&
              kernel.code.threads === code.threads &&
              (!alike || kernel.code.bytes > 0 === code.bytes > 0),
          )
        );
      };
      const lot = groups > fewGroups ? undefined : lots.find(fits);
      if (lot === undefined) lots.push([call]);
      else lot.push(call);
    }
    return lots;
  });
};
