/** The grammar of the language: the closed sets of expressions, layers and networks, as immutable data. */
import type { DistributionName } from './expressions/draw.js';
import type { Initializer } from './layers/initializer.js';
import type { Known, Shape } from './shape.js';

export type Padding = 'same' | 'valid';

export type ActivationName = 'relu' | 'leakyRelu' | 'elu' | 'tanh' | 'sigmoid' | 'softplus' | 'silu' | 'gelu';

/**
 * How batch statistics behave inside a user's jvp and vjp. `constant`: their tangent is zero there (a per-example
 * Jacobian); `differentiated`: it is not. The gradient of the loss differentiates them in both cases.
 */
export type Statistics = 'constant' | 'differentiated';

/** The layers that hold a kernel. */
export type KernelLayer =
  | { readonly tag: 'dense'; readonly units: number; readonly bias: boolean; readonly kernel: Initializer }
  | ConvLayer<'conv'>
  | ConvLayer<'convTranspose'>;

/**
 * What a kernel is divided by. `kernel`: the top singular value of the kernel as a matrix [output channels, the rest];
 * `operator`: that of the layer as a linear map, at the size of image that it meets.
 */
export type SpectralNorm = 'kernel' | 'operator';

/** A kernel layer whose kernel is divided by its spectral norm. */
export type SpectralLayer = {
  readonly tag: 'spectral';
  readonly norm: SpectralNorm;
  /** Of the power method, in each training step. */
  readonly iterations: number;
  readonly layer: KernelLayer;
};

export type Layer =
  | KernelLayer
  | SpectralLayer
  | { readonly tag: 'flatten' }
  | { readonly tag: 'reshape'; readonly shape: Shape }
  | {
      readonly tag: 'batchNorm';
      readonly statistics: Statistics;
      /** running ← momentum · running + (1 − momentum) · batch. */
      readonly momentum: number;
      readonly epsilon: number;
    }
  | { readonly tag: 'dropout'; readonly rate: number }
  | { readonly tag: 'activation'; readonly name: ActivationName; readonly slope: number }
  | { readonly tag: 'residual'; readonly layers: readonly Layer[] }
  | { readonly tag: 'averagePool'; readonly size: number }
  | { readonly tag: 'upsample'; readonly size: number }
  | DefinedLayer
  /** Several outputs from one trunk; only as the last layer of a network. */
  | { readonly tag: 'heads'; readonly heads: Readonly<Record<string, readonly Layer[]>> }
  | BijectorLayer;

/**
 * A layer that is a function of expressions: of its input alone between other layers, of several arguments where it is a network of
 * its own. In its body stand arguments, parameters that are its own, layers (`through`) and other networks.
 */
export type DefinedLayer = {
  readonly tag: 'defined';
  readonly name: string;
  /** The shapes of the arguments, the first of them the input. */
  readonly arguments: Readonly<Record<string, Shape>>;
  /** What it gives by name; a single output has the name ''. */
  readonly outputs: Readonly<Record<string, Node>>;
};

export type ConvLayer<Tag extends string> = {
  readonly tag: Tag;
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: Padding;
  readonly bias: boolean;
  readonly initializer: Initializer;
};

/**
 * A strictly increasing map of each number, given the numbers that parametrise it; zero parameters give the identity.
 * Every log-slope is bounded softly, as b·tanh(raw/b).
 */
export type Transform =
  /** y = x·e^s + t with |s| < bound. */
  | { readonly tag: 'affine'; readonly bound: number }
  /** Monotone rational-quadratic spline on [−bound, bound], the identity outside; Durkan et al. 2019. */
  | { readonly tag: 'spline'; readonly bins: number; readonly bound: number }
  /** The same on a circle: its slopes at −bound and bound are one, so that it is smooth where they meet; Rezende et al. 2020. */
  | { readonly tag: 'circularSpline'; readonly bins: number; readonly bound: number };

/** The first ⌊n/2⌋ channels, or the others. */
export type Part = 'first' | 'last';

