/**
 * Evaluation: how good a trained model is. `metrics` and `features` judge samples, `priors` are fitted after training, `density` and
 * `geometry` measure the decoder's manifold, `gallery` and `page` show a run. It asks models questions. What is trained here, priors and
 * features, is trained as any specification is, by `fit`.
 */
export { baselineOf, type Comparison, comparisonOf, differencesOf, type Differing } from './comparison.js';
export { type AreaUnderCurve, areaUnderCurve, areaWithInterval } from './density/area-under-curve.js';
export { accuracyOf, type Columns, fitTree } from './density/decision-tree.js';
export { type DensityFit, densityFit, type DensityPoint } from './density/density-fit.js';
export { detect, type Detection, type Detections, type Scored } from './density/detection.js';
export { detections, openOutside, type OutsideData } from './density/out-of-distribution.js';
export {
  type Encoding,
  openSmoothedManifold,
  type Smoothed,
  type SmoothedManifold,
  type SmoothedOptions,
} from './density/smoothed-manifold.js';
export {
  fitSpaceDensity,
  openSpaceDensity,
  type SpaceDensity,
  type SpaceLogDensity,
  type SpaceOptions,
} from './density/space-density.js';
export { type Classifier, classifier, type ClassifierOptions } from './features/classifier.js';
export type { FeatureMap } from './features/feature-map.js';
export { graphFeatures, type GraphOptions } from './features/graph.js';
export { type FeatureContext, featureProblems, openFeatures } from './features/open.js';
export { pixels } from './features/pixels.js';
export { type ImageSize, resized } from './features/resize.js';
export type { ShownPrior } from './gallery/gallery.js';
export { boundsOf, logVolume } from './geometry/bound-chain.js';
export {
  type Collision,
  type CollisionOptions,
  type CollisionSearch,
  searchCollisions,
} from './geometry/collisions.js';
export { jacobiansAt, type LocalGeometry } from './geometry/decoder-jacobian.js';
export {
  type Geometry,
  geometryOf,
  type GeometryOptions,
  reencodingDistances,
  type Tightness,
} from './geometry/geometry.js';
export {
  conditionNumber,
  effectiveRank,
  isRankDeficient,
  singularValues,
  type Spectrum,
} from './geometry/singular-values.js';
export { type Evaluation, evaluationCodec, measure, plainEvaluation } from './measure.js';
export {
  type FigureName,
  figureName,
  type FigurePart,
  type FigureSubject,
  readFigureName,
} from './figure-name.js';
export { type AcrossSeeds, acrossSeeds } from './metrics/across-seeds.js';
export { frechet, frechetDistance } from './metrics/frechet.js';
export type { Comparable, Features, Metric } from './metrics/metric.js';
export { polynomialMmd, rbfMmd } from './metrics/mmd.js';
export { coverage, precision, recall } from './metrics/precision.js';
export { reconstructionError } from './metrics/reconstruction.js';
export { lessIsBetter, sampleMetrics, score, type Scores } from './metrics/score.js';
export { slicedWasserstein } from './metrics/sliced-wasserstein.js';
export { comparisonPage } from './page/comparison-page.js';
export { mosaicPng, picturePng } from './picture.js';
export {
  type CodePrior,
  fitGaussian,
  type FittedGaussian,
  type Gaussian,
  standardGaussian,
} from './priors/gaussian.js';
export { fitPrior, type FitPriorOptions, openPrior, priorKinds } from './priors/kinds.js';
export { type PriorName, priorNames } from './priors/prior-name.js';
export { priorOfRun, trainedFolderOf, trainedPriorsOf } from './priors/of-run.js';
export type { FittedPrior, PriorKind } from './priors/prior.js';
export { fitMixture, type FittedMixture, type MixtureOptions } from './priors/mixture-fit.js';
export type { Mixture } from './priors/mixture.js';
export { type Facts, reportPage } from './report.js';
export { keptSplit, reportRun } from './report-run.js';
export { openTensorBoard, type TensorBoard } from './tensorboard.js';
export type { Summary } from './summary.js';
