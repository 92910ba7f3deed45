/** Arrays that were given back, by size, to be used again: memory of the system is zeroed page by page, every time. */
import type { Native } from './native.js';

export type Place = { readonly data: Float32Array; readonly address: number };

export type Pool = {
  /** An array of so many numbers, whatever they are. */
  readonly take: (size: number) => Place;
  readonly give: (place: Place) => void;
  /** Keeps none any more. */
  readonly empty: () => void;
};

export const createPool = ({ numbers, address }: Pick<Native, 'numbers' | 'address'>): Pool => {
  const free = new Map<number, Place[]>();
  return {
    take: (size) => {
      const known = free.get(size)?.pop();
      if (known !== undefined) return known;
      const data = numbers(size);
      return { data, address: address(data) };
    },
    give: ({ data, address: at }) => {
      const places = free.get(data.length);
      if (places === undefined) free.set(data.length, [{ data, address: at }]);
      else places.push({ data, address: at });
    },
    empty: () => free.clear(),
  };
};
