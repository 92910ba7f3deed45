/**
 * `npm run bench -- peers [--workloads mlp,mnist-16] [--only native,jax] [--with KEY=VALUE] [--before FOLDER] [--rounds 7] [--seconds 1] [--clock cpu] [--json]`:
 * the whole InjFlow-ln step with its Adam update, ours and other frameworks', the same mathematics from the same weights on the same
 * batch. A peer's terms and gradients are compared with ours before it is timed; peers take turns, each in a process of its own.
 */
import { atLeast, elementAt } from '../dsl/lookup.js';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { costOf } from 'immersion/compiler';
import { quotients, summary } from './measure.js';
import { type Agreement, agreement, disagreement } from './peers/compare.js';
import { type Peer, startPeer } from './peers/peer.js';
import { peerReport, type PeerResult, type WorkloadResult } from './peers/report.js';
import { cache, type Entry, install, nativeWith, roster, wasmOf } from './peers/roster.js';
import { compiledOf, type Ready, type Workload, workloads, writeArrays } from './peers/workloads.js';
import { commandLine, clockOf, numberOf, optionsOf } from './options.js';

const values = optionsOf({
  workloads: { type: 'string' },
  only: { type: 'string' },
  with: { type: 'string', multiple: true, default: [] },
  /** Checkouts of other states of this code, whose wasm takes part too. */
  before: { type: 'string', multiple: true, default: [] },
  rounds: { type: 'string', default: '7' },
  /** Of each peer's turn in a round, about; a turn is at least one step. */
  seconds: { type: 'string', default: '1' },
  threads: { type: 'string', default: '2' },
  /** `cpu` counts the work of all threads: to be trusted where others share the machine, but it counts waiting in spin loops too. */
  clock: { type: 'string', default: 'wall' },
  json: { type: 'boolean', default: false },
});

const clock = clockOf(values);
const [rounds, turnSeconds, threads] = [
  numberOf(values, 'rounds'),
  numberOf(values, 'seconds'),
  numberOf(values, 'threads'),
];
const chosen = <T extends { readonly name: string }>(
  all: readonly T[],
  names: string | undefined,
): readonly T[] => {
  const wanted = names?.split(',');
  const unknown = wanted?.filter((name) => !all.some((one) => one.name === name)) ?? [];
  if (unknown.length > 0) {
    console.error(
      `bench: found ${unknown.join(', ')}, expected some of ${all.map(({ name }) => name).join(', ')}`,
    );
    process.exit(1);
  }
  return wanted === undefined ? all : all.filter(({ name }) => wanted.includes(name));
};
const entries = [
  ...chosen(roster, values.only),
  ...values.with.map(nativeWith),
  ...values.before.map(wasmOf),
];

const note = (text: string): void => console.error(`peers: ${text}`);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message.trim() : String(error));

type Prepared = {
  readonly entry: Entry;
  readonly peer: Peer;
  readonly ready: Ready;
  readonly gradients: Float32Array;
};

type Folder = { readonly path: string; readonly arrays: ReturnType<typeof writeArrays> };

const prepare = async (entry: Entry, workload: Workload, folder: Folder): Promise<Prepared | string> => {
  try {
    const installed = entry.installation === undefined ? '' : await install(entry.installation);
    const peer = startPeer(entry.command(installed), threads);
    const gradients = join(folder.path, 'gradients');
    const file = join(folder.path, 'arrays');
    const request = { op: 'prepare', workload, file, arrays: folder.arrays, gradients } as const;
    const ready: Ready = JSON.parse(JSON.stringify(await peer.ask(request, 900)));
    const bytes = readFileSync(gradients);
    rmSync(gradients);
    return {
      entry,
      peer,
      ready,
      gradients: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4),
    };
  } catch (error) {
    return messageOf(error);
  }
};

const millisecondsOf = async ({ peer }: Prepared, steps: number): Promise<readonly number[]> => {
  const { milliseconds }: { readonly milliseconds: readonly number[] } = JSON.parse(
    JSON.stringify(await peer.ask({ op: 'time', steps, clock }, 1800)),
  );
  return milliseconds;
};

/** A peer whose step takes more than this many of its turns gets two of one step each. */
const patience = 10;

type Readings = readonly number[] | string;

