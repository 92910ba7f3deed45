/** A specification that does not fit says so with both shapes. */
import { expect, test } from 'vitest';
import { diagnostics } from './types/diagnostics.js';

const message = (line: string): string =>
  diagnostics(`
    import { pipe } from 'fp-ts/lib/function.js';
    import * as d from '../../../dsl/index.js';
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

const flow = (line: string): string =>
  message(`
    const ambient = d.network('ambient', pipe(
      d.latent(1), d.inject(2), d.coupling({ conditioner: (half) => pipe(half, d.dense(10), d.tanh) }),
    ));
    const onto = d.network('onto', pipe(d.observed(2), d.actNorm));
    const point = d.data(2);
    ${line}
  `);

test('nothing about a flow that fits', () => {
  expect(
    flow(`
      export const z = d.apply(d.invert(ambient), point);
      export const y = d.apply(ambient, z);
      export const volume = d.logDet(onto, point);
    `),
  ).toBe('');
});

test('a flow run the wrong way', () => {
  const text = flow('export const y = d.apply(ambient, point);');
  expect(text).toContain('[1]');
  expect(text).toContain('[2]');
});

test('the log-determinant of an injection', () => {
  const text = flow('export const y = d.logDet(ambient, d.draw("z", d.normal(1)));');
  expect(text).toContain('injective');
  expect(text).toContain('bijective');
});

test('a layer without an inverse in a flow', () => {
  expect(flow(`export const y = pipe(d.latent(2), d.dense(2), d.actNorm);`)).toContain('_flow');
});
