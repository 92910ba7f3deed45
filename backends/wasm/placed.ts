/** Reads and writes at places that are computed: where there is none, a read at the first place gives 0 and a write leaves it as it is. */
import type { ReductionName } from '../../compiler/ir/params.js';
import { reductions } from '../../compiler/ir/primitives/reduction.js';
import type { Access, Store } from '../../compiler/loops/loop.js';
import type { Nest } from '../../compiler/loops/nest.js';
import { getFrom } from '../../dsl/lookup.js';
import { type Assembler, intBytes } from './encode.js';
import type { Lanes, Place } from './lanes.js';
import type { Code, Mathematics } from './mathematics.js';

/** Of four lanes: the bytes from the first place to each, and all bits where there is one. */
type Found = { readonly bytes: Code; readonly there: Code };

export type Placed = {
  /** What an instruction gives is a list of places: how far they are is computed where it is. */
  readonly note: (instruction: number, says: Code) => void;
  /** Four lanes of what lies at a place. */
  readonly splat: (access: Access, says: Code | undefined, place: Place) => Code;
  /** `width` lanes from a place on, `stride` apart; where they are `spread`, each is at a place of its own. */
  readonly load: (
    access: Access,
    says: Code | undefined,
    place: Place,
    lanes: { readonly stride: number; readonly width: number; readonly spread: boolean },
  ) => Code;
  /** Where a store goes, and its value: where there is no place, what the operator leaves as it is. */
  readonly target: (
    store: Store,
    says: Code | undefined,
    place: Place,
    value: Code,
  ) => { readonly place: Place; readonly value: Code };
};

export const placedOf = (
  asm: Assembler,
  math: Mathematics,
  lane: Lanes,
  { loads, stores }: Pick<Nest, 'loads' | 'stores'>,
): Placed => {
  const known = new Map<Code, ReadonlyMap<number, Found>>();
  const uses = [...loads, ...stores].flatMap(({ place }) => (place === undefined ? [] : [place]));
  const foundOf = ({ place }: Access, says: Code): Found => getFrom(getFrom(known, says), place?.stride ?? 0);
  const farther = (says: Code, stride: number): Code =>
    math.hold(() => {
      says();
      math.constant(0)();
      asm.vector('f32x4.max');
      asm.vector('i32x4.trunc_sat_f32x4_s');
      const bytes = intBytes(4 * stride);
      asm.constant([...bytes, ...bytes, ...bytes, ...bytes]);
      asm.vector('i32x4.mul');
    });
  const masked =
    (there: Code, code: Code): Code =>
    () => {
      code();
      there();
      asm.vector('v128.and');
    };
  /** Pushes the address of a lane; the answer completes it. */
  const address = ({ bytes: first }: Found, { pointer, bytes }: Place, k: number): number => {
    asm.get(pointer);
    first();
    asm.vector('i32x4.extract_lane', k);
    asm.addI32();
    if (bytes >= 0) return bytes;
    asm.i32(bytes);
    asm.addI32();
    return 0;
  };
  const further = (found: Found, { pointer, bytes }: Place): Place => {
    const moved = asm.local('i32');
    address(found, { pointer, bytes: 0 }, 0);
    asm.set(moved);
    return { pointer: moved, bytes };
  };
  const gathered = (found: Found, place: Place, stride: number, width: number): Code => {
    let all = math.constant(0);
    for (let k = 0; k < width; k += 1) {
      const before = all;
      const at = { ...place, bytes: place.bytes + 4 * k * stride };
      all = math.hold(() => {
        const offset = address(found, at, k);
        before();
        asm.access('v128.load32_lane', offset, k);
      });
    }
    return all;
  };
  const orIdentity = ({ there }: Found, op: ReductionName, code: Code): Code =>
    op === 'add'
      ? masked(there, code)
      : () => {
          code();
          math.constant(reductions[op].identity)();
          there();
          asm.vector('v128.bitselect');
        };
  return {
    note: (instruction, says) => {
      const strides = new Set(uses.flatMap(({ at, stride }) => (at === instruction ? [stride] : [])));
      if (strides.size === 0) return;
      const there = math.hold(() => {
        says();
        math.constant(-0.5)();
        asm.vector('f32x4.gt');
      });
      known.set(
        says,
        new Map([...strides].map((stride) => [stride, { bytes: farther(says, stride), there }])),
      );
    },
    splat: (access, says, place) => {
      if (says === undefined) return lane.splat(place);
      const found = foundOf(access, says);
      return masked(found.there, lane.splat(further(found, place)));
    },
    load: (access, says, place, { stride, width, spread }) => {
      if (says === undefined) return lane.load(place, stride, width);
      const found = foundOf(access, says);
      const all = spread
        ? gathered(found, place, stride, width)
        : lane.load(further(found, place), stride, width);
      return masked(found.there, all);
    },
    target: (store, says, place, value) => {
      if (says === undefined || store.mode === 'set') return { place, value };
      const found = foundOf(store, says);
      return { place: further(found, place), value: orIdentity(found, store.mode, value) };
    },
  };
};
