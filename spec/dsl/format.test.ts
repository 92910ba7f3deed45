/** Formulas read as on paper. */
import { test as property } from '@fast-check/vitest';
import { pipe } from 'fp-ts/lib/function.js';
import { describe, expect, test } from 'vitest';
import { normal, sphere } from '../../dsl/expressions/draw.js';
import { objective } from '../../dsl/experiment.js';
import type { Node } from '../../dsl/expressions/expression.js';
import * as e from '../../dsl/expressions/expression.js';
import { formula, objectiveFormula, objectiveLatex, objectiveMathml } from '../../dsl/printing/format.js';
import { describeLayer } from '../../dsl/printing/layers.js';
import * as f from '../../dsl/layers/flow.js';
import { heNormal } from '../../dsl/layers/initializer.js';
import * as l from '../../dsl/layers/layer.js';
import { invert, network } from '../../dsl/network.js';
import { schedule } from '../../dsl/expressions/schedule.js';
import { expr as anyExpr } from '../arbitrary/experiment.js';

const encoder = network('encoder', pipe(l.input(28, 28, 1), l.flatten, l.dense(32)));
const decoder = network('decoder', pipe(l.input(32), l.dense(784), l.reshape(28, 28, 1)));
const gaussian = network(
  'gaussian',
  pipe(l.input(28, 28, 1), l.flatten, l.heads({ mean: l.dense(32), logVariance: l.dense(32) })),
);

const ambient = network('ambient', pipe(f.latent(3), f.permutation(1)));

const x = e.data(28, 28, 1);
const h = e.apply(encoder, x);
const v = e.draw('v', sphere(32));
const w = e.draw('w', normal(28, 28, 1));
const Jv = e.jvp(decoder, h, v);
const mu = schedule.power({ exponent: 1.3, scale: 1e-3 });
const prior = e.hyper('prior', 1);
const eta = e.hyper('eta', 0.1);
const i = e.step;
const { mean, logVariance } = e.apply(gaussian, x);

const injFlowLn = objective({
  prior: e.scale(prior, e.sqNorm(h)),
  reconstruction: e.scale(mu, e.sqNorm(e.sub(x, e.apply(decoder, h)))),
  volume: e.scale(32 / 2, e.log(e.max(e.sqNorm(Jv), e.scale(e.square(eta), e.sqNorm(v))))),
  injectivity: e.scale(mu, e.square(e.negPart(e.sub(e.div(e.norm(Jv), e.norm(v)), eta)))),
});

test('InjFlow-ln', () => {
  expect(objectiveFormula(injFlowLn)).toMatchInlineSnapshot(`
    "h  := encoder(x)
    μ  := 1 + 0.001·i^1.3
    Jv := J_decoder(h)·v

    prior          = prior·‖h‖²
    reconstruction = μ·‖x − decoder(h)‖²
    volume         = 16·ln(max(‖Jv‖², eta²·‖v‖²))
    injectivity    = μ·[‖Jv‖/‖v‖ − eta]₋²"
  `);
  expect(Object.values(injFlowLn).map(formula)).toMatchInlineSnapshot(`
    [
      "prior·‖encoder(x)‖²",
      "(1 + 0.001·i^1.3)·‖x − decoder(encoder(x))‖²",
      "16·ln(max(‖J_decoder(encoder(x))·v‖², eta²·‖v‖²))",
      "(1 + 0.001·i^1.3)·[‖J_decoder(encoder(x))·v‖/‖v‖ − eta]₋²",
    ]
  `);
});

