/**
 * Elementary functions in float32 from what every target has, additions, multiplications, comparisons and bit shifts; relative errors
 * of a few units in the last place. The one table of what targets that generate code lack: they say what an operation is, and
 * take softplus, elu, sigmoid and their kin from here.
 */
import type { BinaryName, UnaryName } from '../ir/params.js';
import { wholeOf } from './whole.js';

/** Operations of a target on values V: float32 numbers, their bits, or masks whose bits are all alike. */
export type Float32<V> = {
  readonly constant: (value: number) => V;
  /** A 32-bit integer. */
  readonly bits: (value: number) => V;
  /** Computes once; the result may then be used any number of times. */
  readonly hold: (value: V) => V;
  readonly add: (a: V, b: V) => V;
  readonly sub: (a: V, b: V) => V;
  readonly mul: (a: V, b: V) => V;
  readonly div: (a: V, b: V) => V;
  readonly neg: (a: V) => V;
  readonly abs: (a: V) => V;
  readonly sqrt: (a: V) => V;
  /** NaN where either is. */
  readonly max: (a: V, b: V) => V;
  readonly min: (a: V, b: V) => V;
  /** The first where it is NaN. */
  readonly atMost: (x: V, bound: number) => V;
  readonly atLeast: (x: V, bound: number) => V;
  readonly less: (a: V, b: V) => V;
  readonly greater: (a: V, b: V) => V;
  readonly equal: (a: V, b: V) => V;
  readonly notEqual: (a: V, b: V) => V;
  readonly and: (a: V, b: V) => V;
  /** a and not b. */
  readonly andNot: (a: V, b: V) => V;
  readonly or: (a: V, b: V) => V;
  readonly xor: (a: V, b: V) => V;
  readonly choose: (mask: V, yes: V, no: V) => V;
  readonly addInt: (a: V, b: V) => V;
  readonly subInt: (a: V, b: V) => V;
  readonly shiftLeft: (a: V, by: number) => V;
  /** Arithmetic. */
  readonly shiftRight: (a: V, by: number) => V;
  /** The number that an integer is. */
  readonly fromInt: (a: V) => V;
  /** The nearest integer of a number below 2^22, and bits that have it from the lowest on; by additions unless given. */
  readonly nearest?: (x: V) => { readonly n: V; readonly biased: V };
};

export type Elementary<V> = {
  readonly unary: Readonly<Record<UnaryName, (x: V) => V>>;
  readonly binary: Readonly<Record<BinaryName, (a: V, b: V) => V>>;
  /** `yes` where the condition is not 0. */
  readonly select: (condition: V, yes: V, no: V) => V;
  /** The whole number from 0 to size − 1 that is less than ½ from x; −1 where there is none. */
  readonly whole: (x: V, size: number) => V;
};

