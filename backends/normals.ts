/** Standard normals by inversion, z = Φ⁻¹((w + ½) / 2³²) for a 32-bit word w, with Wichura's AS 241 (1988): sums, products, quotients and square roots only, which IEEE 754 makes the same on every machine, where Math.log and Math.cos may differ. */

const LN_2 = 0.6931471805599453;

/** ln(n / 2³³) for an integer 1 ≤ n < 2³², by 2 artanh((m−1)/(m+1)) on the mantissa. */
const logFraction = (n: number): number => {
  const zeros = Math.clz32(n);
  const mantissa = ((n << zeros) >>> 0) * 2 ** -31;
  const above = mantissa > Math.SQRT2;
  const m = above ? mantissa / 2 : mantissa;
  const s = (m - 1) / (m + 1);
  const t = s * s;
  const series =
    1 +
    t *
      (1 / 3 +
        t *
          (1 / 5 +
            t *
              (1 / 7 +
                t * (1 / 9 + t * (1 / 11 + t * (1 / 13 + t * (1 / 15 + t * (1 / 17 + t * (1 / 19)))))))));
  return 2 * s * series + (31 - zeros - 33 + (above ? 1 : 0)) * LN_2;
};

/** Odd in the sense that word 2³²−1−w gives −z; |z| ≤ 6.34, so AS 241's third range (|z| > 6.9) is never met. */
export const standardNormal = (word: number): number => {
  const q = (word + 0.5) * 2 ** -32 - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (
      (q *
        (((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r +
          45921.953931549871457) *
          r +
          13731.693765509461125) *
          r +
          1971.5909503065514427) *
          r +
          133.14166789178437745) *
          r +
          3.387132872796366608)) /
      (((((((5226.495278852854561 * r + 28729.085735721942674) * r + 39307.89580009271061) * r +
        21213.794301586595867) *
        r +
        5394.1960214247511077) *
        r +
        687.1870074920579083) *
        r +
        42.313330701600911252) *
        r +
        1)
    );
  }
  const r = Math.sqrt(-logFraction(q < 0 ? 2 * word + 1 : 2 * (4294967295 - word) + 1)) - 1.6;
  const z =
    (((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r +
      1.27045825245236838258) *
      r +
      3.64784832476320460504) *
      r +
      5.7694972214606914055) *
      r +
      4.6303378461565452959) *
      r +
      1.42343711074968357734) /
    (((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r +
      0.14810397642748007459) *
      r +
      0.68976733498510000455) *
      r +
      1.6763848301838038494) *
      r +
      2.05319162663775882187) *
      r +
      1);
  return q < 0 ? -z : z;
};
