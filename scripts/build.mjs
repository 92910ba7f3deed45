/** Makes `dist/`: the program as few files, their types, and the files beside the sources that are not TypeScript. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundle, folders } from './bundle.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
rmSync('dist', { recursive: true, force: true });
const tsc = ['node_modules/typescript-native/bin/tsc', '-p', 'tsconfig.build.json'];
const { status } = spawnSync(process.execPath, tsc, { stdio: 'inherit' });
if (status !== 0) process.exit(1);

// Every file lies one folder below `dist/`, so what lies beside a source is found from each of them alike.
await bundle({
  outdir: `${root}dist`,
  addressOf: (path) =>
    `new URL(${JSON.stringify(`../${path.replace(/\.ts$/, '.js')}`)}, import.meta.url).href`,
});

const isAsset = (path) => statSync(path).isDirectory() || !path.endsWith('.ts');
for (const folder of folders.filter(existsSync))
  cpSync(folder, `dist/${folder}`, { recursive: true, filter: isAsset });
