/**
 * `npm run bench -- oracles [--seeds 1] [--oracles circle,sphere] [--methods exact,two-step] [--jobs 2] [--backend auto] [--json]`: rectangular
 * flows on the examples' manifolds, whose densities are known: test NLL beside the least that is possible, and RMS distance, as
 * means over seeds. A seed draws the data and the weights. Prints Markdown.
 */
import { atLeast } from '../dsl/lookup.js';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isLeft } from 'fp-ts/lib/Either.js';
import { showProblem } from 'immersion/dsl';
import { type Backend, provenance, startBackend } from 'immersion/runs';
import {
  type OracleJob,
  type OracleOutcome,
  oracles,
  oraclesMarkdown,
  trainOracle,
} from '../studies/oracles/index.js';
import { commandLine, accepted, numberOf, optionsOf } from './options.js';

const values = optionsOf({
  seeds: { type: 'string', default: '1' },
  oracles: { type: 'string' },
  methods: { type: 'string' },
  jobs: { type: 'string', default: '2' },
  backend: { type: 'string', default: 'auto' },
  json: { type: 'boolean', default: false },
  /** Which of the jobs this process runs, `1/2`; set by the process that prints. */
  share: { type: 'string' },
});

const chosen = <A>(
  all: ReadonlyMap<string, A>,
  what: string,
  text: string | undefined,
): readonly string[] => {
  const names = text?.split(',') ?? [...all.keys()];
  const unknown = names.filter((name) => !all.has(name));
  if (unknown.length === 0) return names;
  console.error(`--${what}: found ${unknown.join(', ')}, expected some of ${[...all.keys()].join(', ')}`);
  process.exit(1);
};

const jobs: readonly OracleJob[] = chosen(oracles, 'oracles', values.oracles).flatMap((oracle) =>
  chosen(oracles.get('circle') ?? new Map(), 'methods', values.methods).flatMap((method) =>
    Array.from({ length: numberOf(values, 'seeds') }, (_, i) => ({ oracle, method, seed: i + 1 })),
  ),
);

const backend = async (): Promise<Backend> => {
  const started = accepted(await startBackend(values.backend));
  return started;
};

const outcomeOf = async (job: OracleJob, on: Backend): Promise<OracleOutcome> => {
  const figures = await trainOracle(job, on);
  return isLeft(figures)
    ? { ...job, failure: figures.left.map(showProblem).join('; ') }
    : { ...job, ...figures.right };
};

const runShare = async (share: string): Promise<void> => {
  const [own, all] = atLeast(2, share.split('/').map(Number));
  const on = await backend();
  for (const job of jobs.filter((_, i) => i % all === own)) {
    const failed = (error: unknown): OracleOutcome => ({ ...job, failure: String(error) });
    console.log(JSON.stringify(await outcomeOf(job, on).catch(failed)));
  }
};

/** The outcomes of a process of its own that runs a share of the jobs. */
const shareOf = (own: number, all: number): Promise<readonly OracleOutcome[]> => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const args = [...process.execArgv, main, ...process.argv.slice(2), '--share', `${own}/${all}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const outcomes: OracleOutcome[] = [];
  const lines = createInterface(child.stdout);
  lines.on('line', (line) => {
    const outcome: OracleOutcome = JSON.parse(line);
    outcomes.push(outcome);
    console.error(`oracles: ${line}`);
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code === 0) resolve(outcomes);
      else reject(new Error(`a share of the oracles ended with ${code}`));
    });
  });
};

if (values.share !== undefined) {
  await runShare(values.share);
  process.exit(0);
}
const { description } = await backend();
const shares = Math.max(1, Math.min(numberOf(values, 'jobs'), jobs.length));
const outcomes = (await Promise.all(Array.from({ length: shares }, (_, own) => shareOf(own, shares)))).flat();
const command = commandLine();
console.log(
  values.json
    ? JSON.stringify({ ...provenance(), command, outcomes }, null, 2)
    : oraclesMarkdown(outcomes, {
        ...provenance(),
        seeds: numberOf(values, 'seeds'),
        backend: description,
        command,
      }),
);
process.exit(outcomes.some(({ failure }) => failure !== undefined) ? 1 : 0);
