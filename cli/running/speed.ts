/** How fast a backend is, in seconds rather than minutes: a product, a convolution and an empty call, through our compiler. */
import { createBuilder } from '../../compiler/ir/builder.js';
import type { Program, Type, Var } from '../../compiler/index.js';
import type { Emit } from '../../compiler/ir/program.js';
import { elementCount } from '../../compiler/index.js';
import type { Backend, Instance } from '../../runs/index.js';

/** What a backend does in a second, or how long it takes to be called. */
export type Speed = {
  /** 10⁹ floating-point operations a second: products of 1024 × 1024 matrices. */
  readonly matmul: number;
  /** The same for convolutions, 4 × 4 with stride 2, from 64 to 128 channels. */
  readonly convolution: number;
  /** Milliseconds of a call that computes next to nothing. */
  readonly call: number;
};

type Work = { readonly program: Program; readonly flops: number };

const sum = (emit: Emit, x: Var): Var =>
  emit('reduce', { op: 'add', axes: x.type.shape.map((_, i) => i) }, [x]);

const workOf = (
  name: string,
  batch: number,
  [x, w]: readonly [Type, Type],
  flops: number,
  compute: (emit: Emit, x: Var, w: Var) => Var,
): Work => {
  const builder = createBuilder();
  const out = compute(builder.emit, builder.bind('data', 'x', x), builder.bind('data', 'w', w));
  const outputs = [{ kind: 'value' as const, name: 'out', var: out }];
  return {
    program: { name, batch, binders: builder.binders(), equations: builder.equations(), outputs },
    flops,
  };
};

const perRow = (...shape: readonly number[]): Type => ({ rows: 1, shape });
const shared = (...shape: readonly number[]): Type => ({ rows: 0, shape });

const n = 1024;
const products = 4;
const matmul = workOf('matmul', n, [perRow(n), shared(n, n)], products * 2 * n ** 3, (emit, x, w) =>
  sum(
    emit,
    Array.from({ length: products }).reduce<Var>((y) => emit('linear', {}, [y, w]), x),
  ),
);

const images = 16;
const window = { strides: [2, 2], padding: [1, 1, 1, 1] } as const;
const convolution = workOf(
  'convolution',
  images,
  [perRow(28, 28, 64), shared(4, 4, 64, 128)],
  images * 14 * 14 * 128 * 2 * 4 * 4 * 64,
  (emit, x, w) => sum(emit, emit('conv', window, [x, w])),
);

const call = workOf('call', 1, [perRow(1), perRow(1)], 0, (emit, x, w) => emit('add', {}, [x, w]));

/** Small enough that no product of products overflows. */
const feedsOf = ({ binders, batch }: Program): ReadonlyMap<string, Float32Array> =>
  new Map(
    binders.map((b) => [
      b.name,
      Float32Array.from({ length: elementCount(b.var.type, batch) }, (_, i) => ((i % 7) - 3) / n),
    ]),
  );

/** Mean milliseconds of a run, over two thirds of a second and at least two runs, the first one aside. */
const time = async (instance: Instance, program: Program): Promise<number> => {
  const feeds = feedsOf(program);
  await instance.run(program.name, feeds);
  const started = performance.now();
  let runs = 0;
  while (runs < 2 || (performance.now() - started < 667 && runs < 1000)) {
    await instance.run(program.name, feeds);
    runs += 1;
  }
  return (performance.now() - started) / runs;
};

/** Takes about three seconds. */
export const measureSpeed = async (backend: Backend): Promise<Speed> => {
  const works = [matmul, convolution, call];
  const instance = await backend.open(
    new Map(works.map(({ program }) => [program.name, program])),
    new Map(),
  );
  try {
    const rate = async ({ program, flops }: Work): Promise<number> =>
      flops / (await time(instance, program)) / 1e6;
    return {
      matmul: await rate(matmul),
      convolution: await rate(convolution),
      call: await time(instance, call.program),
    };
  } finally {
    instance.dispose();
  }
};
