/** The von Mises distribution, p(θ) = exp(κ cos θ) / (2π I₀(κ)) on [−π, π], and its quantiles from the Fourier series of its distribution function. */
import { float64At } from '../../dsl/lookup.js';

export type VonMises = {
  /** Nats. */
  readonly logDensity: (angle: number) => number;
  /** The angle in [−π, π] below which lies the part u of the mass. */
  readonly quantile: (u: number) => number;
};

/** I_j(κ) / I₀(κ) for j = 1, 2, … until nothing is added, by the backward recurrence I_{j+1}/I_j = κ / (2(j+1) + κ I_{j+2}/I_{j+1}) (Miller). */
const besselRatios = (kappa: number): Float64Array => {
  const count = Math.ceil(30 + 10 * Math.sqrt(kappa));
  const ratios = new Float64Array(count);
  let quotient = 0;
  for (let j = count; j >= 1; j--) {
    quotient = kappa / (2 * j + kappa * quotient);
    ratios[j - 1] = quotient;
  }
  for (let j = 1; j < count; j++) ratios[j] = float64At(ratios, j) * float64At(ratios, j - 1);
  return ratios.filter((ratio) => ratio > 1e-18);
};

/** Σ a_j sin(jθ), j = 1, 2, … (Clenshaw). */
const sineSeries = (coefficients: Float64Array, angle: number): number => {
  const c = 2 * Math.cos(angle);
  let above = 0;
  let value = 0;
  for (let j = coefficients.length - 1; j >= 0; j--) {
    const next = float64At(coefficients, j) + c * value - above;
    above = value;
    value = next;
  }
  return value * Math.sin(angle);
};

/** Concentration κ ≥ 0 about the angle 0; κ = 0 is uniform. */
export const vonMises = (kappa: number): VonMises => {
  const ratios = besselRatios(kappa);
  // e^κ = I₀ + 2 Σ I_j, so I₀ e^−κ needs no exponential.
  const logScale = Math.log(2 * Math.PI) - Math.log1p(2 * ratios.reduce((sum, ratio) => sum + ratio, 0));
  const logDensity = (angle: number): number => kappa * (Math.cos(angle) - 1) - logScale;
  const terms = ratios.map((ratio, i) => (2 * ratio) / (i + 1));
  const below = (angle: number): number => 0.5 + (angle + sineSeries(terms, angle)) / (2 * Math.PI);
  const quantile = (u: number): number => {
    let from = -Math.PI;
    let to = Math.PI;
    let angle = 2 * Math.PI * (u - 0.5);
    for (let round = 0; round < 100; round++) {
      const excess = below(angle) - u;
      if (excess > 0) to = angle;
      else from = angle;
      const newton = angle - excess / Math.exp(logDensity(angle));
      const next = newton > from && newton < to ? newton : (from + to) / 2;
      if (Math.abs(next - angle) <= 1e-15) return next;
      angle = next;
    }
    return angle;
  };
  return { logDensity, quantile };
};