test('a variational autoencoder', () => {
  const z = e.add(mean, e.mul(e.exp(e.scale(0.5, logVariance)), e.draw('ε', normal(32))));
  const vae = objective({
    reconstruction: e.sqNorm(e.sub(x, e.apply(decoder, z))),
    divergence: e.scale(
      0.5,
      e.sum(e.sub(e.add(e.square(mean), e.exp(logVariance)), e.add(logVariance, e.fill(1, 32)))),
    ),
  });
  expect(objectiveFormula(vae)).toMatchInlineSnapshot(`
    "mean        := gaussian.mean(x)
    logVariance := gaussian.logVariance(x)

    reconstruction = ‖x − decoder(mean + exp(0.5·logVariance)·ε)‖²
    divergence     = 0.5·Σ(mean² + exp(logVariance) − (logVariance + fill(1, [32])))"
  `);
});

test('an objective without repetitions has no definitions', () => {
  expect(objectiveFormula({ prior: e.scale(prior, e.sqNorm(h)), weights: e.sqNormOfWeights(decoder) })).toBe(
    ['prior   = prior·‖encoder(x)‖²', 'weights = ‖θ_decoder‖²'].join('\n'),
  );
});

test('a name that is taken is not used again', () => {
  const own = e.draw('h', sphere(32));
  expect(objectiveFormula({ a: e.dot(h, own), b: e.sqNorm(h) })).toMatchInlineSnapshot(`
    "y := encoder(x)

    a = ⟨y, h⟩
    b = ‖y‖²"
  `);
});

describe('a formula', () => {
  const cases: readonly (readonly [Node, string])[] = [
    [Jv, 'J_decoder(encoder(x))·v'],
    [e.vjp(decoder, h, w), 'J_decoder(encoder(x))ᵀ·w'],
    [e.jvp(decoder, h, e.scale(2, v)), 'J_decoder(encoder(x))·(2·v)'],
    [e.jvp(decoder, h, e.stop(v)), 'J_decoder(encoder(x))·stop(v)'],
    [mean, 'gaussian.mean(x)'],
    [e.sqNorm(e.sub(x, e.apply(decoder, h))), '‖x − decoder(encoder(x))‖²'],
    [e.norm(v), '‖v‖'],
    [e.dot(v, h), '⟨v, encoder(x)⟩'],
    [e.sum(v), 'Σ(v)'],
    [e.sqNormEach(e.draw('p', sphere(32), { probes: 4 })), 'each(‖p‖²)'],
    [mu, '1 + 0.001·i^1.3'],
    [e.scale(mu, v), '(1 + 0.001·i^1.3)·v'],
    [e.sub(i, e.sub(eta, prior)), 'i − (eta − prior)'],
    [e.sub(e.sub(i, eta), prior), 'i − eta − prior'],
    [e.add(i, e.add(eta, prior)), 'i + eta + prior'],
    [e.add(i, -2), 'i + (−2)'],
    [e.mul(i, -2), 'i·(−2)'],
    [e.neg(e.mul(i, eta)), '−i·eta'],
    [e.neg(e.add(i, eta)), '−(i + eta)'],
    [e.div(i, e.mul(eta, prior)), 'i/(eta·prior)'],
    [e.div(e.mul(i, eta), prior), 'i·eta/prior'],
    [e.pow(e.pow(i, 2), eta), '(i^2)^eta'],
    [e.square(e.add(i, 1)), '(i + 1)²'],
    [e.square(e.square(i)), '(i²)²'],
    [e.sqrt(e.add(i, 1)), '√(i + 1)'],
    [e.negPart(eta), '[eta]₋'],
    [e.greater(i, 10), '[i > 10]'],
    [e.log(e.max(i, eta)), 'ln(max(i, eta))'],
    [e.abs(eta), '|eta|'],
    [e.sqNormOfWeights(decoder, 'kernels'), '‖W_decoder‖²'],
    [e.slice(v, [3], [4]), 'v[3:7]'],
    [e.reshaped(e.add(v, h), 4, 8), 'reshape(v + encoder(x), [4,8])'],
    [e.concatAlong(1, x, w), 'concat(x, w, axis 1)'],
    [e.fill(eta, 32), 'fill(eta, [32])'],
    [e.apply(invert(ambient), e.data(3)), 'ambient⁻¹(x)'],
    [e.jvp(invert(ambient), e.data(3), e.data(3)), 'J_ambient⁻¹(x)·x'],
    [e.logDet(invert(ambient), e.data(3)), 'ln(|det J_ambient⁻¹(x)|)'],
  ];
  test.each(cases)('%#: %2$s', (node, text) => {
    expect(formula(node)).toBe(text);
  });

  property.prop([anyExpr])('has balanced parentheses', (node) => {
    const depths = [...formula(node)].reduce<readonly number[]>(
      (seen, c) => [...seen, (seen.at(-1) ?? 0) + (c === '(' ? 1 : c === ')' ? -1 : 0)],
      [],
    );
    // Names may hold parentheses of their own.
    if (!/[()]/.test(JSON.stringify(node))) {
      expect(Math.min(0, ...depths)).toBe(0);
      expect(depths.at(-1)).toBe(0);
    }
  });
});

