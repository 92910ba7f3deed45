/**
 * The named objectives, each a short composed specification in the language's own words. What needs the compiler or measures a
 * trained model does not belong here.
 */
export { geometricAe, isometricAe, mmdWae } from './across-the-batch.js';
export { ae, aeL2, reconstruction } from './autoencoder.js';
export { cae } from './contractive.js';
export { flowMatching, transport, type Velocity } from './flow-matching.js';
export { injFlow, injFlowLn, type InjFlowOptions } from './injflow.js';
export { finiteDifference, type ProbeOptions, sqFrobenius } from './jacobian-norm.js';
export { augmentedLagrangian, geco, type MultiplierOptions, reconstructionConstraint } from './lagrangian.js';
export { logDensityOf, maximumLikelihood } from './likelihood.js';
export { aeSn, type Model, paperModels } from './models.js';
export { noisyManifold, type NoisyManifoldOptions } from './noisy-manifold.js';
export { raeGp } from './rae.js';
export {
  freeForm,
  logNormal,
  rectangular,
  rectangularDensity,
  rectangularExact,
  type RectangularOptions,
  rectangularStochastic,
  twoStep,
} from './rectangular.js';
export { bound4, bound5, type BoundOptions } from './upper-bounds.js';
export { betaVae, type GaussianEncoder, gaussianEncoder, klToStandardNormal, vae } from './vae.js';