/** Layers made to be inverted; their constructors append to flows only (dsl/flow.ts). */
export type BijectorLayer =
  /** One part of the channels goes through a transform whose parameters are a function of the other part; Dinh et al. 2017. */
  | {
      readonly tag: 'coupling';
      readonly transform: Transform;
      readonly part: Part;
      /** Hidden layers; the projection to the transform's parameters follows them and starts at zero. */
      readonly conditioner: readonly Layer[];
    }
  /** A transform of each channel with parameters of its own. */
  | { readonly tag: 'elementwise'; readonly transform: Transform }
  /** The channels in an order that the seed fixes. */
  | { readonly tag: 'permutation'; readonly seed: number }
  /** x ↦ xW + b over the channels, W = LU with a unit lower L and an upper U of diagonal e^s, |s| < 3; Kingma and Dhariwal 2018. */
  | { readonly tag: 'luLinear' }
  /** Blocks of size × size pixels become channels. [h,w,c] → [h/size,w/size,c·size²]. */
  | { readonly tag: 'squeeze'; readonly size: number }
  /** The last half of the channels is done; the first half goes on through layers. [h,w,c] → [h·w·c]; Dinh et al. 2017. */
  | { readonly tag: 'factorOut'; readonly layers: readonly Layer[] }
  /** Layers, which take `input`, run backwards. */
  | { readonly tag: 'inverse'; readonly input: Shape; readonly layers: readonly Layer[] }
  /** Zeros after the d numbers: [d] → [units]. Its left inverse keeps the first d. */
  | { readonly tag: 'inject'; readonly units: number }
  | DefinedBijection;

/**
 * A layer with an inverse that is a function of expressions both ways. `forward` and `logDeterminant` are of an argument x of shape
 * `input`, `inverse` is of an argument y of shape `output`; parameters of one name are one in all three.
 */
export type DefinedBijection = {
  readonly tag: 'bijection';
  readonly name: string;
  readonly input: Shape;
  readonly output: Shape;
  readonly forward: Node;
  readonly inverse: Node;
  /** ln |det| of the Jacobian of `forward`, a scalar. */
  readonly logDeterminant: Node;
};

/** The data of a network, whatever its outputs. */
export type NetworkValue = {
  readonly name: string;
  /** Shape of one input example. */
  readonly input: Shape;
  readonly layers: readonly Layer[];
  /** Of an inverted network: the shape that its layers, which run backwards, take and it gives. */
  readonly inverts?: Shape | undefined;
};

/** Functions of one number. */
export const unaryOps = [
  'neg', 'exp', 'log', 'sqrt', 'square', 'abs', 'sin', 'cos', 'atan',
  'relu', 'elu', 'tanh', 'sigmoid', 'softplus', 'silu', 'gelu',
] as const; // prettier-ignore
export type UnaryOp = (typeof unaryOps)[number];
export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'pow' | 'greater';

export type ReductionOp = 'add' | 'max' | 'min' | 'mul';

/** How a volume is trained: exactly, by a stochastic surrogate, or whichever is cheaper. Evaluation is always exact. */
export type VolumeMethod = 'auto' | 'exact' | 'stochastic';

/** Where a network of several arguments is applied. */
type Arguments = {
  /** The argument that is differentiated: of one argument the only one, of several the first unless `argument` says which. */
  readonly at: Node;
  readonly argument?: string;
  /** The other arguments by name, held where they are. */
  readonly given?: Readonly<Record<string, Node>>;
};

