/** The type-checker, asked about a snippet, answers with its messages. */
import { expect, test } from 'vitest';
import { diagnostics } from './diagnostics.js';

test('a snippet that type-checks has no messages', () => {
  expect(diagnostics(`export const shape: readonly [number] = [32];`)).toEqual([]);
});

test('a message shows what was found and what was expected', () => {
  const [message] = diagnostics(`
    declare const code: readonly [32];
    export const image: readonly [28, 28, 1] = code;
  `);
  expect(message).toContain('readonly [32]');
  expect(message).toContain('readonly [28, 28, 1]');
});

test('a snippet sees the public modules', () => {
  expect(diagnostics(`export type * from 'immersion/dsl';`)).toEqual([]);
});

test('a syntax error is a message too', () => {
  expect(diagnostics(`export const = 1;`)).not.toEqual([]);
});
