/** Pictures of one smooth shape by position, scale and rotation: an image manifold of dimension four whose renderer is smooth in its latents, with an exact Jacobian. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import type { Vector } from './manifold.js';
import { integer } from '../settings.js';
import { generator } from './generator.js';

/** The shape is where a sum of Gaussian blobs, of these centres and precisions, is above a level; no rotation by less than a full turn maps it to itself. */
const blobs = [
  { u: -0.5, v: -0.15, precision: 4.5 },
  { u: 0.3, v: -0.15, precision: 6 },
  { u: 0.55, v: 0.55, precision: 9 },
] as const;
/** How soft the shape's edge is: about a pixel at 16 × 16. */
const EDGE = 0.12;
const LEVEL = 0.5;

/** Picture coordinates run from −1 to 1; the shape reaches 1.3 scales from its centre, so that it stays inside. */
const domain = [
  [-0.3, 0.3],
  [-0.3, 0.3],
  [0.3, 0.45],
  [-Math.PI / 2, Math.PI / 2],
] as const;
const logUniform = -domain.reduce((sum, [from, to]) => sum + Math.log(to - from), 0);

/** A picture's latents with what all pixels share. */
type Pose = {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  readonly cos: number;
  readonly sin: number;
};

/** Brightness at a point of the picture, σ((Σ blobs − level) / edge) in the shape's own coordinates q = Rᵀ(p − c)/s, and into `gradient` its derivatives by (x, y, scale, rotation). */
const brightness = (
  px: number,
  py: number,
  { x, y, scale, cos, sin }: Pose,
  gradient?: Float64Array,
): number => {
  const u = (cos * (px - x) + sin * (py - y)) / scale;
  const v = (cos * (py - y) - sin * (px - x)) / scale;
  let level = -LEVEL;
  let byU = 0;
  let byV = 0;
  for (const { u: bu, v: bv, precision } of blobs) {
    const weight = Math.exp(-0.5 * precision * ((u - bu) * (u - bu) + (v - bv) * (v - bv)));
    level += weight;
    byU -= weight * precision * (u - bu);
    byV -= weight * precision * (v - bv);
  }
  const value = 1 / (1 + Math.exp(-level / EDGE));
  if (gradient !== undefined) {
    const slope = (value * (1 - value)) / EDGE;
    gradient[0] = (-slope * (cos * byU - sin * byV)) / scale;
    gradient[1] = (-slope * (sin * byU + cos * byV)) / scale;
    gradient[2] = (-slope * (u * byU + v * byV)) / scale;
    gradient[3] = slope * (v * byU - u * byV);
  }
  return value;
};

/** `size`: height and width in pixels. Latents are the centre's x and y, the scale (half a picture is 1) and the rotation in radians, all uniform. */
export const sprites = generator('sprites', { size: integer(16, 4, 256) }, ({ size }) => {
  const centre = (pixel: number): number => (2 * pixel + 1) / size - 1;
  const each = (latents: Vector, visit: (px: number, py: number, pose: Pose, at: number) => void): void => {
    const [x, y, scale, rotation] = atLeast(4, Array.from(latents));
    const pose = { x, y, scale, cos: Math.cos(rotation), sin: Math.sin(rotation) };
    for (let row = 0; row < size; row++)
      for (let column = 0; column < size; column++)
        visit(centre(column), centre(row), pose, row * size + column);
  };
  return {
    shape: [size, size, 1],
    dimension: 4,
    domain,
    uniforms: 4,
    latents: (uniform) =>
      Float64Array.from(domain, ([from, to], i) => from + (to - from) * elementAt(uniform, i)),
    logLatentDensity: () => logUniform,
    embed: (latents) => {
      const picture = new Float64Array(size * size);
      each(latents, (px, py, pose, at) => {
        picture[at] = brightness(px, py, pose);
      });
      return picture;
    },
    jacobian: (latents) => {
      const jacobian = new Float64Array(4 * size * size);
      each(latents, (px, py, pose, at) => {
        brightness(px, py, pose, jacobian.subarray(4 * at, 4 * at + 4));
      });
      return jacobian;
    },
  };
});
