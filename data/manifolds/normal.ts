/** The standard normal distribution for generators. */

/** Two independent normals from two numbers uniform on [0, 1) (Box and Muller 1958). */
export const normalPair = (u: number, v: number): readonly [number, number] => {
  const radius = Math.sqrt(-2 * Math.log1p(-u));
  return [radius * Math.cos(2 * Math.PI * v), radius * Math.sin(2 * Math.PI * v)];
};

/** Nats. */
export const logNormal = (x: number): number => -0.5 * (x * x + Math.log(2 * Math.PI));

/** Outside lie 1e-17 of the mass. */
export const normalDomain = [-8.5, 8.5] as const;
