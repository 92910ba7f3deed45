/** A model that has learned: what one asks of it, whether it was trained a moment ago or opened from the folder of its run. */
import type { Compiled, Expressions } from '../../compiler/index.js';
import type { Preprocessing, Row, Source } from '../../data/index.js';
import type { Experiment, Node } from '../../dsl/index.js';
import type { Backend } from '../../backends/backend.js';
import type { Evaluated } from '../records/events.js';
import type { TrainState } from './state.js';

/** Codes to decode: row-major [count, d]. */
export type Prior = (count: number, seed: number) => Float32Array;

/** Where codes of new examples are drawn, and ln p of codes [n, d] in nats. A fitted Gaussian or mixture is one, and so is `flowPrior`. */
export type PriorOverCodes = {
  readonly sample: (count: number, seed: number) => Float32Array | Promise<Float32Array>;
  readonly logDensity: (codes: Float32Array) => ArrayLike<number> | Promise<ArrayLike<number>>;
};

/**
 * The data's own units are those that it was read in; the model's are what preprocessing makes of them, which training saw. They are the
 * same where nothing was standardised or brought into a range.
 */
export type Units = 'data' | 'model';

/**
 * Examples in one of three forms: numbers one after the other, [n, …shape]; a data set; rows of cells in the order of the columns, or by the
 * names of columns. Numbers and sets are in the model's units unless it is said otherwise, rows in the data's.
 */
export type ModelInput = Float32Array | Source | readonly Row[];

export type UnitsOption = { readonly units?: Units };
type InData = { readonly units: 'data' };
type InModel = { readonly units?: 'model' };

/** A density in nats, and beside it how far each example is from the manifold that the density is on. */
export type LogProb = {
  /** ln p, [n]. Of a manifold: at the point that decoding gives back, with respect to volume on the manifold, in the units asked for. */
  readonly logDensity: Float32Array;
  /** ‖x − decode(encode(x))‖, [n], in the units asked for. */
  readonly distance: Float32Array;
};

/** An expression's value for each example, row-major [n, …shape]. */
export type Values = { readonly shape: readonly number[]; readonly values: Float32Array };

/** What an expression of a trained model is evaluated with. */
export type Model = {
  readonly experiment: Experiment;
  readonly backend: Backend;
  readonly state: () => Promise<TrainState>;
};

/** All functions reject with a `BackendFailure` that says what is wrong with what they are given. */
export type Fitted = Model & {
  readonly compiled: Compiled;
  /** How examples were made of what was read; undefined where they are what was read. */
  readonly preprocessing: Preprocessing | undefined;
  /** Codes [n, d]. */
  readonly encode: (input: ModelInput, options?: UnitsOption) => Promise<Float32Array>;
  /** Examples of codes [n, d]: [n, …shape], or in the data's units [n, numbers of a row], a category being its number. */
  readonly decode: {
    (codes: Float32Array, options?: InModel): Promise<Float32Array>;
    (codes: Float32Array, options: InData): Promise<Float64Array>;
  };
  /** decode ∘ encode, in the units of the input unless it is said otherwise. */
  readonly reconstruct: {
    (input: Float32Array | Source, options?: InModel): Promise<Float32Array>;
    (input: readonly Row[]): Promise<Float64Array>;
    (input: ModelInput, options: InData): Promise<Float64Array>;
  };
  /** Decodes codes of a prior, N(0, I) unless another is given. */
  readonly sample: {
    (count: number, options?: SampleOptions & InModel): Promise<Float32Array>;
    (count: number, options: SampleOptions & InData): Promise<Float64Array>;
  };
  /**
   * Of an experiment with a density that density, exactly. Of any other injective decoder g, and wherever a prior p is given,
   * ln p(z) − ½ ln det JᵀJ at z = encode(x), J the Jacobian of g; N(0, I) unless another prior is given. In the data's units, S the
   * derivative of the way back to them, ½ ln det (SJ)ᵀ(SJ).
   */
  readonly logProb: (
    input: ModelInput,
    options?: UnitsOption & { readonly prior?: Pick<PriorOverCodes, 'logDensity'> },
  ) => Promise<LogProb>;
  /** Every term's and every metric's mean over a data set. */
  readonly evaluate: (data: Source) => Promise<Evaluated>;
  /** The value of each expression for each example, in inference mode. */
  readonly values: <Name extends string>(
    expressions: Readonly<Record<Name, Node>>,
    input: ModelInput,
    options?: UnitsOption,
  ) => Promise<Readonly<Record<Name, Values>>>;
  readonly dispose: () => void;
};

export type SampleOptions = {
  readonly seed?: number;
  readonly prior?: PriorOverCodes['sample'];
};

export type { Expressions };
