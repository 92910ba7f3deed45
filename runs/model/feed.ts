/** What the host feeds a program: a batch of data, random draws and the step. */
import type { DrawSpec, Program } from '../../compiler/index.js';
import { elementCount } from '../../compiler/ir/type.js';
import { sizeOf } from '../../dsl/index.js';
import { fillDraw } from '../../backends/draws.js';

export type Feed = {
  readonly data?: Float32Array;
  /** What is known of each example beside itself, by name. */
  readonly fields?: ReadonlyMap<string, Float32Array>;
  readonly step: number;
  /** Key of the draws; `name` sets training and validation apart. */
  readonly draws: {
    readonly seed: number;
    readonly step: number;
    readonly purpose: string;
    /** Number of the batch's first example within its data set; 0 unless given. */
    readonly first?: number;
  };
};

/** The inputs of a program that are not state, by binder name. */
export const feedOf = (
  program: Program,
  draws: ReadonlyMap<string, DrawSpec>,
  feed: Feed,
): ReadonlyMap<string, Float32Array> =>
  new Map(
    program.binders.flatMap(({ kind, name, var: x }) => {
      switch (kind) {
        case 'data': {
          const values = name === 'data' ? feed.data : feed.fields?.get(name);
          return values === undefined ? [] : [[name, values] as const];
        }
        case 'scalar':
          return [[name, Float32Array.of(feed.step)] as const];
        case 'draw': {
          const spec = draws.get(name);
          if (spec === undefined) return [];
          const values = new Float32Array(elementCount(x.type, program.batch));
          const shape = {
            examples: program.batch * spec.rows,
            probes: spec.probes,
            size: sizeOf(spec.shape),
          };
          const { seed, step, purpose, first = 0 } = feed.draws;
          const key = { seed, name: `${purpose}/${name}`, step, first: first * spec.rows };
          fillDraw(spec.distribution, shape, key, values);
          return [[name, values] as const];
        }
        default:
          return [];
      }
    }),
  );
