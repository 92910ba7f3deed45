/**
 * `npm run bench -- peers [--workloads mlp,mnist-16] [--only native,jax] [--with KEY=VALUE] [--rounds 7] [--seconds 1] [--json]`:
 * the whole InjFlow-ln step with its Adam update, ours and other frameworks', the same mathematics from the same weights on the same
 * batch. A peer's terms and gradients are compared with ours before it is timed; peers take turns, each in a process of its own.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { costOf } from 'immersion/compiler';
import { quotients, summary } from './measure.js';
import { type Agreement, agreement, disagreement } from './peers/compare.js';
import { type Peer, startPeer } from './peers/peer.js';
import { peerReport, type PeerResult, type WorkloadResult } from './peers/report.js';
import { cache, type Entry, install, nativeWith, roster } from './peers/roster.js';
import { compiledOf, type Ready, type Workload, workloads, writeArrays } from './peers/workloads.js';

const { values } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== 'peers'),
  options: {
    workloads: { type: 'string' },
    only: { type: 'string' },
    with: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '7' },
    /** Of each peer's turn in a round, about; a turn is at least one step. */
    seconds: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});

const [rounds, turnSeconds, threads] = [values.rounds, values.seconds, values.threads].map(Number);
const chosen = <T extends { readonly name: string }>(all: readonly T[], names: string | undefined): readonly T[] => {
  const wanted = names?.split(',');
  const unknown = wanted?.filter((name) => !all.some((one) => one.name === name)) ?? [];
  if (unknown.length > 0) {
    console.error(`bench: found ${unknown.join(', ')}, expected some of ${all.map(({ name }) => name).join(', ')}`);
    process.exit(1);
  }
  return wanted === undefined ? all : all.filter(({ name }) => wanted.includes(name));
};
const entries = [...chosen(roster, values.only), ...values.with.map(nativeWith)];

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
    const [ready]: readonly Ready[] = JSON.parse(JSON.stringify([await peer.ask(request, 900)]));
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
  const [{ milliseconds }]: readonly { readonly milliseconds: readonly number[] }[] = JSON.parse(
    JSON.stringify([await peer.ask({ op: 'time', steps }, 1800)]),
  );
  return milliseconds;
};

/** Two turns for a peer whose step takes longer than this many of its turns. */
const patience = 10;

/** Median milliseconds of a step, by round; the first tenth of a long turn warms the caches up. */
const takeTurns = async (prepared: readonly Prepared[]): Promise<readonly (readonly number[])[]> => {
  const counts: number[] = [];
  for (const one of prepared) {
    const trial = await millisecondsOf(one, 2);
    counts.push(Math.max(1, Math.round((turnSeconds * 1000) / trial[1])));
    if (trial[1] > patience * turnSeconds * 1000) counts[counts.length - 1] = 0;
  }
  const readings: number[][] = prepared.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, one] of prepared.entries()) {
      if (counts[i] === 0 && round > 1) continue;
      const milliseconds = await millisecondsOf(one, Math.max(1, counts[i]));
      readings[i].push(summary(milliseconds.slice(Math.floor(milliseconds.length / 10))).median);
    }
  }
  return readings;
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
    const reference = accepted.find(({ prepared: { entry: one } }) => one.objective === 'injFlowLn')?.prepared;
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
  const readingsOf = (name: string): readonly number[] | undefined =>
    readings[accepted.findIndex(({ prepared }) => prepared.entry.name === name)];
  const timed = accepted.map(({ prepared: { entry, ready }, agrees }, i): PeerResult => {
    const base = readingsOf(entry.group);
    const own = readings[i];
    return {
      name: entry.name,
      title: entry.title,
      group: entry.group,
      milliseconds: summary(own),
      ...(base === undefined ? {} : { timesOurs: summary(quotients(own, base)) }),
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
  command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
  workloads: results,
};
mkdirSync(cache, { recursive: true });
const file = join(cache, `result-${result.date.replace(/\D/g, '')}.json`);
writeFileSync(file, JSON.stringify(result, null, 2));
note(`written to ${file}`);
console.log(values.json ? JSON.stringify(result, null, 2) : peerReport(result));
