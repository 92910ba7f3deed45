/**
 * Laws for anyone's own specifications: what a regularizer, a bound or a flow must satisfy, checked on random networks, weights and examples
 * in float64. `arbitraries` are what is quantified over, `laws` what must hold, `check` how it is looked at, `meaning` the value of an
 * expression. Works wherever a test fails by throwing; needs fast-check. No backend and no file.
 */
export {
  type Autoencoder,
  autoencoders,
  examples,
  experiments,
  expressions,
  flows,
  injectiveFlows,
  type NetworkOptions,
  networks,
  shapes,
  weights,
} from './arbitraries.js';
export { check, type CheckOptions, forAll } from './check.js';
export {
  type Claim,
  equal,
  given,
  gradientsAgree,
  inMean,
  invariantUnder,
  invertible,
  type Law,
  type Mean,
  monotone,
  nonNegative,
  normalised,
  type NormalisedOptions,
  type Side,
  unbiased,
  upperBounds,
} from './laws.js';
export { type Behaviour, type Meaning, type MeaningOptions, meaningOf } from './meaning.js';
export { type Inputs, type World, worlds } from './world.js';
