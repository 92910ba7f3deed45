/** Programs made ready to run on random numbers, whose state stays as it is from run to run. */
import {
  type Binder,
  type Compiled,
  type Cost,
  costOf,
  elementCount,
  type Program,
} from 'immersion/compiler';
import { type ArrayBackend, initialState, type Profile } from 'immersion/runs';

export type Prepared = {
  readonly program: Program;
  readonly cost: Cost;
  readonly run: (profile?: Profile) => void;
};

/** Numbers between −1 and 1, the same on every machine. */
const noise = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * i + 1));

const initial = ({ kind, var: x }: Binder, batch: number): Float32Array =>
  kind === 'scalar' ? Float32Array.of(3) : noise(elementCount(x.type, batch));

/** Loads a program and feeds it; what `given` does not hold is noise. */
export const ready = (
  backend: ArrayBackend,
  program: Program,
  given: ReadonlyMap<string, Float32Array> = new Map(),
): Prepared => {
  const executable = backend.load(program);
  const inputs = new Map(
    program.binders.map((binder) => [
      binder.name,
      backend.upload(given.get(binder.name) ?? initial(binder, program.batch)),
    ]),
  );
  return {
    program,
    cost: costOf(program),
    run: (profile) => {
      for (const handle of executable.run(inputs, profile)) backend.dispose(handle);
    },
  };
};

/** A training step from its first state. */
export const readyStep = (backend: ArrayBackend, compiled: Compiled): Prepared =>
  ready(
    backend,
    compiled.step,
    new Map([...initialState(compiled, 1).arrays].map(([name, { data }]) => [name, data])),
  );

/** The product of two square matrices as a program of one equation. */
export const product = (size: number): Program => {
  const [x, w, y] = [
    { id: 0, type: { rows: 1, shape: [size] } },
    { id: 1, type: { rows: 0, shape: [size, size] } },
    { id: 2, type: { rows: 1, shape: [size] } },
  ];
  return {
    name: 'product',
    batch: size,
    binders: [
      { kind: 'data', name: 'x', var: x },
      { kind: 'parameter', name: 'w', var: w },
    ],
    equations: [{ primitive: 'linear', params: {}, inputs: [x, w], out: y }],
    outputs: [{ kind: 'value', name: 'y', var: y }],
  };
};
