/** Composite Gauss–Legendre quadrature: five nodes a panel, exact for polynomials of degree nine on each (Abramowitz and Stegun, table 25.4). */

export type QuadratureNode = { readonly at: number; readonly weight: number };

const rule: readonly (readonly [number, number])[] = [
  [-0.906179845938664, 0.23692688505618908],
  [-0.5384693101056831, 0.47862867049936647],
  [0, 0.5688888888888889],
  [0.5384693101056831, 0.47862867049936647],
  [0.906179845938664, 0.23692688505618908],
];

/** Nodes and weights of ∫ f over [from, to]. */
export const nodes = (from: number, to: number, panels: number): readonly QuadratureNode[] => {
  const half = (to - from) / (2 * panels);
  return Array.from({ length: panels }, (_, panel) =>
    rule.map(([at, weight]) => ({ at: from + half * (2 * panel + 1 + at), weight: half * weight })),
  ).flat();
};
