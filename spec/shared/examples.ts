/** Every example, and the batch at which the laws have it take its steps. */
import { type Experiment, latent } from '../../dsl/index.js';
import aeL2 from '../../examples/ae-l2.js';
import ae from '../../examples/ae.js';
import circle from '../../examples/circle.js';
import conditional from '../../examples/conditional-injflow.js';
import digitsFlow from '../../examples/digits-flow.js';
import digits from '../../examples/digits.js';
import conditionalVae from '../../examples/conditional-vae.js';
import semiSupervised from '../../examples/semi-supervised.js';
import flowPrior from '../../examples/flow-prior.js';
import { densityExperiment, parts } from '../../examples/flows.js';
import line from '../../examples/linear.js';
import masked from '../../examples/masked-table.js';
import mlp from '../../examples/mlp.js';
import mnist from '../../examples/mnist.js';
import sine from '../../examples/sine.js';
import sphere from '../../examples/sphere.js';
import table from '../../examples/table.js';
import torus from '../../examples/torus.js';
import transformer from '../../examples/transformer.js';
import unet from '../../examples/unet-vae.js';

export type Example = {
  readonly experiment: Experiment;
  /** At which it takes its two steps: the larger the network, the fewer. */
  readonly batch: number;
  /** Whose programs are golden files: those after every pass, the first and the last, or none: they are long, and a small flow stands for all. */
  readonly golden?: 'every' | 'ends' | 'none';
};

const flow = (experiment: Experiment): Example => ({ experiment, batch: 5, golden: 'none' });

export const examples: Readonly<Record<string, Example>> = {
  ae: { experiment: ae, batch: ae.batch },
  'ae-l2': { experiment: aeL2, batch: aeL2.batch },
  digits: { experiment: digits, batch: 8 },
  mlp: { experiment: mlp, batch: mlp.batch },
  mnist: { experiment: mnist, batch: 2 },
  flow: {
    experiment: densityExperiment({
      ...parts({ d: 1, D: 2, width: 4, couplings: 1 }),
      codes: latent(1),
      data: 'sine',
      steps: 10,
      beta: 10,
      rate: 1e-3,
    }),
    batch: 5,
    golden: 'ends',
  },
  circle: flow(circle),
  line: flow(line),
  sine: flow(sine),
  sphere: flow(sphere),
  torus: flow(torus),
  table: flow(table),
  'digits-flow': flow(digitsFlow),
};

/** Numbers in [0, 1], as pixels are. */
export const pixels = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => 0.5 + 0.5 * Math.sin(i * i + 1));

/** Those whose networks are functions, whose layers are definitions, or that read fields beside the data. */
export const fieldExamples: Readonly<Record<string, Example>> = {
  'conditional-injflow': flow(conditional),
  'conditional-vae': flow(conditionalVae),
  'flow-prior': flow(flowPrior),
  'semi-supervised': flow(semiSupervised),
  'masked-table': flow(masked),
  transformer: flow(transformer),
  'unet-vae': flow(unet),
};
