/**
 * The density of a manifold with noise around it, over the whole space: p(x) = ∫ p(z) N(x; g(z), σ²I) dz, the law of g(z) + σε for
 * codes z of a prior. It integrates to 1 whatever the decoder g is, and where σ is small beside the manifold's curvature it is the
 * density on the manifold times that of the distance from it.
 *
 * The integral is taken by adaptive Gauss–Hermite quadrature (Naylor and Smith, 1982; Liu and Pierce, A note on Gauss–Hermite
 * quadrature, 1994): nodes around the mode of the integrand, as wide as JᵀJ/σ² + S⁻¹ makes it there. One node is Laplace's
 * approximation with the tangent plane in the manifold's place. Exact, with any number of nodes, for an affine decoder and a Gaussian prior; for others the
 * error of one node is of the order of σκ, κ the curvature, and falls with their number. The mode is sought from the encoder's code, and
 * a second one from the likeliest of some codes of the prior that the first does not account for, such as on another sheet of the
 * manifold; a third one is not seen.
 */
import { elementAt, float64At } from '../../dsl/lookup.js';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { inverse, type Matrix } from 'ml-matrix';
import { apply, basis, data, jvp, type Network, type Problem, sizeOf } from '../../dsl/index.js';
import { type Model, openExpressions } from '../../runs/index.js';
import { squaredDistance } from '../metrics/distance.js';
import { type Gaussian, standardGaussian } from '../priors/gaussian.js';
import type { Mixture } from '../priors/mixture.js';
import { framed, gaussHermite, type Share, together } from './gauss-hermite.js';
import { type Linearize, type Mode, modesFrom, type Posterior } from './latent-mode.js';

type Checked<A> = Either<readonly Problem[], A>;

/** A model and its encoder, from examples [n, …shape] to codes [n, d]. */
export type Encoding = Model & { readonly encode: (examples: Float32Array) => Promise<Float32Array> };

export type SmoothedOptions = {
  /** Of the codes; N(0, I) unless given. */
  readonly prior?: Gaussian | Mixture;
  /** Nodes of the quadrature in each dimension of the code; as many as 512 in all allow, at most 15, unless given. */
  readonly order?: number;
  /** Of the prior's codes among which second modes are sought; 0 unless given. */
  readonly seed?: number;
};

export type Smoothed = {
  /** ln p(x) in nats, [n]. */
  readonly logDensity: Float64Array;
  /** E[‖x − g(z)‖² | x], [n]: what the noise is estimated from. */
  readonly square: Float64Array;
};

export type SmoothedManifold = {
  /** Of examples [n, …shape], with noise of a deviation σ > 0 in the units that the model was trained in. */
  readonly at: (examples: Float32Array, noise: number) => Promise<Checked<Smoothed>>;
  readonly dispose: () => void;
};

const MOST_NODES = 512;
const MOST_ORDER = 15;
/** Codes of the prior whose images are looked at for a mode that the encoder does not lead to. */
const SOUGHT = 1024;
/** Squared distance of two modes, in units of the posterior, from which on they are two, each with its share of the integral. */
const APART = 16;

/** The most nodes a dimension that may be taken. */
export const orderFor = (d: number): number =>
  Math.max(1, Math.min(MOST_ORDER, Math.floor(MOST_NODES ** (1 / d) + 1e-9)));

const componentsOf = (
  prior: Gaussian | Mixture,
): readonly { readonly logWeight: number; readonly of: Gaussian }[] =>
  'components' in prior
    ? prior.components.map((of, k) => ({ logWeight: Math.log(elementAt(prior.weights, k)), of }))
    : [{ logWeight: 0, of: prior }];

/** (a − b)ᵀ H (a − b). */
const quadratic = (H: Matrix, a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < H.rows; i++) {
    const difference = elementAt(a, i) - elementAt(b, i);
    sum += H.get(i, i) * difference * difference;
    for (let j = 0; j < i; j++) sum += 2 * H.get(i, j) * difference * (elementAt(a, j) - elementAt(b, j));
  }
  return sum;
};

