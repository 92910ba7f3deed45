/**
 * The density of a manifold with noise around it, over the whole space: p(x) = ∫ p(z) N(x; g(z), σ²I) dz, the law of g(z) + σε for
 * codes z of a prior. It integrates to 1 whatever the decoder g is, and where σ is small beside the manifold's curvature it is the
 * density on the manifold times that of the distance from it.
 *
 * The integral is taken by adaptive Gauss–Hermite quadrature (Naylor and Smith, 1982; Liu and Pierce, A note on Gauss–Hermite
 * quadrature, 1994): nodes around the mode of the integrand, as wide as JᵀJ/σ² + S⁻¹ makes it there. One node is Laplace's
 * approximation with the tangent plane in the manifold's place. Exact, with any number of nodes, for an affine decoder and a Gaussian prior; for others the
 * error of one node is of the order of σκ, κ the curvature, and falls with their number. Modes are sought from the encoder's code and
 * from the nearest of some codes of the prior; a third sheet of the manifold as near as these is not seen.
 */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { CholeskyDecomposition, inverse, Matrix } from 'ml-matrix';
import { apply, basis, data, jvp, type Network, type Problem, sizeOf } from '../../dsl/index.js';
import type { Fitted } from '../../runs/index.js';
import { openExpressions } from '../expressions.js';
import { squaredDistance } from '../metrics/distance.js';
import { type Gaussian, standardGaussian } from '../priors/gaussian.js';
import type { Mixture } from '../priors/mixture.js';
import { gaussHermite, type Node } from './gauss-hermite.js';
import { type Linearize, type Mode, modesFrom, type Posterior } from './latent-mode.js';

type Checked<A> = Either<readonly Problem[], A>;

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
/** Squared distance of two modes, in units of the posterior, from which on they are two. */
const APART = 16;

/** The most nodes a dimension that may be taken. */
export const orderFor = (d: number): number =>
  Math.max(1, Math.min(MOST_ORDER, Math.floor(MOST_NODES ** (1 / d) + 1e-9)));

const logSumExp = (logs: readonly number[]): number => {
  const most = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  return most === -Infinity
    ? most
    : most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
};

const componentsOf = (
  prior: Gaussian | Mixture,
): readonly { readonly logWeight: number; readonly of: Gaussian }[] =>
  'components' in prior
    ? prior.components.map((of, k) => ({ logWeight: Math.log(prior.weights[k]), of }))
    : [{ logWeight: 0, of: prior }];

/** (z − a)ᵀ H (z − a) of two modes, H that of the first. */
const apart = (a: Mode, b: Mode): number => {
  const c = Matrix.columnVector([...a.at].map((z, i) => z - b.at[i]));
  return c.transpose().mmul(a.hessian).mmul(c).get(0, 0);
};

/** Codes around a mode at which the integrand is taken, row after row, and ln of what each counts with. */
const framed = (mode: Mode, nodes: readonly Node[]) => {
  const d = mode.at.length;
  const factor = new CholeskyDecomposition(mode.hessian).lowerTriangularMatrix;
  const spread = inverse(factor).transpose();
  const logDet = factor.diagonal().reduce((sum, x) => sum + Math.log(x), 0);
  const codes = nodes.flatMap(({ at }) =>
    Array.from(mode.at, (z, i) => Math.fround(z + at.reduce((sum, xi, j) => sum + spread.get(i, j) * xi, 0))),
  );
  const logs = nodes.map(
    ({ at, logWeight }) =>
      logWeight + at.reduce((sum, xi) => sum + (xi * xi) / 2, 0) + (d / 2) * Math.log(2 * Math.PI) - logDet,
  );
  return { codes, logs, spread };
};

/** What a share of the integral comes to: its logarithm, and the mean squared residual over it. */
type Share = { readonly log: number; readonly square: number };

const together = (shares: readonly Share[]): Share => {
  const log = logSumExp(shares.map((share) => share.log));
  const square = shares.reduce(
    (sum, share) => sum + (share.log === -Infinity ? 0 : Math.exp(share.log - log) * share.square),
    0,
  );
  return { log, square };
};

/** Loads the decoder of a model; examples may then be asked for with any noise. */
export const openSmoothedManifold = async (
  model: Pick<Fitted, 'experiment' | 'backend' | 'state' | 'encode'>,
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

  /** The code of the prior's whose image is nearest to each example. */
  const nearest = (examples: Float32Array): Float32Array => {
    const codes = new Float32Array((examples.length / D) * d);
    for (let row = 0; row < examples.length / D; row++) {
      let [best, least] = [0, Infinity];
      for (let k = 0; k < SOUGHT; k++) {
        const distance = squaredDistance(examples, row, soughtImages.right, k, D);
        if (distance < least) [best, least] = [k, distance];
      }
      codes.set(sought.subarray(best * d, (best + 1) * d), row * d);
    }
    return codes;
  };

  /** The integral over one component of the prior, by its modes. */
  const integrate = async (
    examples: Float32Array,
    starts: readonly Float32Array[],
    component: Gaussian,
    noise: number,
  ): Promise<Checked<readonly Share[]>> => {
    const posterior: Posterior = { mean: component.mean, precision: inverse(component.covariance), noise };
    const found: (readonly Mode[])[] = [];
    for (const codes of starts) {
      const modes = await modesFrom(linearize, posterior, examples, codes);
      if (isLeft(modes)) return modes;
      found.push(modes.right);
    }
    const [encoded, others] = found;
    const chosen = encoded.map((one, row): readonly Mode[] => {
      const other = others[row];
      if (!Number.isFinite(other.value)) return Number.isFinite(one.value) ? [one] : [];
      if (!Number.isFinite(one.value)) return [other];
      if (apart(one, other) > APART && apart(other, one) > APART) return [one, other];
      return [one.value <= other.value ? one : other];
    });
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
              const total = log + logPrior[at] + logNoise - square / (2 * noise ** 2);
              at++;
              // One node does not see how far the posterior reaches along the tangent plane.
              const around =
                nodes.length > 1 ? 0 : spread.transpose().mmul(chosen[row][k].gram).mmul(spread).trace();
              return { log: Number.isFinite(total) ? total : -Infinity, square: square + around };
            }),
          ),
        ),
      ),
    );
  };

  const chunked = async (examples: Float32Array, noise: number): Promise<Checked<readonly Share[]>> => {
    const starts = [await model.encode(examples), nearest(examples)];
    const shares: (readonly Share[])[] = [];
    for (const { logWeight, of } of componentsOf(given)) {
      const found = await integrate(examples, starts, of, noise);
      if (isLeft(found)) return found;
      shares.push(found.right.map(({ log, square }) => ({ log: log + logWeight, square })));
    }
    return right(shares[0].map((_, row) => together(shares.map((all) => all[row]))));
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
