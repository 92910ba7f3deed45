/** What a few steps leave behind, as one number to compare: equal for equal bits. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Backend } from '../../../backends/backend.js';
import { compile } from '../../../compiler/index.js';
import { type Experiment, sizeOf } from '../../../dsl/index.js';
import { createSession, initialState } from '../../../runs/index.js';
import { right } from '../../shared/either.js';
import { pixels } from '../../shared/examples.js';

/** Of three steps; no array of theirs is left. */
export const digestOf = async (spec: Experiment, backend: Backend): Promise<string> => {
  const compiled = right(compile(spec));
  const before = backend.liveCount();
  const session = await createSession(compiled, backend, { ...initialState(compiled, 1), step: 500 });
  for (let i = 0; i < 3; i++) await session.step(pixels(spec.batch * sizeOf(spec.encoder.input)));
  const hash = createHash('sha256');
  for (const [name, { data }] of (await session.state()).arrays)
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  session.dispose();
  expect(backend.liveCount()).toBe(before);
  return hash.digest('hex');
};
