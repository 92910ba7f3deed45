/** Installs the dependencies when `node_modules` does not match `package-lock.json`; needs nothing but Node and npm. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const inRoot = (...path) => join(root, ...path);
const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

const packagesOf = (path) => {
  try {
    return JSON.parse(read(path)).packages;
  } catch {
    return {};
  }
};

const lockFile = inRoot('package-lock.json');
const stampFile = inRoot('node_modules', '.immersion-stamp');
const lock = packagesOf(lockFile);
const stamp = createHash('sha256')
  .update(`${process.platform} ${process.arch}\n${read(lockFile)}`)
  .digest('hex');

/** npm leaves an optional package out where its `os`, `cpu` or `libc` is another one, or where its install failed. */
const isForThisMachine = ({ os, cpu, libc }) => {
  const glibc = libc !== undefined && process.report.getReport().header.glibcVersionRuntime !== undefined;
  return (
    (os !== undefined || cpu !== undefined) &&
    (os?.includes(process.platform) ?? true) &&
    (cpu?.includes(process.arch) ?? true) &&
    (libc?.includes(glibc ? 'glibc' : 'musl') ?? true)
  );
};

/** Why an install is needed, or undefined. npm writes its own list last, so a killed install has none. */
const reason = () => {
  if (!existsSync(inRoot('node_modules'))) return 'no node_modules yet';
  const installed = packagesOf(inRoot('node_modules', '.package-lock.json'));
  const stamped = read(stampFile) === stamp;
  for (const [path, wanted] of Object.entries(lock)) {
    if (path === '') continue;
    const found = installed[path];
    if (found === undefined && wanted.optional && (stamped || !isForThisMachine(wanted))) continue;
    if (found?.version !== wanted.version) return `${path} is not at ${wanted.version}`;
    if (found.integrity !== wanted.integrity) return `${path} is not the locked one`;
    if (!existsSync(inRoot(path, 'package.json'))) return `${path} is incomplete`;
  }
  return undefined;
};

const install = () => {
  // Scripts stay off: they fetch and build binaries that only a GPU run needs. Optional packages hold native binaries.
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const npm = process.env.npm_execpath;
  const options = { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] };
  return npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
};

const why = reason();
if (why === undefined) {
  console.log('setup: dependencies match package-lock.json');
} else {
  console.log(`setup: ${why}; running npm ci --ignore-scripts`);
  const { status, error } = install();
  if (status !== 0) {
    console.error(`setup: npm ci failed (${error?.message ?? `exit ${status}`}); its message is above`);
    process.exit(1);
  }
  writeFileSync(stampFile, stamp);
}
