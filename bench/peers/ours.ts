/** Our own side of bench/peers: a backend (first argument) takes the steps of an objective (second) as JSON lines ask for them. */
import { entryOf, float32At } from '../../dsl/lookup.js';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isLeft } from 'fp-ts/lib/Either.js';
import { showProblem } from 'immersion/dsl';
import { initialState, startBackend } from 'immersion/runs';
import { clocks } from '../measure.js';
import { compiledOf, type ObjectiveName, type Ready, type Request, type Terms } from './workloads.js';

type Model = { readonly step: () => Promise<Terms>; readonly gradients: () => Promise<Float32Array> };

const objectives: Readonly<Record<string, ObjectiveName>> = { injFlowLn: 'injFlowLn', ae: 'ae' };

/** Adam's first moment after one step is a tenth of the gradient. */
const firstMomentShare = 0.1;

const prepare = async (
  backendName: string,
  objective: ObjectiveName,
  request: Extract<Request, { op: 'prepare' }>,
): Promise<Model> => {
  const { workload, file, arrays } = request;
  const bytes = readFileSync(file);
  const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const given = new Map(
    arrays.map(({ name, shape, offset }) => [
      name,
      numbers.slice(offset, offset + shape.reduce((a, b) => a * b, 1)),
    ]),
  );
  const compiled = compiledOf(workload, objective);
  const state = new Map(
    [...initialState(compiled, 1).arrays].map(([name, { data }]) => [name, given.get(name) ?? data]),
  );
  const { step: program } = compiled;
  // As `immersion train` starts it, but for the threads of generated code: TensorFlow reads its own variable.
  const threads = Number(process.env['OMP_NUM_THREADS']);
  const started = await startBackend(backendName, {
    work: { program, steps: 1 },
    ...(backendName !== 'native' && threads > 0 ? { threads } : {}),
  });
  if (isLeft(started)) {
    console.error(started.left.map(showProblem).join('\n'));
    process.exit(1);
  }
  const instance = await started.right.open(new Map([[program.name, program]]), state);
  const fed = program.binders.filter(({ name }) => given.has(name) && !state.has(name));
  let taken = 0;
  return {
    step: async () => {
      const feeds = new Map(fed.map(({ name }) => [name, given.get(name) ?? new Float32Array()]));
      feeds.set('step', Float32Array.of(taken));
      taken += 1;
      const { term, surrogate, telemetry } = await instance.run(program.name, feeds);
      return Object.fromEntries(
        [...term, ...surrogate, ...telemetry].map(([name, value]) => [name, float32At(value, 0)]),
      );
    },
    gradients: async () => {
      const now = await instance.read();
      const moments = arrays
        .filter(({ role }) => role === 'parameter')
        .map(({ name }) => now.get(`adam/mean/${name}`) ?? new Float32Array());
      return Float32Array.from(
        moments.flatMap((m) => [...m]),
        (m) => m / firstMomentShare,
      );
    },
  };
};

const [, , backendName = 'wasm', objectiveName = 'injFlowLn'] = process.argv;
const answer = (value: unknown): void => console.log(JSON.stringify(value));
let model: Model | undefined;

for await (const line of createInterface({ input: process.stdin })) {
  const request: Request = JSON.parse(line);
  if (request.op === 'prepare') {
    model = await prepare(backendName, entryOf(objectives, objectiveName), request);
    const first = await model.step();
    writeFileSync(request.gradients, new Uint8Array((await model.gradients()).buffer));
    const ready: Ready = { versions: { Node: process.version }, terms: [first, await model.step()] };
    answer(ready);
  } else if (request.op === 'time' && model !== undefined) {
    const now = clocks[request.clock];
    const milliseconds: number[] = [];
    for (let i = 0; i < request.steps; i++) {
      const start = now();
      await model.step();
      milliseconds.push(now() - start);
    }
    answer({ milliseconds });
  } else process.exit(0);
}
