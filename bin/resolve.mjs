/** Lets a spec file in any folder import `immersion/…` from this installation, and be an ES module without saying so. */
import { readFile } from 'node:fs/promises';

const self = new URL('../package.json', import.meta.url).href;

let program;

export const initialize = (data) => {
  program = data?.program;
};

/** Node takes a `.ts` or `.js` file for CommonJS where no package.json says "module"; its own words decide here. */
const isModule = async (url) =>
  /^file:(?!.*\/node_modules\/).*\.[jt]s$/.test(url) &&
  /^\s*(import|export)\b/m.test(await readFile(new URL(url), 'utf8').catch(() => ''));

/** The module of the program that runs; an unknown one is for package.json to refuse. */
const within = async (specifier) => {
  const [, name] = /^immersion\/(\w+)$/.exec(specifier) ?? [];
  if (program === undefined || name === undefined) return undefined;
  const { exports } = JSON.parse(await readFile(new URL(self), 'utf8'));
  return Object.hasOwn(exports, `./${name}`) ? `${program}${name}/index.js` : undefined;
};

export const resolve = async (specifier, context, next) => {
  const ours = specifier.startsWith('immersion/');
  const parent = ours ? { ...context, parentURL: self } : context;
  const found = await next((ours ? await within(specifier) : undefined) ?? specifier, parent);
  return found.format === 'commonjs' && (await isModule(found.url.split('?')[0]))
    ? { ...found, format: 'module' }
    : found;
};
