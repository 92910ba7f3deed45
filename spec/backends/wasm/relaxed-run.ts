/** `node … relaxed-run.ts`: one line of JSON about steps on wasm in this process, which its flags make one with relaxed SIMD or without. */
import { createWasmBackend } from '../../../backends/wasm/wasm.js';
import { compile } from '../../../compiler/index.js';
import { sizeOf } from '../../../dsl/index.js';
import mlp from '../../../examples/mlp.js';
import { createSession, initialState } from '../../../runs/index.js';
import { right } from '../../shared/either.js';
import { pixels } from '../../shared/examples.js';

const spec = { ...mlp, batch: 256 };
const compiled = right(compile(spec));
const trained: (readonly (readonly [string, readonly number[]])[])[] = [];
const descriptions: string[] = [];
const variants: (string | undefined)[] = [];
for (const threads of [1, 2, 3]) {
  const backend = await createWasmBackend({ threads });
  const session = await createSession(compiled, backend, initialState(compiled, 1));
  for (let i = 0; i < 3; i++) await session.step(pixels(spec.batch * sizeOf(spec.encoder.input)));
  trained.push([...(await session.state()).arrays].map(([name, { data }]) => [name, [...data]]));
  descriptions.push(backend.description);
  variants.push(backend.variant);
  session.dispose();
}
console.log(JSON.stringify({ descriptions, variants, trained }));