test('a shared subexpression takes no exponential time', () => {
  const doubled = Array.from({ length: 60 }).reduce<Node>((d) => e.add(d, d), i);
  expect(objectiveFormula({ term: e.mul(doubled, i) }).length).toBeLessThan(5_000);
});

describe('a layer in a few words', () => {
  const layers = pipe(
    l.input(28, 28, 1),
    l.conv(64, { kernel: 4, stride: 2 }),
    l.batchNorm(),
    l.batchNorm({ statistics: 'differentiated', momentum: 0.9 }),
    l.relu,
    l.residual((inner) =>
      pipe(inner, l.conv(64, { kernel: 3, bias: false, initializer: heNormal }), l.leakyRelu(0.1)),
    ),
    l.averagePool(2),
    l.upsample(2),
    l.convTranspose(8, { kernel: 3, padding: 'valid' }),
    l.flatten,
    l.dropout(0.5),
    l.heads({ mean: l.dense(32), logVariance: (inner) => pipe(inner, l.dense(32, { bias: false }), l.tanh) }),
  ).layers;
  test('of each kind', () => {
    expect(layers.map(describeLayer)).toMatchInlineSnapshot(`
      [
        "conv 64, 4×4, stride 2, same",
        "batch norm",
        "batch norm, differentiated, momentum 0.9",
        "relu",
        "residual (conv 64, 3×3, stride 1, same, no bias, heNormal; leakyRelu 0.1)",
        "average pool 2×2",
        "upsample 2×2",
        "transposed conv 8, 3×3, stride 1, valid",
        "flatten",
        "dropout 0.5",
        "heads mean (dense 32), logVariance (dense 32, no bias; tanh)",
      ]
    `);
  });

  const image = pipe(
    f.observed(4, 4, 1),
    f.squeeze(),
    f.actNorm,
    f.factorOut((half) => pipe(half, f.permutation(2))),
  );
  const flow = pipe(
    f.latent(2),
    f.elementwise(f.spline({ bins: 16, bound: 6 })),
    f.inject(16),
    f.coupling({ part: 'first', conditioner: (half) => pipe(half, l.dense(8), l.tanh) }),
    f.inverse(image),
  );
  test('of each kind in a flow', () => {
    expect(flow.layers.map(describeLayer)).toMatchInlineSnapshot(`
      [
        "element-wise spline, 16 bins within ±6",
        "inject 16",
        "coupling of the first half, affine within e^±2 (dense 8; tanh)",
        "inverse from [4,4,1] (squeeze 2×2; element-wise affine within e^±10; factor out, rest (permutation, seed 2))",
      ]
    `);
  });
});

