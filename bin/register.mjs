/** Installs the hook of `resolve.mjs`; loaded with `--import` before the command line and in every worker it starts. */
import { register } from 'node:module';

register('./resolve.mjs', import.meta.url);
