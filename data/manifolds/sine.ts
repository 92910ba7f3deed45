/** A sine curve in the plane under a standard normal: g(t) = (t, a sin(ωt)). */
import { coordinates } from './manifold.js';
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
    latents: coordinates(2, ([u, v]) => Float64Array.of(normalPair(u, v)[0])),
    logLatentDensity: coordinates(1, ([t]) => logNormal(t)),
    embed: coordinates(1, ([t]) => Float64Array.of(t, amplitude * Math.sin(frequency * t))),
    jacobian: coordinates(1, ([t]) => Float64Array.of(1, amplitude * frequency * Math.cos(frequency * t))),
  }),
);