export type Node =
  | { readonly tag: 'data'; readonly shape: Shape }
  /** A named part of the example beside the data: its class, a mask, a weight. */
  | {
      readonly tag: 'field';
      readonly name: string;
      readonly shape: Shape;
      readonly type: 'integer' | 'float';
    }
  /** An argument of the function in whose body it stands. */
  | { readonly tag: 'argument'; readonly name: string; readonly shape: Shape }
  /** Layers on the way from one expression to another inside a body; the name is a part of their parameters' names. */
  | { readonly tag: 'through'; readonly name: string; readonly layers: readonly Layer[]; readonly of: Node }
  | { readonly tag: 'constant'; readonly value: number }
  /** A named number that the command line and sweeps can set. */
  | { readonly tag: 'hyper'; readonly name: string; readonly value: number }
  /** The training step i, from 0. */
  | { readonly tag: 'step' }
  | {
      readonly tag: 'draw';
      readonly name: string;
      readonly distribution: DistributionName;
      readonly shape: Shape;
      /** Number of probes, an explicit leading axis; absent for a single draw without that axis. */
      readonly probes?: number;
    }
  | {
      readonly tag: 'parameter';
      readonly name: string;
      readonly shape: Shape;
      readonly initializer: Initializer;
    }
  /** A scalar kept from step to step; without `update` a reading of the one of that name that has it. */
  | { readonly tag: 'running'; readonly name: string; readonly initial: number; readonly update?: Node }
  /** Σθ² over a network's trainable parameters, or over its kernels only. */
  | { readonly tag: 'sqNormOfWeights'; readonly network: NetworkValue; readonly only: 'all' | 'kernels' }
  | ({ readonly tag: 'apply'; readonly network: NetworkValue; readonly output: string } & Arguments)
  | ({
      readonly tag: 'jvp';
      readonly network: NetworkValue;
      readonly tangent: Node;
      readonly output: string;
    } & Arguments)
  | ({
      readonly tag: 'vjp';
      readonly network: NetworkValue;
      readonly cotangent: Node;
      readonly output: string;
    } & Arguments)
  /** log |det J| of a network of invertible layers at a point. */
  | { readonly tag: 'logDet'; readonly network: NetworkValue; readonly at: Node }
  | { readonly tag: 'stop'; readonly of: Node }
  | { readonly tag: 'unary'; readonly op: UnaryOp; readonly of: Node }
  | { readonly tag: 'binary'; readonly op: BinaryOp; readonly left: Node; readonly right: Node }
  /** A scalar times anything. */
  | { readonly tag: 'scale'; readonly by: Node; readonly of: Node }
  /** A scalar spread over a shape. */
  | { readonly tag: 'fill'; readonly of: Node; readonly shape: Shape }
  /** Axis i of the result is axis permutation[i]. */
  | { readonly tag: 'transpose'; readonly of: Node; readonly permutation: Shape }
  /** Axis i is axis axes[i] of the shape; the other axes repeat. */
  | { readonly tag: 'broadcast'; readonly of: Node; readonly shape: Shape; readonly axes: Shape }
  /** One operator between all elements along the axes, which disappear. */
  | { readonly tag: 'reduce'; readonly op: ReductionOp; readonly of: Node; readonly axes: Shape }
  /** Σ over the letters that the result lacks, of the product of two arrays: `ik,jk->ij`. */
  | { readonly tag: 'contract'; readonly subscripts: string; readonly left: Node; readonly right: Node }
  /** Entries of a table [n, …] at the whole numbers nearest to an index: the index's shape, then that of an entry; zeros out of range. */
  | { readonly tag: 'gather'; readonly table: Node; readonly index: Node }
  /** A matrix times a number by the place of an entry: below, on or above the diagonal. */
  | {
      readonly tag: 'band';
      readonly of: Node;
      readonly below: number;
      readonly diagonal: number;
      readonly above: number;
    }
  /** The mean over the batch: the same for each of its examples. */
  | { readonly tag: 'batchMean'; readonly of: Node }
  /** The value of another example of the batch: so many places further on, around its end. */
  | { readonly tag: 'another'; readonly of: Node; readonly by: number }
  /** Sum over all axes but the first `keep`. */
  | { readonly tag: 'sum'; readonly of: Node; readonly keep: number }
  /** Euclidean norm over all axes but the first `keep`; its derivative at 0 is 0. */
  | { readonly tag: 'norm'; readonly of: Node; readonly keep: number }
  | { readonly tag: 'select'; readonly condition: Node; readonly then: Node; readonly otherwise: Node }
  | { readonly tag: 'reshape'; readonly of: Node; readonly shape: Shape }
  | { readonly tag: 'slice'; readonly of: Node; readonly begin: Shape; readonly size: Shape }
  | { readonly tag: 'concat'; readonly of: readonly Node[]; readonly axis: number }
  | { readonly tag: 'pad'; readonly of: Node; readonly before: Shape; readonly after: Shape }
  /** Unit probes, one for each element of the shape: a leading axis of as many. */
  | { readonly tag: 'basis'; readonly shape: Shape }
  /** ⟨of_i, of_j⟩ for the k arrays of the leading axis, [k, k]. */
  | { readonly tag: 'gram'; readonly of: Node }
  /** ln det of a symmetric positive definite matrix [n, n]. */
  | { readonly tag: 'logDetSPD'; readonly of: Node }
  /** (JᵀJ)⁻¹·of by conjugate gradients. */
  | ({
      readonly tag: 'solveGram';
      readonly network: NetworkValue;
      readonly of: Node;
      readonly output: string;
      /** At most as many products with JᵀJ; absent for as many as are exact, or a factor of JᵀJ where that is cheaper. */
      readonly iterations?: number;
      /** Of ‖residual‖/‖of‖, where an example is done. */
      readonly tolerance: number;
    } & Arguments)
  /** ½ ln det JᵀJ, or in training a surrogate with its gradient. */
  | ({
      readonly tag: 'volume';
      readonly network: NetworkValue;
      readonly output: string;
      readonly method: VolumeMethod;
      /** Random directions [k, …input] with E εεᵀ = I, for the surrogate; absent where the method is exact. */
      readonly probes?: Node;
      /** See solveGram. */
      readonly iterations?: number;
    } & Arguments);

/** An expression whose value has shape S for each example. */
export type Expr<S extends Shape = Shape> = Node & { readonly _shape?: Known<S> | undefined };