/** Whether every brace is closed, and every \\left has its \\right. */
const isBalanced = (latex: string): boolean => {
  const depths = [...latex.replaceAll(/\\[{}\\]/g, '')].reduce<readonly number[]>(
    (all, c) => [...all, (all.at(-1) ?? 0) + (c === '{' ? 1 : c === '}' ? -1 : 0)],
    [],
  );
  const count = (pattern: RegExp): number => (latex.match(pattern) ?? []).length;
  return (
    Math.min(0, ...depths) === 0 &&
    (depths.at(-1) ?? 0) === 0 &&
    count(/\\left(?![a-z])/g) === count(/\\right(?![a-z])/g)
  );
};

/** Whether every element is closed where it was opened, and nothing but entities begins with an ampersand. */
const isWellFormed = (xml: string): boolean => {
  const open = [...xml.matchAll(/<(\/?)([a-z]+)(?: [a-z]+="[^"<]*")*>/g)].reduce<
    readonly string[] | undefined
  >(
    (stack, [, closes, name = '']) =>
      closes !== '/' ? stack && [...stack, name] : stack?.at(-1) === name ? stack.slice(0, -1) : undefined,
    [],
  );
  const outside = xml.replaceAll(/<\/?[a-z]+(?: [a-z]+="[^"<]*")*>/g, '');
  return open?.length === 0 && !/[<>]|&(?!(?:amp|lt|gt|quot|#x2061);)/.test(outside);
};

describe('in other notations', () => {
  property.prop([anyExpr])('any expression is balanced LaTeX and well-formed MathML', (node) => {
    const latex = objectiveLatex({ term: node, 'a & b_<i>': node });
    expect(isBalanced(latex)).toBe(true);
    expect(latex).not.toMatch(/\p{Cc}(?<!\n)/u);
    expect(isWellFormed(objectiveMathml({ term: node, 'a & b_<i>"': node }))).toBe(true);
  });

  test('InjFlow-ln in LaTeX', () => {
    expect(objectiveLatex(injFlowLn)).toMatchInlineSnapshot(`
      "\\begin{aligned}
        h &:= \\mathrm{encoder}\\left(x\\right) \\\\
        \\mu  &:= 1+0.001\\cdot {i}^{1.3} \\\\
        \\mathrm{Jv} &:= {J}_{\\mathrm{decoder}}\\left(h\\right)\\cdot v \\\\[1ex]
        \\mathrm{prior} &= \\mathrm{prior}\\cdot {\\left\\|h\\right\\|}^{2} \\\\
        \\mathrm{reconstruction} &= \\mu \\cdot {\\left\\|x-\\mathrm{decoder}\\left(h\\right)\\right\\|}^{2} \\\\
        \\mathrm{volume} &= 16\\cdot \\ln\\left(\\max\\left({\\left\\|\\mathrm{Jv}\\right\\|}^{2},\\, {\\eta }^{2}\\cdot {\\left\\|v\\right\\|}^{2}\\right)\\right) \\\\
        \\mathrm{injectivity} &= \\mu \\cdot {{\\left[\\left\\|\\mathrm{Jv}\\right\\|/\\left\\|v\\right\\|-\\eta \\right]}_{-}}^{2}
      \\end{aligned}"
    `);
  });

  test('names are escaped, and said as text', () => {
    const mathml = objectiveMathml({ '<b>&"': e.hyper('<script>', 1) });
    expect(mathml).not.toMatch(/<b>|<script/);
    expect(mathml).toMatch(/^<math display="block" alttext="&lt;b&gt;&amp;&quot; = &lt;script&gt;">/);
    expect(objectiveLatex({ 'a_b%': e.hyper('\\input{x}', 1) })).toContain(
      '\\text{a\\_b\\%} &= \\text{\\textbackslash{}input\\{x\\}}',
    );
  });

  test('all of the grammar is told alike', () => {
    const squared = e.square(e.div(e.add(x, x), e.sub(x, x)));
    expect(objectiveLatex({ t: e.sqNorm(squared) })).toContain('{\\left\\|');
    expect(objectiveMathml({ t: e.sqNorm(squared) })).toContain('<msup>');
  });
});