/** Loads the decoder of a model; examples may then be asked for with any noise. */
export const openSmoothedManifold = async (
  model: Encoding,
  { prior, order, seed = 0 }: SmoothedOptions = {},
): Promise<Checked<SmoothedManifold>> => {
  const decoder: Network = model.experiment.decoder;
  const d = sizeOf(decoder.input);
  const D = sizeOf(model.experiment.encoder.input);
  const nodes = gaussHermite(order ?? orderFor(d), d);
  const z = data(...decoder.input);
  const image = apply(decoder, z);
  const [full, plain] = [
    await openExpressions(model, { image, columns: jvp(decoder, z, basis(...decoder.input)) }, decoder.input),
    await openExpressions(model, { image }, decoder.input),
  ];
  if (isLeft(full)) return full;
  if (isLeft(plain)) return plain;
  const dispose = (): void => {
    full.right.dispose();
    plain.right.dispose();
  };
  const linearize: Linearize = async (codes) => {
    const found = await full.right.evaluate(codes);
    return isLeft(found)
      ? found
      : right({ image: found.right.image.values, columns: found.right.columns.values });
  };
  const imagesOf = async (codes: Float32Array): Promise<Checked<Float32Array>> => {
    const found = await plain.right.evaluate(codes);
    return isLeft(found) ? found : right(found.right.image.values);
  };
  const given = prior ?? standardGaussian(d);
  const sought = given.sample(SOUGHT, seed);
  const soughtImages = await imagesOf(sought);
  if (isLeft(soughtImages)) return soughtImages;

  /**
   * Of the prior's codes the likeliest that a mode does not account for: where the integrand is far above the Gaussian around the
   * mode there may be another sheet of the manifold. Null where there is none.
   */
  const unaccounted = (
    examples: Float32Array,
    row: number,
    mode: Mode,
    { mean, precision, noise }: Posterior,
  ) => {
    let found: Float32Array | null = null;
    let least = Infinity;
    for (let k = 0; k < SOUGHT; k++) {
      const code = sought.subarray(k * d, (k + 1) * d);
      const square = squaredDistance(examples, row, soughtImages.right, k, D);
      if (square / (2 * noise ** 2) >= least) continue;
      const value = square / (2 * noise ** 2) + quadratic(precision, code, mean) / 2;
      const reach = quadratic(mode.hessian, code, mode.at) / 2;
      if (value < least && reach > APART && value - mode.value < reach / 2) [found, least] = [code, value];
    }
    return found;
  };

  /** One or two modes of the integrand for each example. */
  const modesOf = async (
    examples: Float32Array,
    codes: Float32Array,
    posterior: Posterior,
  ): Promise<Checked<readonly (readonly Mode[])[]>> => {
    const first = await modesFrom(linearize, posterior, examples, codes);
    if (isLeft(first)) return first;
    const modes = first.right.map((mode): readonly Mode[] => (Number.isFinite(mode.value) ? [mode] : []));
    const starts = modes.map(([mode], row) =>
      mode === undefined ? null : unaccounted(examples, row, mode, posterior),
    );
    const rows = starts.flatMap((start, row) => (start === null ? [] : [row]));
    if (rows.length === 0) return right(modes);
    const others = await modesFrom(
      linearize,
      posterior,
      Float32Array.from(rows.flatMap((row) => [...examples.subarray(row * D, (row + 1) * D)])),
      Float32Array.from(rows.flatMap((row) => [...(starts[row] ?? [])])),
    );
    if (isLeft(others)) return others;
    const all = [...modes];
    rows.forEach((row, k) => {
      const [one, other] = [elementAt(elementAt(modes, row), 0), elementAt(others.right, k)];
      if (!Number.isFinite(other.value)) return;
      const areTwo =
        quadratic(one.hessian, other.at, one.at) > APART &&
        quadratic(other.hessian, one.at, other.at) > APART;
      all[row] = areTwo ? [one, other] : [one.value <= other.value ? one : other];
    });
    return right(all);
  };

  /** The integral over one component of the prior, by its modes. */
  const integrate = async (
    examples: Float32Array,
    start: Float32Array,
    component: Gaussian,
    noise: number,
  ): Promise<Checked<readonly Share[]>> => {
    const rows = inverse(component.factor);
    const posterior: Posterior = { mean: component.mean, precision: rows.transpose().mmul(rows), noise };
    const modes = await modesOf(examples, start, posterior);
    if (isLeft(modes)) return modes;
    const chosen = modes.right;
    const frames = chosen.map((modes) => modes.map((mode) => framed(mode, nodes)));
    const codes = Float32Array.from(frames.flatMap((all) => all.flatMap((frame) => frame.codes)));
    const images = await imagesOf(codes);
    if (isLeft(images)) return images;
    const logPrior = component.logDensity(codes);
    const logNoise = -D * Math.log(noise) - (D / 2) * Math.log(2 * Math.PI);
    let at = 0;
    return right(
      frames.map((all, row) =>
        together(
          all.flatMap(({ logs, spread }, k) =>
            logs.map((log): Share => {
              const square = squaredDistance(examples, row, images.right, at, D);
              const total = log + float64At(logPrior, at) + logNoise - square / (2 * noise ** 2);
              at++;
              // One node does not see how far the posterior reaches along the tangent plane.
              const around =
                nodes.length > 1
                  ? 0
                  : spread
                      .transpose()
                      .mmul(elementAt(elementAt(chosen, row), k).gram)
                      .mmul(spread)
                      .trace();
              return { log: Number.isFinite(total) ? total : -Infinity, square: square + around };
            }),
          ),
        ),
      ),
    );
  };

  const chunked = async (examples: Float32Array, noise: number): Promise<Checked<readonly Share[]>> => {
    const start = await model.encode(examples);
    const shares: (readonly Share[])[] = [];
    for (const { logWeight, of } of componentsOf(given)) {
      const found = await integrate(examples, start, of, noise);
      if (isLeft(found)) return found;
      shares.push(found.right.map(({ log, square }) => ({ log: log + logWeight, square })));
    }
    return right(elementAt(shares, 0).map((_, row) => together(shares.map((all) => elementAt(all, row)))));
  };

  return right({
    at: async (examples, noise) => {
      const chunk = D * Math.max(1, Math.floor(MOST_HELD / (nodes.length * (d + D))));
      const shares: Share[] = [];
      for (let first = 0; first < examples.length; first += chunk) {
        const found = await chunked(examples.subarray(first, first + chunk), noise);
        if (isLeft(found)) return found;
        shares.push(...found.right);
      }
      return right({
        logDensity: Float64Array.from(shares, ({ log }) => log),
        square: Float64Array.from(shares, ({ square }) => square),
      });
    },
    dispose,
  });
};

/** Numbers of codes and images held at once. */
const MOST_HELD = 2 ** 23;
