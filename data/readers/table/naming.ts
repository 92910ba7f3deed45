/** Categories and classes: numbers for names as they come, and in the end as they are sorted. */

/** Categories by the order in which they came, and sorted. */
export const naming = (known: readonly string[] | undefined) => {
  const places = new Map<string, number>(known?.map((name, place) => [name, place]));
  return {
    isFixed: known !== undefined,
    /** −1 for one that is not among those known. */
    place: (name: string): number => {
      const place = places.get(name);
      if (place !== undefined) return place;
      if (known !== undefined) return -1;
      places.set(name, places.size);
      return places.size - 1;
    },
    names: (): readonly string[] => [...places.keys()],
  };
};
export type Naming = ReturnType<typeof naming>;

/** Numbers in numeric order, other names by their letters. */
const sortedNames = (names: readonly string[]): readonly string[] => {
  const isNumeric = names.every((name) => name.trim() !== '' && Number.isFinite(Number(name)));
  return [...names].sort((a, b) =>
    isNumeric && Number(a) !== Number(b) ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0,
  );
};

/** From the number in order of coming to that in sorted order, and the sorted names. */
export const ranked = (of: Naming): { readonly rank: Int32Array; readonly names: readonly string[] } => {
  const came = of.names();
  if (of.isFixed) return { rank: Int32Array.from(came.keys()), names: came };
  const names = sortedNames(came);
  const places = new Map(names.map((name, place) => [name, place]));
  return { rank: Int32Array.from(came, (name) => places.get(name) ?? -1), names };
};
