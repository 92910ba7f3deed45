/** A model that has learned: what one asks of it, whether it was trained a moment ago or opened from the folder of its run. */
import type { Compiled, Expressions } from '../../compiler/index.js';
import type { Preprocessing, Row, Source } from '../../data/index.js';
import type { Experiment, Node } from '../../dsl/index.js';
import type { Backend } from '../../backends/backend.js';
import type { Evaluated } from '../records/events.js';
import type { FieldsGiven } from './fields.js';
import type { TrainState } from './state.js';

/** Codes to decode: row-major [count, d]. */
export type Prior = (count: number, seed: number) => Float32Array;

/** Where codes of new examples are drawn, and ln p of codes [n, d] in nats. A fitted Gaussian or mixture is one, and so is `flowPrior`. */
export type PriorOverCodes = {
  readonly sample: (count: number, seed: number) => Float32Array | Promise<Float32Array>;
  readonly logDensity: (codes: Float32Array | Float64Array) => ArrayLike<number> | Promise<ArrayLike<number>>;
};

/**
 * The data's own units are those that it was read in; the model's are what preprocessing makes of them, which training saw. They are the
 * same where nothing was standardised or brought into a range.
 */
export type Units = 'data' | 'model';

/**
 * Examples in one of three forms: numbers one after the other, [n, …shape]; a data set; rows of cells in the order of the columns, or by the
 * names of columns. Rows are in the data's units, numbers and sets in the model's unless `units` says otherwise. So are answers: to rows in
 * the data's units unless `units` says otherwise, to numbers and sets in theirs.
 */
export type ModelInput = Float32Array | Float64Array | Source | readonly Row[];

export type UnitsOption = { readonly units?: Units };

/**
 * `double` is computed on the host without a backend, so it takes its time, and is refused where that is too much. Weights are what training left, in
 * single precision; numbers given as doubles are taken as they are, rows and sets as training saw them.
 */
export type Precision = 'single' | 'double';
type InSingle = { readonly precision?: 'single' };
type InDouble = { readonly precision: 'double' };
type InData = { readonly units: 'data' };
type InModel = { readonly units?: 'model' };

/** A density in nats, and beside it how far each example is from the manifold that the density is on. */
export type LogProb<A extends Float32Array | Float64Array = Float32Array> = {
  /** ln p, [n]. Of a manifold: at the point that decoding gives back, with respect to volume on the manifold, in the units asked for. */
  readonly logDensity: A;
  /** ‖x − decode(encode(x))‖, [n], in the units asked for. */
  readonly distance: A;
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
  readonly encode: {
    (input: ModelInput, options?: UnitsOption & InSingle & FieldsOption): Promise<Float32Array>;
    (input: ModelInput, options: UnitsOption & InDouble): Promise<Float64Array>;
  };
  /** Examples of codes [n, d]: [n, …shape], or in the data's units [n, numbers of a row], a category being its number. */
  readonly decode: {
    (codes: Float32Array, options?: InModel & FieldsOption): Promise<Float32Array>;
    (codes: Float32Array, options: InData & FieldsOption): Promise<Float64Array>;
  };
  /** decode ∘ encode, in the units of the input unless it is said otherwise. */
  readonly reconstruct: {
    (input: Float32Array | Float64Array | Source, options?: InModel): Promise<Float32Array>;
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
  readonly logProb: {
    (input: ModelInput, options?: LogProbOptions & InSingle): Promise<LogProb>;
    (input: ModelInput, options: LogProbOptions & InDouble): Promise<LogProb<Float64Array>>;
  };
  /** Every term's mean over a data set, and in single precision every metric's. */
  readonly evaluate: (data: Source, options?: { readonly precision?: Precision }) => Promise<Evaluated>;
  /** The value of each expression for each example, in inference mode. */
  readonly values: <Name extends string>(
    expressions: Readonly<Record<Name, Node>>,
    input: ModelInput,
    options?: UnitsOption,
  ) => Promise<Readonly<Record<Name, Values>>>;
  readonly dispose: () => void;
};

/** What a network of several arguments is told beside codes or examples, such as `{ label: 3 }`; of a data set that has fields its own. */
export type FieldsOption = { readonly fields?: FieldsGiven };

export type LogProbOptions = UnitsOption & { readonly prior?: Pick<PriorOverCodes, 'logDensity'> };

export type SampleOptions = {
  readonly seed?: number;
  readonly prior?: PriorOverCodes['sample'];
} & FieldsOption;

export type { Expressions };