/** Operands of `unary`, `binary` and `select` are evaluated possibly more than once: hold them first. */
export const elementary = <V>(m: Float32<V>): Elementary<V> => {
  const { constant, bits, hold, add, sub, mul, div, abs, and, choose, atMost, atLeast } = m;
  /** Coefficients from the constant term up. */
  const polynomial = (x: V, coefficients: readonly number[]): V =>
    coefficients.reduceRight<V | undefined>(
      (sum, c) => (sum === undefined ? constant(c) : add(mul(sum, x), constant(c))),
      undefined,
    ) ?? constant(0);

  // x = n ln 2 + r, |r| <= ln 2 / 2. Adding 1.5·2^23 rounds to an integer and leaves it in the low bits.
  const magic = 12582912;
  const nearest =
    m.nearest ??
    ((x) => {
      const biased = hold(add(x, constant(magic)));
      return { n: hold(sub(biased, constant(magic))), biased };
    });
  const reduce = (x: V): { readonly biased: V; readonly r: V } => {
    const { n, biased } = nearest(mul(x, constant(Math.LOG2E)));
    const r = hold(sub(sub(x, mul(n, constant(0.693359375))), mul(n, constant(-2.12194440054690583e-4))));
    return { biased, r };
  };
  /** e^r - 1 for |r| <= ln 2 / 2, accurate relative to itself. */
  const expm1Core = (r: V): V => {
    const q = polynomial(
      r,
      [
        0.5000000013468384, 0.1666666671903164, 0.041666464914581, 0.00833329846971378, 0.0013933650353928,
        0.00019899285,
      ],
    );
    return add(mul(mul(r, r), q), r);
  };
  /** 2^n where `biased` holds n in its low bits; shifting left drops the rest. */
  const power = (biased: V): V => m.addInt(m.shiftLeft(biased, 23), bits(0x3f800000));

  const exp = (x: V): V => {
    const { biased, r } = reduce(hold(atLeast(atMost(x, 89), -105)));
    const e = hold(add(expm1Core(r), constant(1)));
    // Two factors, so that the result may overflow to infinity or become subnormal.
    const n = hold(m.subInt(biased, bits(0x4b400000)));
    const half = hold(m.shiftRight(n, 1));
    return mul(mul(e, power(half)), power(m.subInt(n, half)));
  };
  /** e^x for x <= 0, zero below the normal range. */
  const expNonPositive = (x: V): V => {
    const { biased, r } = reduce(hold(atLeast(x, -87.3)));
    const e = mul(add(expm1Core(r), constant(1)), power(biased));
    return m.andNot(e, m.less(x, constant(-87.3)));
  };
  /** e^x - 1 for x <= 0: 2^n (e^r - 1) + (2^n - 1), where no term cancels. */
  const expm1NonPositive = (x: V): V => {
    const { biased, r } = reduce(hold(atLeast(x, -80)));
    const scale = hold(power(biased));
    return add(mul(expm1Core(r), scale), sub(scale, constant(1)));
  };
  /** 2 atanh(s) for |s| <= 1/3. */
  const twoAtanh = (s: V): V =>
    mul(
      s,
      polynomial(hold(mul(s, s)), [2, 0.66666315935, 0.40024853722509, 0.27961418846506, 0.28174657210049]),
    );

  const log = (x: V): V => {
    const smallest = constant(1.17549435e-38);
    const subnormal = hold(m.less(x, smallest));
    const scaled = hold(choose(subnormal, mul(x, constant(8388608)), x));
    // The mantissa in [√½, √2): subtract the bits of √½, read the exponent, add them back.
    const shifted = hold(m.subInt(scaled, bits(0x3f3504f3)));
    const exponent = hold(sub(m.fromInt(m.shiftRight(shifted, 23)), and(subnormal, constant(23))));
    const mantissa = hold(m.addInt(and(shifted, bits(0x007fffff)), bits(0x3f3504f3)));
    const s = hold(div(sub(mantissa, constant(1)), add(mantissa, constant(1))));
    const near = twoAtanh(s);
    const finite = hold(
      add(mul(exponent, constant(0.693359375)), add(mul(exponent, constant(-2.12194440054690583e-4)), near)),
    );
    // x - x is NaN at infinity and NaN, so +inf is put back by hand; below zero the logarithm is NaN.
    const special = choose(
      m.equal(x, constant(0)),
      constant(-Infinity),
      choose(m.equal(x, constant(Infinity)), x, constant(NaN)),
    );
    const ordinary = and(m.greater(x, constant(0)), m.less(x, constant(Infinity)));
    return choose(hold(ordinary), finite, special);
  };
  const magnitude = (x: V): V => hold(m.neg(abs(x)));
  const withSignOf = (x: V, y: V): V => m.or(y, and(x, bits(0x80000000)));

  // tanh|x| = -E / (2 + E), E = e^{-2|x|} - 1.
  const tanh = (x: V): V => {
    const a = magnitude(x);
    const e = hold(expm1NonPositive(hold(add(a, a))));
    return withSignOf(x, abs(div(e, add(e, constant(2)))));
  };
  const sigmoid = (x: V): V => {
    const e = hold(expNonPositive(magnitude(x)));
    return div(choose(hold(m.less(x, constant(0))), e, constant(1)), add(e, constant(1)));
  };
  // log(1 + e) = 2 atanh(e / (2 + e)).
  const softplus = (x: V): V => {
    const e = hold(expNonPositive(magnitude(x)));
    return add(atLeast(x, 0), twoAtanh(hold(div(e, add(e, constant(2))))));
  };
  const elu = (x: V): V => {
    const negative = hold(expm1NonPositive(hold(atMost(x, 0))));
    return choose(hold(m.greater(x, constant(0))), x, negative);
  };
  // A rational approximation on [-4, 4] (that of Eigen's generic_fast_erf_float, both sides times -64); beyond, erf is 1 to float32.
  const erf = (x: V): V => {
    const c = hold(atLeast(atMost(x, 4), -4));
    const u = hold(mul(c, c));
    const p = polynomial(
      u,
      [
        1.0301461329, 0.18909438775, 0.047039400341, 0.0036432040926, 0.00013446553733, -1.773236112e-6,
        1.7447310451e-8,
      ],
    );
    const q = polynomial(u, [0.91294329929, 0.4718930667, 0.10770092636, 0.013655939538, 0.00093222859818]);
    return div(mul(c, p), q);
  };
  const notZero = (x: V): V => m.notEqual(x, constant(0));

  // x = n π/2 + r, |r| <= π/4, in three parts, of which the first two are exact products for |x| to 12,000; n is in the low bits.
  const quarters = (x: V): { readonly biased: V; readonly r: V } => {
    const { n, biased } = nearest(mul(x, constant(2 / Math.PI)));
    const first = sub(sub(x, mul(n, constant(1.5703125))), mul(n, constant(4.837512969970703125e-4)));
    const r = sub(first, mul(n, constant(7.54978995489188216e-8)));
    // Where n is no longer exact, at least the result is no number that a sine cannot be.
    return { biased, r: hold(atLeast(atMost(r, 0.8), -0.8)) };
  };
  /** The sine of r + n π/2, n in the low bits of `quarter`. */
  const sineOf = (quarter: V, r: V): V => {
    const u = hold(mul(r, r));
    const sine = hold(
      add(mul(mul(r, u), polynomial(u, [-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4])), r),
    );
    const tail = polynomial(u, [4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5]);
    const cosine = hold(add(add(mul(mul(u, u), tail), mul(u, constant(-0.5))), constant(1)));
    const odd = hold(m.shiftRight(m.shiftLeft(quarter, 31), 31));
    const sign = and(m.shiftLeft(quarter, 30), bits(0x80000000));
    return m.xor(choose(odd, cosine, sine), sign);
  };
  const sin = (x: V): V => {
    const { biased, r } = quarters(x);
    return sineOf(biased, r);
  };
  const cos = (x: V): V => {
    const { biased, r } = quarters(x);
    return sineOf(hold(m.addInt(biased, bits(1))), r);
  };

  // An angle beyond 3π/8 or π/8 is that much off a right one or half of one (Cephes, atanf).
  const atan = (x: V): V => {
    const a = hold(abs(x));
    const steep = hold(m.greater(a, constant(2.414213562373095)));
    const middle = hold(m.greater(a, constant(0.4142135623730951)));
    const turned = choose(
      steep,
      div(constant(-1), a),
      choose(middle, div(sub(a, constant(1)), add(a, constant(1))), a),
    );
    const t = hold(turned);
    const z = hold(mul(t, t));
    const tail = polynomial(z, [-3.33329491539e-1, 1.99777106478e-1, -1.38776856032e-1, 8.05374449538e-2]);
    const start = choose(steep, constant(Math.PI / 2), and(middle, constant(Math.PI / 4)));
    return withSignOf(x, hold(add(start, add(mul(mul(tail, z), t), t))));
  };

  const unary: Elementary<V>['unary'] = {
    neg: (x) => m.neg(x),
    exp,
    log,
    tanh,
    sigmoid,
    softplus,
    elu,
    erf,
    sin,
    cos,
    atan,
    sqrt: (x) => m.sqrt(x),
    finite: (x) => and(m.less(abs(x), constant(Infinity)), constant(1)),
  };
  const binary: Elementary<V>['binary'] = {
    add,
    sub,
    mul,
    div,
    divNoNan: (a, b) => and(div(a, b), notZero(b)),
    max: (a, b) => m.max(a, b),
    min: (a, b) => m.min(a, b),
    greater: (a, b) => and(m.greater(a, b), constant(1)),
    // 0·log 0 would be NaN, so the exponent 0 is decided apart.
    pow: (a, b) => {
      const product = hold(mul(b, hold(log(a))));
      return choose(hold(m.equal(b, constant(0))), constant(1), hold(exp(product)));
    },
  };
  return {
    unary,
    binary,
    select: (condition, yes, no) => choose(hold(notZero(condition)), yes, no),
    whole: wholeOf(m),
  };
};
