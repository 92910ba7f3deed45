/**
 * The language: everything a model specification is written with. `expressions` and `layers` are the words, `grammar` their one table of
 * nodes, `codec` the JSON form, `printing` the formulas. Immutable data and checks of shapes only: nothing here differentiates,
 * computes, reads a file or knows of programs.
 */
export { checkExperiment, decodeExperiment, encodeExperiment, SCHEMA_VERSION } from './codec/experiment.js';
export { setHypers, setPath, type Settings, setValues } from './codec/settings.js';
export { dataShapeOf, fieldsReadBy } from './data-shape.js';
export {
  along,
  band,
  broadcast,
  clip,
  contract,
  cumulatedSum,
  logSumExp,
  maxOver,
  meanOver,
  minOver,
  productOver,
  range,
  softmax,
  sumOver,
  transpose,
  varianceOver,
} from './expressions/arrays.js';
export { another, batchCovariance, batchMean, batchVariance } from './expressions/batch.js';
export { type Experiment, experiment, type Objective, objective, override } from './experiment.js';
export { atan2 } from './expressions/angles.js';
export { equal, greaterEqual, less, lessEqual, notEqual } from './expressions/comparisons.js';
export { gather, oneHot } from './expressions/gather.js';
export { quantile, ranks, sort } from './expressions/order.js';
export { crossEntropy } from './expressions/classification.js';
export {
  type Distribution,
  type DistributionName,
  normal,
  orthonormal,
  rademacher,
  sphere,
  uniform,
} from './expressions/draw.js';
export {
  abs,
  activate,
  add,
  apply,
  atan,
  concat,
  concatAlong,
  constant,
  cos,
  data,
  dataOf,
  div,
  dot,
  draw,
  exp,
  type Expr,
  field,
  fill,
  greater,
  hyper,
  integerField,
  jvp,
  log,
  logDet,
  max,
  meanOf,
  min,
  mul,
  neg,
  negPart,
  norm,
  normEach,
  pad,
  parameter,
  pow,
  reshaped,
  type ScalarLike,
  scale,
  select,
  sin,
  slice,
  sqNorm,
  sqNormEach,
  sqNormOfWeights,
  sqrt,
  square,
  step,
  stop,
  sub,
  sum,
  type Surrogate,
  surrogate,
  vjp,
} from './expressions/expression.js';
export { odeSolution, type OdeOptions, type VectorField } from './expressions/ode.js';
export { once } from './expressions/once.js';
export { everyNode } from './expressions/rewrite.js';
export { movingAverage, running } from './expressions/running.js';
export { type Schedule, schedule } from './expressions/schedule.js';
export {
  basis,
  gram,
  logDetSPD,
  solveGram,
  type SolveOptions,
  volume,
  type VolumeOptions,
} from './expressions/volume.js';
export { mistake, namesOf, optionProblems, unknownOptions } from './mistake.js';
export { scheduledWeights, settledTerms } from './expressions/weight.js';
export type {
  ActivationName,
  BijectorLayer,
  BinaryOp,
  KernelLayer,
  Layer,
  NetworkValue,
  Node,
  Padding,
  SpectralLayer,
  SpectralNorm,
  Statistics,
  Transform,
  UnaryOp,
  VolumeMethod,
} from './grammar.js';
export type { Invertible } from './layers/bijector.js';
export {
  actNorm,
  affine,
  arrange,
  bijection,
  circularSpline,
  coupling,
  type Direction,
  elementwise,
  factorOut,
  type FlowStack,
  type FlowType,
  imageCoupling,
  inject,
  inverse,
  type Kind,
  latent,
  luLinear,
  observed,
  type Opposite,
  permutation,
  spline,
  squeeze,
} from './layers/flow.js';
export {
  constantInitializer,
  glorotUniform,
  heNormal,
  type Initializer,
  normalInitializer,
  ones,
  orthogonal,
  uniformInitializer,
  zeros,
} from './layers/initializer.js';
export {
  activation,
  averagePool,
  batchNorm,
  conv,
  convTranspose,
  dense,
  dropout,
  elu,
  flatten,
  gelu,
  type Headed,
  heads,
  input,
  leakyRelu,
  relu,
  reshape,
  residual,
  sigmoid,
  silu,
  softplus,
  type Stack,
  tanh,
  upsample,
} from './layers/layer.js';
export { embedding, film, fourierFeatures } from './layers/conditions.js';
export {
  householder,
  inversion,
  rotation,
  scaling,
  specialConformal,
  translation,
} from './layers/bijections.js';
export { layer, through } from './layers/defined.js';
export { conv1d, depthwiseConv, dilatedConv, groupNorm, maxPool, pixelShuffle } from './layers/images.js';
export { attention, selfAttention } from './layers/attention.js';
export {
  gated,
  layerNorm,
  positions,
  rmsNorm,
  sinusoidalPositions,
  skip,
  softmaxLayer,
  tokenDense,
} from './layers/library.js';
export { shapeOf } from './shape-rules.js';
export { spectral, spectralNorm, type SpectralOptions } from './layers/spectral.js';
export { hypersOf, networksOf } from './names.js';
export {
  type ArgumentsOf,
  argumentsOf,
  codeOutput,
  type Flow,
  type FunctionNetwork,
  type HeadedFunction,
  type HeadedNetwork,
  invert,
  mapLayers,
  network,
  type Network,
  outputNames,
  rename,
  replaceActivation,
  written,
} from './network.js';
export {
  adafactor,
  type AdafactorOptions,
  adagrad,
  type AdagradOptions,
  adam,
  type AdamOptions,
  adamW,
  lion,
  type LionOptions,
  nadam,
  type Optimizer,
  rmsProp,
  type RmsPropOptions,
  sgd,
  type SgdOptions,
} from './optimizer.js';
export { parsePath, type Path, showPath } from './path.js';
export { formula, objectiveFormula, objectiveLatex, objectiveMathml } from './printing/format.js';
export { describeLayer } from './printing/layers.js';
export { describeOptimizer } from './printing/optimizer.js';
export { experimentSource } from './printing/source/source.js';
export { didYouMean, nearest, type Problem, problem, showProblem } from './problem.js';
export {
  type Enlarged,
  sameShape,
  type Scalar,
  type Shape,
  showShape,
  sizeOf,
  type Strided,
} from './shape.js';
export { compose, pipe } from './composition.js';
export type { Block } from './layers/layer.js';
export {
  accumulate,
  averaged,
  chain,
  clipBlock,
  clipNorm,
  clipNormOf,
  clipValue,
  freeze,
  type Lookahead,
  lookahead,
  momentum,
  only,
  scaleByAdam,
  scaleByBlock,
  scaleByFactoredRms,
  scaleByLion,
  scaleByRate,
  scaleByRms,
  scaleByRss,
  scaleUpdate,
  type Update,
  weightDecay,
} from './update.js';
