/** Lets a spec file in any folder import `immersion/…` from this installation, and be an ES module without saying so. */
import { readFile } from 'node:fs/promises';

const self = new URL('../package.json', import.meta.url).href;

/** Node takes a `.ts` or `.js` file for CommonJS where no package.json says "module"; its own words decide here. */
const isModule = async (url) =>
  /^file:(?!.*\/node_modules\/).*\.[jt]s$/.test(url) &&
  /^\s*(import|export)\b/m.test(await readFile(new URL(url), 'utf8').catch(() => ''));

export const resolve = async (specifier, context, next) => {
  const parent = specifier.startsWith('immersion/') ? { ...context, parentURL: self } : context;
  const found = await next(specifier, parent);
  return found.format === 'commonjs' && (await isModule(found.url.split('?')[0]))
    ? { ...found, format: 'module' }
    : found;
};
