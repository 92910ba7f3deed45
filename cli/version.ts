/** Versions of what a run depends on, for its report. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const versionOf = (name: string): string => {
  const manifest: unknown = require(`${name}/package.json`);
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
};

export const versions = (): Readonly<Record<string, string>> => ({
  immersion: versionOf('immersion'),
  tfjs: versionOf('@tensorflow/tfjs-core'),
  node: process.versions.node,
});
