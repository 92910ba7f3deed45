/** Cuts a cluster that reads and writes more arrays than one loop of a target may into several, each within the bound. */
import type { Equation, Var } from '../ir/program.js';
import type { Cluster, Reduction } from './items.js';

type Part = { readonly members: Map<number, Equation>; readonly reductions: Reduction[] };

/**
 * The cluster itself where it touches at most `most` arrays, else parts in the order in which they can run: members go to the last part
 * while there is room, and a member that a later part reads is stored. `sourceOf` gives the array behind what is read from memory,
 * undefined where that is a constant.
 */
export const split = (
  cluster: Cluster,
  most: number,
  sourceOf: (x: Var) => number | undefined,
): readonly Cluster[] => {
  const { members, reductions, stored } = cluster;
  const sumsOf = new Map<number, Reduction[]>();
  for (const one of reductions) sumsOf.set(one.value.id, [...(sumsOf.get(one.value.id) ?? []), one]);
  const parts: Part[] = [];
  const home = new Map<number, Part>();
  const crossing = new Set<number>();
  let arrays = new Set<number>();
  let part: Part = { members: new Map(), reductions: [] };
  /** Arrays of memory that computing an equation in this part reads, and that its value and sums are written to. */
  const touched = (inputs: readonly Var[], out: Var | undefined, sums: readonly Reduction[]): number[] => [
    ...inputs.flatMap((x) =>
      members.has(x.id) ? (home.get(x.id) === part ? [] : [x.id]) : (sourceOf(x) ?? []),
    ),
    // A value that is not stored yet may have to be.
    ...(out === undefined ? [] : [out.id]),
    ...sums.map((one) => one.out.id),
  ];
  const place = (inputs: readonly Var[], eq: Equation | undefined, sums: readonly Reduction[]): void => {
    const fits = (): boolean => {
      const more = new Set(touched(inputs, eq?.out, sums).filter((id) => !arrays.has(id)));
      return arrays.size + more.size <= most;
    };
    if (parts.length === 0 || !fits()) {
      part = { members: new Map(), reductions: [] };
      parts.push(part);
      arrays = new Set();
    }
    for (const id of touched(inputs, eq?.out, sums)) arrays.add(id);
    for (const x of inputs) if (members.has(x.id) && home.get(x.id) !== part) crossing.add(x.id);
    if (eq !== undefined) {
      part.members.set(eq.out.id, eq);
      home.set(eq.out.id, part);
    }
    part.reductions.push(...sums);
  };

  const reads = new Set<number>();
  for (const eq of members.values()) {
    for (const x of eq.inputs) if (!members.has(x.id)) reads.add(sourceOf(x) ?? -1);
  }
  if (reads.size + stored.size + reductions.length <= most) return [cluster];
  for (const eq of members.values()) place(eq.inputs, eq, sumsOf.get(eq.out.id) ?? []);
  for (const one of reductions) if (!members.has(one.value.id)) place([one.value], undefined, [one]);
  return parts.map(({ members: own, reductions: sums }) => ({
    ...cluster,
    members: own,
    reductions: sums,
    stored: new Set([...own.keys()].filter((id) => stored.has(id) || crossing.has(id))),
  }));
};
