/** A specification that does not fit says so with both shapes. */
import { expect, test } from 'vitest';
import { diagnostics } from './types/diagnostics.js';

const message = (line: string): string =>
  diagnostics(`
    import { pipe } from 'fp-ts/lib/function.js';
    import * as d from '../../dsl/index.js';
    const decoder = d.network('decoder', pipe(d.input(32), d.dense(784), d.reshape(28, 28, 1)));
    const x = d.data(28, 28, 1);
    const h = d.draw('h', d.normal(32));
    const small = d.draw('small', d.normal(16));
    const probes = d.draw('probes', d.sphere(32), { probes: 4 });
    ${line}
  `).join('\n');

test('nothing about one that fits', () => {
  expect(message('export const y = d.sqNorm(d.sub(x, d.apply(decoder, h)));')).toBe('');
});

test('a code of another size than the decoder takes', () => {
  const text = message('export const y = d.apply(decoder, small);');
  expect(text).toContain('[32]');
  expect(text).toContain('[16]');
});

test('several probes used as one derivative', () => {
  const text = message('export const y = d.sub(x, d.jvp(decoder, h, probes));');
  expect(text).toContain('[4, 28, 28, 1]');
  expect(text).toContain('[28, 28, 1]');
});

test('a tangent of the wrong shape', () => {
  const text = message('export const y = d.jvp(decoder, h, small);');
  expect(text).toContain('[32]');
  expect(text).toContain('[16]');
});

test('a term that is not a scalar', () => {
  const text = message('export const y = d.objective({ prior: d.square(h) });');
  expect(text).toContain('[32]');
  expect(text).toContain('Expr<readonly []>');
});