/** Median milliseconds of a step by round, or why there are none; the first tenth of a turn warms the caches up. */
const takeTurns = async (prepared: readonly Prepared[]): Promise<readonly Readings[]> => {
  const plans = new Map<Prepared, { readonly steps: number; readonly rounds: number }>();
  const failures = new Map<Prepared, string>();
  const readings = new Map<Prepared, number[]>(prepared.map((one) => [one, []]));
  const guarded = async (one: Prepared, act: () => Promise<void>): Promise<void> => {
    if (failures.has(one)) return;
    await act().catch((error: unknown) => failures.set(one, messageOf(error)));
  };
  for (const one of prepared) {
    await guarded(one, async () => {
      const [, trial] = atLeast(2, await millisecondsOf(one, 2));
      const steps = Math.max(1, Math.round((turnSeconds * 1000) / trial));
      plans.set(one, { steps, rounds: trial > patience * turnSeconds * 1000 ? Math.min(2, rounds) : rounds });
    });
  }
  for (let round = 0; round < rounds; round++) {
    for (const one of prepared) {
      const plan = plans.get(one);
      if (plan === undefined || round >= plan.rounds) continue;
      await guarded(one, async () => {
        const milliseconds = await millisecondsOf(one, plan.steps);
        readings.get(one)?.push(summary(milliseconds.slice(Math.floor(milliseconds.length / 10))).median);
      });
    }
  }
  return prepared.map((one) => failures.get(one) ?? readings.get(one) ?? []);
};

const measure = async (workload: Workload): Promise<WorkloadResult> => {
  const path = mkdtempSync(join(tmpdir(), 'immersion-peers-'));
  const folder: Folder = { path, arrays: writeArrays(workload, join(path, 'arrays')) };
  const refused: PeerResult[] = [];
  const accepted: { readonly prepared: Prepared; readonly agrees?: Agreement }[] = [];
  for (const entry of entries.filter((one) => one.workloads.includes(workload.name))) {
    const prepared = await prepare(entry, workload, folder);
    const { name, title, group } = entry;
    if (typeof prepared === 'string') {
      refused.push({ name, title, group, refused: prepared });
      note(`${workload.name}, ${title}: ${prepared}`);
      continue;
    }
    const reference = accepted.find(
      ({ prepared: { entry: one } }) => one.objective === 'injFlowLn',
    )?.prepared;
    if (entry.objective === 'ae' || reference === undefined) {
      accepted.push({ prepared });
      note(`${workload.name}, ${title}: ${JSON.stringify(prepared.ready.terms[0])}`);
      continue;
    }
    const agrees = agreement(folder.arrays, reference, prepared);
    const why = disagreement(agrees);
    note(
      `${workload.name}, ${title}: ${why ?? 'agrees'} (terms ${agrees.terms.toExponential(1)}, ${agrees.second.toExponential(1)}; gradients ${agrees.gradient.difference.toExponential(1)}, ${agrees.gradient.name})`,
    );
    if (why === undefined) accepted.push({ prepared, agrees });
    else {
      refused.push({ name, title, group, refused: why });
      prepared.peer.end();
    }
  }
  const readings = await takeTurns(accepted.map(({ prepared }) => prepared));
  accepted.forEach(({ prepared }) => prepared.peer.end());
  rmSync(path, { recursive: true });
  const timed = accepted.map(({ prepared: { entry, ready }, agrees }, i): PeerResult => {
    const { name, title, group } = entry;
    const [own, base] = [
      elementAt(readings, i),
      elementAt(
        readings,
        accepted.findIndex(({ prepared }) => prepared.entry.name === group),
      ),
    ];
    if (typeof own === 'string') return { name, title, group, refused: own };
    return {
      name,
      title,
      group,
      milliseconds: summary(own),
      readings: own,
      ...(base === undefined || typeof base === 'string' ? {} : { timesOurs: summary(quotients(own, base)) }),
      ...(agrees === undefined ? {} : { agreement: agrees }),
      versions: ready.versions,
    };
  });
  const flops = {
    injFlowLn: costOf(compiledOf(workload, 'injFlowLn').step).flops,
    ae: costOf(compiledOf(workload, 'ae').step).flops,
  };
  return { name: workload.name, batch: workload.batch, flops, peers: [...timed, ...refused] };
};

const results: WorkloadResult[] = [];
for (const workload of chosen(workloads, values.workloads)) results.push(await measure(workload));

const result = {
  date: new Date().toISOString().slice(0, 16),
  processor: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores`,
  node: process.version,
  threads,
  rounds,
  clock,
  command: commandLine(),
  workloads: results,
};
mkdirSync(cache, { recursive: true });
const file = join(cache, `result-${result.date.replace(/\D/g, '')}.json`);
writeFileSync(file, JSON.stringify(result, null, 2));
note(`written to ${file}`);
console.log(values.json ? JSON.stringify(result, null, 2) : peerReport(result));
