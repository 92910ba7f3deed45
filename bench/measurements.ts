/** What `npm run bench` measures, by name: the options of each, and what it says. */
type Measurement = { readonly options: string; readonly measures: string };

export const measurements: Readonly<Record<string, Measurement>> = {
  wasm: {
    options: '[--rounds 7] [--width 0.25] [--batch 64] [--no-kernels] [--clock cpu] [--json]',
    measures:
      "an InjFlow-ln step on the paper's MNIST networks against matrix products and the autoencoder's step",
  },
  peers: {
    options:
      '[--workloads mlp,mnist-16] [--only native,jax] [--with KEY=VALUE] [--before FOLDER] [--rounds 7] [--seconds 1] [--threads 2] [--clock cpu] [--json]',
    measures: "the whole step, ours and other frameworks'",
  },
  speed: {
    options: '[--before COMMIT] [--only mlp,threads] [--threads 2] [--minutes 10] [--json]',
    measures:
      "the table of speed in docs/performance.md, all of it in one run: against peers, and against wasm in tfjs's memory",
  },
  architectures: {
    options: '[--batch 2] [--width 1] [--backend auto] [--json]',
    measures: "parameters, FLOPs, memory and seconds of a step of the paper's three architectures",
  },
  rectangular: {
    options:
      '[--tables hepmass,miniboone] [--backends cc,native] [--ways hand,jvp,vmap] [--crossing] [--rounds 5] [--seconds 4] [--threads 2] [--clock cpu] [--json]',
    measures: "the step of a rectangular flow against the authors' algorithm in PyTorch",
  },
  oracles: {
    options:
      '[--seeds 1] [--oracles circle,sphere] [--methods exact,two-step] [--jobs 2] [--backend auto] [--json]',
    measures: 'rectangular flows on manifolds whose densities are known',
  },
  compile: {
    options:
      '[--depths 4,16,64,256] [--nets mlp,mnist,eighth,hepmass] [--backends cc,wasm,native] [--clock cpu] [--json]',
    measures:
      'how long a program takes to be ready: by depth, and by network and backend with its first step',
  },
  threads: {
    options: '[--threads 1,2] [--width 0.125] [--batch 64] [--rounds 9] [--json]',
    measures: 'a step on wasm by the number of threads that share it',
  },
  embedding: {
    options: '[--entries 10000] [--units 64] [--batch 256] [--rounds 9] [--json]',
    measures:
      'a step that begins with an embedding: read at its places, and as a product with one-hot vectors',
  },
  scaling: {
    options:
      '[--engines local,slurm,ray] [--trials 8] [--rounds 2] [--slots 100] [--seconds 3] [--python PATH] [--json]',
    measures: 'what a trial costs beside its training, by what runs it, and a thousand of them',
  },
  sweep: {
    options: '[--trials 6] [--steps 1000] [--jobs 2] [--backend wasm] [--rounds 3] [--json]',
    measures: "how many trials on digits an hour has, and what a trial's time goes into",
  },
  data: {
    options: '[--python PATH] [--rounds 5] [--json]',
    measures: 'how fast files are read, beside numpy, pandas, csv-parse and sharp',
  },
  stability: {
    options:
      '--folder FOLDER [--tables wine,diabetes] [--ways auto,surrogate,pair] [--seeds 20] [--steps 2000] [--until 700] [--ramp 1000] [--backend auto] [--json]',
    measures: 'whether the recipe for tables diverges, over many seeds',
  },
  tables: {
    options: 'FOLDER [NAMES] [SEEDS] [--json]',
    measures: 'rectangular flows by one recipe on small tables',
  },
  codes: {
    options: 'TABLE.csv PYTHON',
    measures: 'the fixture of the law on expectation-maximization, as JSON',
  },
  detection: {
    options: 'INSIDE.csv OUTSIDE.csv',
    measures: 'the fixture of the law on thresholds, as JSON',
  },
};

/** How one of them is called, and what it measures. */
export const usageOf = (name: string): string =>
  `npm run bench -- ${name} ${measurements[name]?.options ?? ''}\n  ${measurements[name]?.measures ?? ''}`;

/** All of them. */
export const overview = (): string => Object.keys(measurements).map(usageOf).join('\n');
