/** A sine curve in the plane under a standard normal: g(t) = (t, a sin(ωt)). */
import { real } from '../settings.js';
import { generator } from './generator.js';
import { logNormal, normalDomain, normalPair } from './normal.js';

/** `amplitude`: a; `frequency`: ω in radians per unit. */
export const sine = generator(
  'sine',
  { amplitude: real(1), frequency: real(2) },
  ({ amplitude, frequency }) => ({
    shape: [2],
    dimension: 1,
    domain: [normalDomain],
    uniforms: 2,
    latents: ([u, v]) => Float64Array.of(normalPair(u, v)[0]),
    logLatentDensity: ([t]) => logNormal(t),
    embed: ([t]) => Float64Array.of(t, amplitude * Math.sin(frequency * t)),
    jacobian: ([t]) => Float64Array.of(1, amplitude * frequency * Math.cos(frequency * t)),
  }),
);
