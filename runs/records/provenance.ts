/** Where a result comes from: when, on which processor, by which versions. */
import { createRequire } from 'node:module';
import { cpus, hostname } from 'node:os';

const require = createRequire(import.meta.url);

const versionOf = (name: string): string => {
  const manifest: unknown = require(`${name}/package.json`);
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
};

/** Versions of what a run depends on, by name. */
export const versions = (): Readonly<Record<string, string>> => ({
  immersion: versionOf('immersion'),
  tfjs: versionOf('@tensorflow/tfjs-core'),
  node: process.versions.node,
});

export type Provenance = {
  /** As YYYY-MM-DD, in UTC. */
  readonly date: string;
  /** Such as `2 × a processor`. */
  readonly processor: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Of a job of a cluster; nothing else depends on it. */
  readonly place?: { readonly job: string; readonly host: string };
};

/** Of what is made here and now, by a job of a cluster where it is one. */
export const provenance = (job?: string): Provenance => {
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: `${processors.length} × ${processors.at(0)?.model.trim() ?? 'unknown processor'}`,
    versions: versions(),
    ...(job === undefined ? {} : { place: { job, host: hostname() } }),
  };
};
