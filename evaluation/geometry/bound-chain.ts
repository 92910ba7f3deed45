/**
 * The volume term and its upper bounds at one point, in nats, from the singular values s of the decoder's Jacobian J:
 *
 *   ½ log det JᵀJ  ≤  (d/2) E ln(‖Jv‖²/d)  ≤  (d/2) ln(‖J‖²_F/d)  ≤  ½ Σ (s²/λ + ln λ − 1),
 *
 * v uniform on the sphere |v|² = d. The last two are eq. (5) and eq. (4) of Kumar, Poole and Murphy, AISTATS 2020.
 */
import type { Spectrum } from './singular-values.js';

/** The bounds of the chain, the tightest first. */
export const boundNames = ['sphere', 'frobenius', 'linear'] as const;

/** `sphere`: what one probe of InjFlow-ln estimates. `frobenius`: bound (5). `linear`: bound (4) at λ. */
export type BoundName = (typeof boundNames)[number];

/** ½ log det JᵀJ = Σ ln s; −∞ where J is not of full rank. */
export const logVolume = (s: Spectrum): number => s.reduce((sum, value) => sum + Math.log(value), 0);

const squaredNorm = (s: Spectrum): number => s.reduce((sum, value) => sum + value * value, 0);

/** (d/2) ln(‖J‖²_F/d). */
const frobenius = (s: Spectrum): number => (s.length / 2) * Math.log(squaredNorm(s) / s.length);

/** ½ Σ (s²/λ + ln λ − 1). */
const linear = (s: Spectrum, lambda: number): number =>
  (squaredNorm(s) / lambda + s.length * (Math.log(lambda) - 1)) / 2;

/** Step of the trapezoidal rule; the integrand is analytic within π of the real line, so the error is near e^(−2π²/step). */
const STEP = 0.5;
/** Where the integrand, of order e^(2x) on this side, is below rounding. */
const START = -19;
const NEGLIGIBLE = 1e-16;

/**
 * (d/2) E ln(‖Jv‖²/d) without sampling. With w ~ N(0, I), E e^(−t Σ s²w²/2) = Π (1 + t s²)^(−½), and
 * ln Q = ∫ (e^(−t) − e^(−tQ)) dt/t, so for Σ s² = d the expectation is ∫ ((1 + t)^(−d/2) − Π (1 + t s²)^(−½)) dt/t.
 */
const sphere = (s: Spectrum): number => {
  const d = s.length;
  const meanSquare = squaredNorm(s) / d;
  if (!(meanSquare > 0 && meanSquare < Infinity)) return frobenius(s);
  const squares = s.map((value) => (value * value) / meanSquare);
  let integral = 0;
  for (let x = START; ; x += STEP) {
    const t = Math.exp(x);
    const isotropic = Math.exp((-d / 2) * Math.log1p(t));
    const actual = Math.exp(-0.5 * squares.reduce((sum, square) => sum + Math.log1p(t * square), 0));
    integral += (isotropic - actual) * STEP;
    if (isotropic < NEGLIGIBLE && actual < NEGLIGIBLE) break;
  }
  return frobenius(s) + (d / 2) * integral;
};

/** The three bounds at one point, loosest last. */
export const boundsOf = (s: Spectrum, lambda: number): Readonly<Record<BoundName, number>> => ({
  sphere: sphere(s),
  frobenius: frobenius(s),
  linear: linear(s, lambda),
});
