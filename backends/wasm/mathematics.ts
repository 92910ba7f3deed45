/** Elementary functions on four float32 lanes, from additions, multiplications and bit shifts; relative errors of a few units in the last place. */
import { floatBytes, intBytes, type Assembler, type VectorOp } from './encode.js';
import type { Binary, Unary } from '../../compiler/loops/loop.js';

/** Code that leaves one v128 on the stack. */
export type Code = () => void;

export type Mathematics = {
  readonly constant: (value: number) => Code;
  /** Computes once; the result may then be used any number of times. */
  readonly hold: (code: Code) => Code;
  readonly unary: Readonly<Record<Unary, (x: Code) => Code>>;
  readonly binary: Readonly<Record<Binary, (a: Code, b: Code) => Code>>;
  readonly select: (condition: Code, yes: Code, no: Code) => Code;
};

/** Operands of `unary`, `binary` and `select` are evaluated possibly more than once: hold them first. */
export const mathematics = (asm: Assembler): Mathematics => {
  const splat =
    (bytes: readonly number[]): Code =>
    () =>
      asm.constant([...bytes, ...bytes, ...bytes, ...bytes]);
  const constant = (value: number): Code => splat(floatBytes(value));
  const bits = (value: number): Code => splat(intBytes(value));
  const apply =
    (op: VectorOp, ...operands: readonly Code[]): Code =>
    () => {
      for (const operand of operands) operand();
      asm.vector(op);
    };
  const shift =
    (op: 'i32x4.shl' | 'i32x4.shr_s' | 'i32x4.shr_u', x: Code, by: number): Code =>
    () => {
      x();
      asm.i32(by);
      asm.vector(op);
    };
  const hold = (code: Code): Code => {
    const local = asm.local('v128');
    code();
    asm.set(local);
    return () => asm.get(local);
  };
  const add = (a: Code, b: Code): Code => apply('f32x4.add', a, b);
  const sub = (a: Code, b: Code): Code => apply('f32x4.sub', a, b);
  const mul = (a: Code, b: Code): Code => apply('f32x4.mul', a, b);
  const div = (a: Code, b: Code): Code => apply('f32x4.div', a, b);
  const abs = (a: Code): Code => apply('f32x4.abs', a);
  const and = (a: Code, b: Code): Code => apply('v128.and', a, b);
  const choose = (mask: Code, yes: Code, no: Code): Code => apply('v128.bitselect', yes, no, mask);
  // pmin(x, c) and pmax(x, c) keep x where it is NaN, and are one instruction on x64 where min and max are six.
  const atMost = (x: Code, bound: number): Code => apply('f32x4.pmin', x, constant(bound));
  const atLeast = (x: Code, bound: number): Code => apply('f32x4.pmax', x, constant(bound));
  /** Coefficients from the constant term up. */
  const polynomial = (x: Code, coefficients: readonly number[]): Code =>
    coefficients.reduceRight<Code | undefined>(
      (sum, c) => (sum === undefined ? constant(c) : add(mul(sum, x), constant(c))),
      undefined,
    ) ?? constant(0);

  // x = n ln 2 + r, |r| <= ln 2 / 2. Adding 1.5·2^23 rounds to an integer and leaves it in the low bits.
  const magic = 12582912;
  const reduce = (x: Code): { readonly biased: Code; readonly r: Code } => {
    const biased = hold(add(mul(x, constant(Math.LOG2E)), constant(magic)));
    const n = hold(sub(biased, constant(magic)));
    const r = hold(sub(sub(x, mul(n, constant(0.693359375))), mul(n, constant(-2.12194440054690583e-4))));
    return { biased, r };
  };
  /** e^r - 1 for |r| <= ln 2 / 2, accurate relative to itself. */
  const expm1Core = (r: Code): Code => {
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
  const power = (biased: Code): Code => apply('i32x4.add', shift('i32x4.shl', biased, 23), bits(0x3f800000));

  const exp = (x: Code): Code => {
    const { biased, r } = reduce(hold(atLeast(atMost(x, 89), -105)));
    const e = hold(add(expm1Core(r), constant(1)));
    // Two factors, so that the result may overflow to infinity or become subnormal.
    const n = hold(apply('i32x4.sub', biased, bits(0x4b400000)));
    const half = hold(shift('i32x4.shr_s', n, 1));
    return mul(mul(e, power(half)), power(apply('i32x4.sub', n, half)));
  };
  /** e^x for x <= 0, zero below the normal range. */
  const expNonPositive = (x: Code): Code => {
    const { biased, r } = reduce(hold(atLeast(x, -87.3)));
    const e = mul(add(expm1Core(r), constant(1)), power(biased));
    return apply('v128.andnot', e, apply('f32x4.lt', x, constant(-87.3)));
  };
  /** e^x - 1 for x <= 0: 2^n (e^r - 1) + (2^n - 1), where no term cancels. */
  const expm1NonPositive = (x: Code): Code => {
    const { biased, r } = reduce(hold(atLeast(x, -80)));
    const scale = hold(power(biased));
    return add(mul(expm1Core(r), scale), sub(scale, constant(1)));
  };
  /** 2 atanh(s) for |s| <= 1/3. */
  const twoAtanh = (s: Code): Code =>
    mul(
      s,
      polynomial(hold(mul(s, s)), [2, 0.66666315935, 0.40024853722509, 0.27961418846506, 0.28174657210049]),
    );

  const log = (x: Code): Code => {
    const smallest = constant(1.17549435e-38);
    const subnormal = hold(apply('f32x4.lt', x, smallest));
    const scaled = hold(choose(subnormal, mul(x, constant(8388608)), x));
    // The mantissa in [√½, √2): subtract the bits of √½, read the exponent, add them back.
    const shifted = hold(apply('i32x4.sub', scaled, bits(0x3f3504f3)));
    const exponent = hold(
      sub(apply('f32x4.convert_i32x4_s', shift('i32x4.shr_s', shifted, 23)), and(subnormal, constant(23))),
    );
    const m = hold(apply('i32x4.add', apply('v128.and', shifted, bits(0x007fffff)), bits(0x3f3504f3)));
    const s = hold(div(sub(m, constant(1)), add(m, constant(1))));
    const near = twoAtanh(s);
    const finite = hold(
      add(mul(exponent, constant(0.693359375)), add(mul(exponent, constant(-2.12194440054690583e-4)), near)),
    );
    // x - x is NaN at infinity and NaN, so +inf is put back by hand; below zero the logarithm is NaN.
    const special = choose(
      apply('f32x4.eq', x, constant(0)),
      constant(-Infinity),
      choose(apply('f32x4.eq', x, constant(Infinity)), x, constant(NaN)),
    );
    const ordinary = and(apply('f32x4.gt', x, constant(0)), apply('f32x4.lt', x, constant(Infinity)));
    return choose(hold(ordinary), finite, special);
  };
  const magnitude = (x: Code): Code => hold(apply('f32x4.neg', abs(x)));
  const withSignOf = (x: Code, y: Code): Code => apply('v128.or', y, and(x, bits(0x80000000)));

  // tanh|x| = -E / (2 + E), E = e^{-2|x|} - 1.
  const tanh = (x: Code): Code => {
    const a = magnitude(x);
    const e = hold(expm1NonPositive(hold(add(a, a))));
    return withSignOf(x, abs(div(e, add(e, constant(2)))));
  };
  const sigmoid = (x: Code): Code => {
    const e = hold(expNonPositive(magnitude(x)));
    return div(choose(hold(apply('f32x4.lt', x, constant(0))), e, constant(1)), add(e, constant(1)));
  };
  // log(1 + e) = 2 atanh(e / (2 + e)).
  const softplus = (x: Code): Code => {
    const e = hold(expNonPositive(magnitude(x)));
    return add(atLeast(x, 0), twoAtanh(hold(div(e, add(e, constant(2))))));
  };
  const elu = (x: Code): Code => {
    const negative = hold(expm1NonPositive(hold(atMost(x, 0))));
    return choose(hold(apply('f32x4.gt', x, constant(0))), x, negative);
  };
  // A rational approximation on [-4, 4] (that of Eigen's generic_fast_erf_float, both sides times -64); beyond, erf is 1 to float32.
  const erf = (x: Code): Code => {
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
  const notZero = (x: Code): Code => apply('f32x4.ne', x, constant(0));

  const unary: Mathematics['unary'] = {
    neg: (x) => apply('f32x4.neg', x),
    exp,
    log,
    tanh,
    sigmoid,
    softplus,
    elu,
    erf,
    sqrt: (x) => apply('f32x4.sqrt', x),
    finite: (x) => and(apply('f32x4.lt', abs(x), constant(Infinity)), constant(1)),
  };
  const binary: Mathematics['binary'] = {
    add,
    sub,
    mul,
    div,
    divNoNan: (a, b) => and(div(a, b), notZero(b)),
    max: (a, b) => apply('f32x4.max', a, b),
    min: (a, b) => apply('f32x4.min', a, b),
    greater: (a, b) => and(apply('f32x4.gt', a, b), constant(1)),
    // 0·log 0 would be NaN, so the exponent 0 is decided apart.
    pow: (a, b) => {
      const product = hold(mul(b, hold(log(a))));
      return choose(hold(apply('f32x4.eq', b, constant(0))), constant(1), hold(exp(product)));
    },
  };
  return {
    constant,
    hold,
    unary,
    binary,
    select: (condition, yes, no) => choose(hold(notZero(condition)), yes, no),
  };
};
