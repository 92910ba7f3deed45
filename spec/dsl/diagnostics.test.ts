/** A specification that does not fit says so with both shapes. */
import { describe, expect, test } from 'vitest';
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

describe('in one line, with both shapes in it', () => {
  const several = `
    const both = d.network('both', { z: [6], c: [10] }, ({ z, c }) => d.concat(z, c));
    const z = d.draw('z', d.normal(6));
    const c = d.draw('c', d.normal(10));
  `;
  test.each([
    ['sub', 'd.sub(x, h)', '[32]', '[28, 28, 1]'],
    ['add', 'd.add(h, small)', '[16]', '[32]'],
    ['a product with a derivative', 'd.mul(d.jvp(decoder, h, h), h)', '[32]', '[28, 28, 1]'],
    ['a number beside a vector', 'd.max(h, 0)', 'number', '[32]'],
    ['apply', 'd.apply(decoder, small)', '[16]', '[32]'],
    ['a tangent', 'd.jvp(decoder, h, small)', '[16]', '[32]'],
    ['where a tangent is', 'd.jvp(decoder, small, h)', '[16]', '[32]'],
    ['a cotangent', 'd.vjp(decoder, h, small)', '[16]', '[28, 28, 1]'],
    ['a factor', 'd.scale(x, h)', '[28, 28, 1]', 'ScalarLike'],
    ['dot', 'd.dot(x, h)', '[32]', '[28, 28, 1]'],
    ['solveGram', 'd.solveGram(decoder, h, small)', '[16]', '[32]'],
    ['one of several arguments', 'd.apply(both, { z: small, c })', '[16]', '[6]'],
    ['an argument too few', 'd.apply(both, { z })', '[6]', '[10]'],
    ['one expression for several arguments', 'd.apply(both, h)', '[32]', '[10]'],
    ['a tangent of one argument', "d.jvp(both, { z, c }, small, 'z')", '[16]', '[6]'],
    ['a contraction', 'd.sub(h, d.contract("ij,j->i", d.data(4, 6), z))', '[4]', '[32]'],
    ['a layer of a stack', 'pipe(d.input(28, 28, 1), d.dense(10))', '[28, 28, 1]', 'Vector'],
    ['an image layer', 'pipe(d.input(10), d.conv(3, { kernel: 3 }))', '[10]', '[H, W, number]'],
  ])('%s', (_, expression, found, wanted) => {
    const text = message(`${several} export const y = ${expression};`);
    const [first = ''] = text.split('\n');
    expect(text).not.toContain('overload');
    expect(first).toContain(found);
    expect(first).toContain(wanted);
  });

  test.each([
    ['lr: 1e-3', 'did you mean rate?'],
    ['learningRate: 1e-3', 'did you mean rate?'],
    ['rate: 1e-3, beta: 0.9', "'beta' does not exist"],
  ])('options of an optimizer, { %s }', (options, words) => {
    expect(message(`export const y = d.adam({ ${options} });`).split('\n')[0]).toContain(words);
  });

  test('an optimizer that there is none of', () => {
    expect(message('export const y = d.adamw({ rate: 1e-3 });')).toContain("Did you mean 'adamW'?");
  });
});
