/** The options that each objective takes, by name: any other, which only plain JavaScript can give, becomes a problem at the place of the call. */
import { unknownOptions } from '../dsl/index.js';

const probe = ['name', 'probe', 'probes', 'jacobian'];
const injFlow = ['prior', 'mu', 'muInjective', 'eta', 'probe', 'jacobian'];
const likelihood = ['beta', 'weight', 'logPrior', 'augment'];
const volume = ['method', 'probe', 'probes', 'name', 'iterations'];

const multiplier = ['name', 'initial', 'rate', 'decay', 'atMost'];

const known = {
  aeL2: ['weight', 'only'],
  bound4: [...probe, 'prior', 'mu', 'lambda'],
  bound5: [...probe, 'prior', 'mu'],
  cae: [...probe, 'weight'],
  raeGp: [...probe, 'prior', 'weight'],
  vae: ['sigma'],
  betaVae: ['beta'],
  injFlowLn: injFlow,
  injFlow: [...injFlow, 'lambda'],
  rectangularExact: likelihood,
  rectangular: [...likelihood, ...volume],
  noisyManifold: ['logNoise', 'logPrior', 'augment'],
  twoStep: [...likelihood, 'period', 'phases'],
  freeForm: [...likelihood, ...volume],
  augmentedLagrangian: [...multiplier, 'penalty'],
  geco: multiplier,
} as const;

/** To be spread into the terms of an objective; nothing where all options are known. */
export const unknown = (name: keyof typeof known, options: object): Readonly<Record<never, never>> =>
  unknownOptions(name, options, known[name]);
